"""Which answers are the first."""

from pilotage.statistics.sequential.retries import Retries


def test_an_id_is_a_retry_until_its_minute_is_over() -> None:
    retries = Retries()
    assert retries.is_first(1, 0.0)
    assert not retries.is_first(1, 60.0)
    assert retries.is_first(1, 60.1)
    # The minute is that of the new first request.
    assert not retries.is_first(1, 120.0)
    assert retries.is_first(2, 120.0)


def test_ids_are_forgotten_after_their_minute() -> None:
    retries = Retries(retry_s=10.0)
    for second in range(100):
        assert retries.is_first(second, float(second))
    assert len(retries) == 11


def test_saved_ids_are_remembered() -> None:
    retries = Retries()
    retries.is_first(2**64 - 1, 5.0)
    loaded = Retries.of_arrays(60.0, retries.arrays())
    assert not loaded.is_first(2**64 - 1, 65.0)
    assert loaded.is_first(7, 65.0)

import pytest

from pilotage.contracts.predictions import TEXT_LENGTH, Ids, PredictionId, pack, unpack

PARTS = PredictionId(time_ms=1_795_508_733_438, node=0xABCDEF, boot=0x1234, worker=7, sequence=5)


def test_an_id_has_16_bytes_and_gives_its_parts_back():
    assert len(pack(PARTS)) == 16
    assert unpack(pack(PARTS)) == PARTS


def test_what_has_not_16_bytes_is_no_id():
    for length in (0, 15, 17, 32):
        with pytest.raises(ValueError, match="16 bytes"):
            unpack(bytes(length))


def test_ids_come_as_text_and_as_bytes_and_say_where_they_were_made():
    ids = Ids(PARTS.node, PARTS.boot, PARTS.worker)
    texts, raw = ids.take(3, PARTS.time_ms)
    assert [bytes.fromhex(text.decode()) for text in texts] == raw
    assert {len(text) for text in texts} == {TEXT_LENGTH}
    assert [unpack(each).sequence for each in raw] == [0, 1, 2]
    first = unpack(raw[0])
    assert (first.time_ms, first.node, first.boot, first.worker) == (
        PARTS.time_ms,
        PARTS.node,
        PARTS.boot,
        PARTS.worker,
    )


def test_no_id_is_given_twice_and_ids_sort_by_time():
    ids = Ids(1, 2, 3)
    given = [each for step in range(50) for each in ids.take(step % 7, 1000 + step)[1]]
    assert len(set(given)) == len(given)
    assert given == sorted(given)


def test_the_sequence_goes_round_and_the_time_keeps_ids_apart():
    ids = Ids(1, 2, 3)
    _, before = ids.take(1, 1000)
    ids._sequence = (1 << 32) - 2
    _, last = ids.take(2, 2000)
    _, after = ids.take(1, 3000)
    assert unpack(last[-1]).sequence == (1 << 32) - 1
    assert unpack(after[0]).sequence == 0
    assert after != before

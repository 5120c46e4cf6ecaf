"""Requests at a stated rate, whatever comes back."""

import numpy as np
import pytest

from pilotage.evaluation.load.open_loop import CONNECTIONS, Load, run
from simulators.http_answers import Answer, answering

REQUEST = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"


def _run(decide, *, rate=400.0, count=200, warm_up=20, patience_s=2.0, **options):
    with answering(decide) as port:
        load = Load([REQUEST], rate, count, warm_up, patience_s, seed=3)
        return run(load, "127.0.0.1", port, **options)


def test_every_request_is_answered_and_those_of_the_warm_up_do_not_count():
    outcome = _run(lambda number: Answer(after_s=0.3 if number < 20 else 0.0))
    assert outcome.times.shape == (200,)
    assert np.isfinite(outcome.times).all()
    assert np.median(outcome.times) < 0.25
    assert outcome.statuses == {200: 220}


def test_gaps_make_the_stated_rate_and_are_the_same_for_the_same_seed():
    outcome = _run(lambda _: Answer())
    assert outcome.seconds == pytest.approx(200 / 400, rel=0.2)
    assert outcome.seconds == _run(lambda _: Answer()).seconds


def test_a_request_waits_for_no_other():
    """All are slow: one after the other they would take ten times as long."""
    outcome = _run(lambda _: Answer(after_s=0.25), count=100, warm_up=0)
    assert outcome.times.min() >= 0.25
    assert np.median(outcome.times) < 1.0


def test_what_is_refused_breaks_or_never_comes_takes_for_ever():
    answers = {5: Answer(503), 6: Answer(None, ends=True), 7: Answer(None), 8: Answer(ends=True)}
    outcome = _run(lambda number: answers.get(number, Answer()), warm_up=0, patience_s=0.3)
    assert np.isinf(outcome.times).sum() == 3
    assert outcome.statuses == {200: 197, 503: 1, 0: 1, -1: 1}


def test_beyond_its_connections_a_request_is_refused():
    few = CONNECTIONS + 30
    outcome = _run(lambda _: Answer(None), rate=4000.0, count=few, warm_up=0, patience_s=0.1)
    assert np.isinf(outcome.times).all()
    assert outcome.statuses == {0: 30, -1: CONNECTIONS}


def test_looks_and_progress_are_taken_along_the_way():
    told = []
    outcome = _run(
        lambda _: Answer(),
        warm_up=0,
        look=lambda: 7,
        progress=lambda done, total: told.append((done, total)),
    )
    assert set(outcome.looks) == {7}
    assert told
    assert all(0 < done <= total == 200 for done, total in told)

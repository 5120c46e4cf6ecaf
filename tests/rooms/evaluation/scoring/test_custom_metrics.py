"""Metrics of a user's own, computed in a host."""

import numpy as np
import pytest

from pilotage.checks.scored import Scored
from pilotage.errors import PilotageError
from pilotage.evaluation.scoring.custom_metrics import losses_of
from pilotage.isolation.limits import HostLimits
from pilotage.isolation.loss_calls import PORTION_ROWS


def _binary(rows: int, classes=("0", "1")) -> Scored:
    chance = np.random.default_rng(1)
    truth, answer = chance.integers(0, 2, (2, rows)).astype(np.int32)
    score = chance.random(rows).astype(np.float32)
    return Scored("binary", truth, answer, score, True, classes, {})


def _run(tmp_path, code: str, scored: Scored | None = None, **options):
    (tmp_path / "costs.py").write_text(code)
    given = _binary(100) if scored is None else scored
    return losses_of("costs.py:cost", given, home=tmp_path, **options)[0]


def _error(tmp_path, code: str, **options) -> PilotageError:
    with pytest.raises(PilotageError) as caught:
        _run(tmp_path, code, **options)
    assert "Traceback" not in str(caught.value)
    return caught.value


def test_every_row_gets_the_loss_that_the_function_says(tmp_path):
    scored = _binary(PORTION_ROWS + 10)
    code = "def cost(truth, answer, score):\n    return (truth != answer) * 0.5 + score * 0.25"
    losses = _run(tmp_path, code, scored)
    expected = (scored.truth != scored.answer) * 0.5 + scored.score * np.float32(0.25)
    np.testing.assert_allclose(losses.values, expected)
    assert (losses.low, losses.high) == (0.0, 1.0)


def test_labels_reach_the_function_as_they_are_written_in_the_data(tmp_path):
    code = (
        "def cost(truth, answer, score):\n"
        "    return (truth == 'yes') & (answer == 'no') if truth.dtype.kind == 'U' else truth * 0"
    )
    scored = _binary(50, ("no", "yes"))
    expected = (scored.truth == 1) & (scored.answer == 0)
    np.testing.assert_array_equal(_run(tmp_path, code, scored).values, expected)


def test_numbers_reach_it_as_numbers_and_scores_only_where_there_are_some(tmp_path):
    truth, answer = np.array([1.0, 2.0]), np.array([1.5, 8.0])
    scored = Scored("regression", truth, answer, None, False, (), {})
    code = (
        "import numpy as np\n"
        "def cost(truth, answer, score):\n"
        "    assert score is None\n"
        "    return np.minimum(abs(answer - truth), 1)"
    )
    np.testing.assert_array_equal(_run(tmp_path, code, scored).values, [0.5, 1.0])


@pytest.mark.parametrize(
    ("code", "where", "what"),
    [
        ("def cost(t, a, s):\n    x = 1\n    return 1 / 0", "costs.py:3", "ZeroDivisionError"),
        (
            "def deep():\n    raise KeyError('k')\n\ndef cost(t, a, s):\n    deep()",
            "costs.py:2",
            "KeyError: 'k'",
        ),
        ("def cost(:", "costs.py:1", "no Python"),
        ("import nowhere_to_be_found", "costs.py:1", "ModuleNotFoundError"),
        ("def cost(t):\n    pass", "costs.py", "TypeError"),
        ("def price(t, a, s):\n    pass", "costs.py", "there is no function cost"),
        ("import os\ndef cost(t, a, s):\n    open('/etc/passwd')", "costs.py:3", "PermissionError"),
        ("def cost(t, a, s):\n    return 0.5", "costs.py", "gives float"),
        ("def cost(t, a, s):\n    return ['a'] * len(t)", "costs.py", "else than numbers"),
        ("def cost(t, a, s):\n    return s[:7]", "costs.py", r"shape [7] for 100 rows"),
        ("def cost(t, a, s):\n    return s - 2", "costs.py", "a loss below 0 in row 1,"),
        ("def cost(t, a, s):\n    s[4] = 2\n    return s", "costs.py", "a loss above 1 in row 5,"),
        ("def cost(t, a, s):\n    s[4] = None\n    return s", "costs.py", "NaN in row 5,"),
    ],
)
def test_what_is_wrong_in_the_users_file_is_told_with_its_line(tmp_path, code, where, what):
    error = _error(tmp_path, code)
    assert error.where == where
    assert what in error.what


def test_a_function_that_never_ends_is_stopped(tmp_path):
    limits = HostLimits(wall_s=3.0)
    error = _error(
        tmp_path, "def cost(t, a, s):\n    import time\n    time.sleep(60)", limits=limits
    )
    assert error.what == "the metric's code took longer than 3 s"
    assert error.where == "costs.py:cost"
    assert "model" not in error.fix


def test_a_function_that_leaves_the_process_is_told(tmp_path):
    error = _error(tmp_path, "import os\ndef cost(t, a, s):\n    os._exit(0)")
    assert "ended without an answer" in error.what


def test_losses_that_the_function_wrote_itself_are_not_believed(tmp_path):
    code = (
        "import atexit, numpy as np\n"
        "save = np.save\n"
        "np.save = lambda file, losses: save(file, losses * 0 + 7)\n"
        "def cost(t, a, s):\n    return s"
    )
    assert "left no losses" in _error(tmp_path, code).what


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(PilotageError, match="no such file"):
        losses_of("nothing.py:cost", _binary(3), home=tmp_path)

import io
import json

from pilotage.cli.logs import LINE_CHARACTERS, Log, form_of
from pilotage.spec.secrets import Secret


def written(form, call):
    stream = io.StringIO()
    call(Log(form, stream, lambda: 1_700_000_000.25))
    return stream.getvalue()


def test_json_is_an_object_a_line():
    line = written("json", lambda log: log("process_died", code=9, wait_s=0.5))
    assert json.loads(line) == {
        "at": "2023-11-14T22:13:20.250Z",
        "level": "warning",
        "event": "process_died",
        "code": 9,
        "wait_s": 0.5,
    }
    assert line.count("\n") == 1


def test_a_rollout_that_nobody_can_steer_is_a_warning():
    line = written("text", lambda log: log("not_steerable", why="another decides"))
    assert "warning: not_steerable" in line


def test_text_quotes_what_holds_spaces_and_escapes_what_steers_a_terminal():
    line = written("text", lambda log: log.info("serving", name="a b", odd="\x1b[2Jx\n"))
    assert 'serving name="a b"' in line
    assert "\x1b" not in line
    assert line.count("\n") == 1


def test_a_secret_as_a_field_is_stars_in_both_forms():
    for form in ("text", "json"):
        line = written(form, lambda log: log.info("x", key=Secret("hunter2")))
        assert "hunter2" not in line
        assert "***" in line


def test_a_long_line_is_cut():
    line = written("text", lambda log: log.info("x", value="y" * (2 * LINE_CHARACTERS)))
    assert len(line) == LINE_CHARACTERS + 1


def test_a_stream_that_is_gone_stops_nothing():
    stream = io.StringIO()
    stream.close()
    Log("text", stream, lambda: 0.0).info("x")


def test_auto_is_text_on_a_terminal_and_json_elsewhere():
    assert form_of("auto", on_terminal=True) == "text"
    assert form_of("auto", on_terminal=False) == "json"
    assert form_of("text", on_terminal=False) == "text"
    assert form_of("json", on_terminal=True) == "json"

import json
import os
from contextlib import ExitStack

import pytest
from msgspec import json as msgspec_json
from msgspec import structs
from typer.testing import CliRunner

from pilotage.cli import app as entry
from pilotage.cli import rollout
from pilotage.cli.rollout import app
from pilotage.control.rollouts.view import RolloutView
from pilotage.errors import PilotageError
from simulators.rollout_samples import PAUSED, PROMOTED, ROLLED_BACK, RUNNING
from simulators.steered import SteeredRollout


@pytest.fixture
def running(tmp_path):
    with SteeredRollout(RUNNING).decided(tmp_path) as steered:
        yield steered


def _run(folder, *words, ok=0, **options):
    result = CliRunner().invoke(app, [*words, "--data", str(folder)], **options)
    assert result.exit_code == ok, result.output
    return result


@pytest.mark.usefixtures("running")
def test_the_only_rollout_needs_no_name(tmp_path):
    shown = _run(tmp_path, "status").stdout
    assert shown.startswith("v2.onnx against v1.onnx on jobs")
    assert "v2.onnx gets 5 % of the traffic" in shown
    assert "? undecided      0.41 %    0.30 %     −0.21 to 0.64 pp   0.5 pp  in 12 min" in shown


@pytest.mark.usefixtures("running")
def test_what_to_type_next_is_beside_the_result_and_names_the_same_folder(tmp_path):
    told = _run(tmp_path, "status", "jobs").stderr
    assert f"pilotage rollout pause jobs --data {tmp_path}" in told


@pytest.mark.usefixtures("running")
def test_status_as_json_is_the_whole_rollout(tmp_path):
    shown = _run(tmp_path, "status", "--json").stdout
    assert msgspec_json.decode(shown, type=RolloutView) == RUNNING
    assert not _run(tmp_path, "status", "--json").stderr


@pytest.mark.parametrize("words", [["status"], ["pause"], ["promote", "--yes"], ["status", "-w"]])
def test_nothing_there_is_wrong_input_that_says_what_to_do(tmp_path, words, capsys):
    assert entry.main(["rollout", *words, "--data", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert "no rollout is being decided" in told
    assert "pilotage serve … --candidate …" in told
    assert "pilotage ledger show" in told
    assert str(tmp_path) in told


def test_among_several_one_must_be_named_and_they_are_listed(tmp_path, capsys):
    with ExitStack() as stack:
        for name in ("jobs", "iris"):
            view = structs.replace(RUNNING, endpoint=name)
            stack.enter_context(SteeredRollout(view).decided(tmp_path))
        assert entry.main(["rollout", "status", "--data", str(tmp_path)]) == 2
        assert "one of iris, jobs" in capsys.readouterr().err
        assert entry.main(["rollout", "status", "wine", "--data", str(tmp_path)]) == 2
        told = capsys.readouterr().err
        assert "no rollout of wine is being decided" in told
        assert "one of iris, jobs" in told
        assert "on iris" in _run(tmp_path, "status", "iris").stdout


@pytest.mark.usefixtures("running")
def test_the_folder_is_that_of_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("PILOTAGE_DATA", str(tmp_path))
    assert CliRunner().invoke(app, ["status"]).exit_code == 0


@pytest.mark.parametrize(
    ("words", "phase"),
    [
        (["pause"], "paused"),
        (["promote", "--yes"], "live"),
        (["abort", "--yes"], "aborted"),
        (["rollback", "-y"], "rolled back"),
    ],
)
def test_an_order_is_followed_and_told_with_who_asked(running, tmp_path, words, phase):
    result = _run(tmp_path, *words)
    (order,) = [order for order in running.asked if order.verb != "status"]
    assert order.by.endswith(f"uid {os.getuid()})") or order.by == f"uid {os.getuid()}"
    assert result.stdout == f"It is {phase}, asked for by {order.by}.\n"


def test_a_paused_rollout_is_resumed(tmp_path):
    with SteeredRollout(PAUSED).decided(tmp_path) as steered:
        assert "It is running" in _run(tmp_path, "resume").stdout
        assert steered.view.phase == "running"


@pytest.mark.usefixtures("running")
def test_after_an_order_the_next_ones_are_told(tmp_path):
    assert "pilotage rollout resume" in _run(tmp_path, "pause").stderr
    assert "pilotage rollout pause" in _run(tmp_path, "resume").stderr


@pytest.mark.usefixtures("running")
def test_an_order_as_json_gives_the_rollout_after_it(tmp_path):
    assert json.loads(_run(tmp_path, "pause", "--json").stdout)["phase"] == "paused"


@pytest.mark.usefixtures("running")
def test_what_the_rollout_refuses_is_exit_code_1_with_what_it_allows(tmp_path):
    result = _run(tmp_path, "resume", ok=0)
    _run(tmp_path, "abort", "--yes")
    result = _run(tmp_path, "promote", "--yes", ok=1)
    assert not result.stdout
    assert "a rollout that is aborted cannot promote" in result.stderr
    assert "--anew" in result.stderr


@pytest.mark.usefixtures("running")
def test_a_refusal_as_json_is_one_object(tmp_path):
    _run(tmp_path, "abort", "--yes")
    told = json.loads(_run(tmp_path, "pause", "--json", ok=1).stderr)
    assert told["errors"][0]["what"] == "a rollout that is aborted cannot pause"


def test_without_a_terminal_a_promotion_must_be_confirmed_in_the_command(running, tmp_path):
    result = CliRunner().invoke(app, ["promote", "--data", str(tmp_path)])
    assert isinstance(result.exception, PilotageError)
    assert result.exception.fix == "Add --yes."
    assert running.view.phase == "running"


@pytest.mark.parametrize(("verb", "phase"), [("abort", "aborted"), ("rollback", "rolled_back")])
def test_without_a_terminal_the_candidate_is_taken_out_at_once(running, tmp_path, verb, phase):
    _run(tmp_path, verb)
    assert running.view.phase == phase


@pytest.mark.parametrize(
    ("typed", "code", "phase"), [("y\n", 0, "live"), ("n\n", 1, "running"), ("\n", 1, "running")]
)
def test_on_a_terminal_it_asks(running, tmp_path, monkeypatch, typed, code, phase):
    monkeypatch.setattr(rollout, "_has_terminal", lambda: True)
    result = _run(tmp_path, "promote", ok=code, input=typed)
    assert running.view.phase == phase
    assert "v2.onnx gets 5 % of the traffic" in result.stderr
    assert "Give v2.onnx all traffic, whatever its guards have shown? [y/N]" in result.stderr
    assert ("Nothing was changed." in result.stderr) is (code == 1)


@pytest.mark.parametrize("verb", ["promote", "abort", "rollback"])
def test_what_is_over_is_not_asked_about(tmp_path, monkeypatch, verb):
    monkeypatch.setattr(rollout, "_has_terminal", lambda: True)
    with SteeredRollout(ROLLED_BACK).decided(tmp_path):
        result = CliRunner().invoke(app, [verb, "--data", str(tmp_path)], input="y\n")
    assert "[y/N]" not in result.output
    assert (result.exit_code == 0) is (verb == "rollback")


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(rollout, "WATCH_S", 0.001)


@pytest.mark.parametrize(("end", "code"), [(PROMOTED, 0), (ROLLED_BACK, 1)])
@pytest.mark.usefixtures("quick")
def test_watching_ends_with_the_rollout_and_tells_how(tmp_path, end, code):
    with SteeredRollout(RUNNING, RUNNING, end).decided(tmp_path):
        lines = _run(tmp_path, "status", "--watch", ok=code).stdout.splitlines()
    assert [line[9:] for line in lines] == [RUNNING.sentence, end.sentence.rstrip(".")]


@pytest.mark.usefixtures("quick")
def test_watching_as_json_gives_a_line_for_each_change(tmp_path):
    later = structs.replace(RUNNING, updated_at=RUNNING.updated_at + 1)
    with SteeredRollout(RUNNING, later, PAUSED, PROMOTED).decided(tmp_path):
        lines = _run(tmp_path, "status", "--watch", "--json").stdout.splitlines()
    assert [json.loads(line)["phase"] for line in lines] == ["running", "paused", "live"]


@pytest.mark.usefixtures("quick")
def test_watching_waits_for_a_decider_that_is_started_again(tmp_path, monkeypatch):
    steered = SteeredRollout(RUNNING, PROMOTED)
    ask, died = rollout.ask, []

    def dying(path, order):
        if len(steered.asked) >= 1 and not died:
            died.append(path)
            raise rollout.NoDecider("no rollout is being decided there")
        return ask(path, order)

    monkeypatch.setattr(rollout, "ask", dying)
    with steered.decided(tmp_path):
        lines = _run(tmp_path, "status", "--watch").stdout.splitlines()
    assert died
    assert len(lines) == 2


@pytest.mark.usefixtures("quick")
def test_watching_gives_up_when_the_decider_stays_away(tmp_path, monkeypatch):
    monkeypatch.setattr(rollout, "GONE_S", 0.0)
    steered, ask = SteeredRollout(RUNNING), rollout.ask

    def gone(path, order):
        if steered.asked:
            raise rollout.NoDecider("no rollout is being decided there")
        return ask(path, order)

    monkeypatch.setattr(rollout, "ask", gone)
    with steered.decided(tmp_path):
        result = CliRunner().invoke(app, ["status", "--watch", "--data", str(tmp_path)])
    assert isinstance(result.exception, rollout.NoDecider)


@pytest.mark.usefixtures("running")
def test_an_endpoint_completes_in_the_shell(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PILOTAGE_DATA", str(tmp_path))
    monkeypatch.setenv("_PILOTAGE_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "pilotage rollout pause j")
    monkeypatch.setenv("COMP_CWORD", "3")
    assert entry.main([]) == 0
    assert capsys.readouterr().out.split() == ["jobs"]


@pytest.mark.parametrize("verb", ["status", "pause", "resume", "promote", "abort", "rollback"])
def test_every_help_teaches_with_two_examples(verb):
    shown = CliRunner().invoke(app, [verb, "--help"]).stdout
    assert shown.count(f"pilotage rollout {verb}") == 2


def test_names_of_others_cannot_steer_the_terminal(tmp_path):
    evil = structs.replace(RUNNING, candidate_name="v2\x1b[2J.onnx", sentence="\x1b]0;owned\x07")
    with SteeredRollout(evil).decided(tmp_path):
        result = _run(tmp_path, "status")
    assert "\x1b" not in result.stdout + result.stderr

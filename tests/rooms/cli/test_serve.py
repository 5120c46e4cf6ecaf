import json
import os
import socket
import subprocess
import sys

import models
from pilotage.cli.serve import run, wants_json

SECRET = "0123456789abcdef0123456789abcdef"


def pilotage(*words, **variables):
    program = "import sys; from pilotage.cli.app import main; sys.exit(main())"
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PILOTAGE_")
    }
    return subprocess.run(
        [sys.executable, "-c", program, *words],
        capture_output=True,
        text=True,
        env=environment | variables,
    )


def test_all_errors_come_in_one_go_with_exit_code_two():
    ran = pilotage("serve", "gone.onnx", "--port", "x", "--deadline", "50", PILOTAGE_THREDS="1")
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert ran.stderr == (
        'error: no setting is called "PILOTAGE_THREDS"\n'
        "  at        environment\n"
        "  fix       Did you mean PILOTAGE_THREADS?\n"
        "\n"
        'error: "50" is not such a time\n'
        "  at        --deadline\n"
        "  expected  a time from 1us to 24h with its unit, such as 50ms, or none\n"
        "  fix       50 of what? Write 50ms or 50s.\n"
        "\n"
        'error: "x" is not a port\n'
        "  at        --port\n"
        "  expected  a whole number from 0 to 65535\n"
        "  fix       For example: 8081.\n"
        "\n"
        'error: there is no file or folder "gone.onnx"\n'
        "  at        MODEL\n"
        "  expected  a model file\n"
        "  fix       Check the path.\n"
        "\n"
        "4 errors.\n"
    )


def test_with_json_logs_the_errors_are_json():
    ran = pilotage("serve", "--log-format", "json")
    assert ran.returncode == 2
    assert json.loads(ran.stderr)["errors"][0]["what"] == "no model is given"


def test_a_secret_is_never_shown():
    ran = pilotage("serve", "gone.onnx", "--kee", SECRET, "--key", SECRET + " x")
    assert ran.returncode == 2
    assert SECRET[:10] not in ran.stdout + ran.stderr


def test_a_taken_port_names_who_and_the_next(tmp_path):
    model = tmp_path / "m.onnx"
    model.write_bytes(b"")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        ran = pilotage("serve", str(model), "--port", str(port))
    assert ran.returncode == 2
    assert f"port {port} is taken by " in ran.stderr
    assert f"(pid {os.getpid()})" in ran.stderr
    assert "Try --port " in ran.stderr


def test_a_mistake_is_told_before_typer_numpy_or_an_engine_is_loaded():
    program = (
        "import sys; from pilotage.cli.app import main; main(['serve']);"
        "print([name for name in ('typer', 'numpy', 'onnxruntime', 'ruamel', 'rich', 'uvloop')"
        " if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ran.stdout.strip() == "[]"


def test_help_after_a_flag_is_help(capsys):
    assert run(["m.onnx", "--help"]) == 0
    assert "--max-batch-rows N" in capsys.readouterr().out


def test_json_is_wanted_by_flag_before_variable(monkeypatch):
    monkeypatch.setenv("PILOTAGE_LOG_FORMAT", "json")
    assert wants_json([])
    assert not wants_json(["--log-format", "text"])
    monkeypatch.delenv("PILOTAGE_LOG_FORMAT")
    assert wants_json(["--log-format=json"])
    assert not wants_json([])


# A candidate


def on_trial(folder, candidate, *words):
    (folder / "v1.onnx").write_bytes(models.identity("FP32"))
    (folder / "v2.onnx").write_bytes(candidate)
    files = (str(folder / "v1.onnx"), "--candidate", str(folder / "v2.onnx"))
    return pilotage("serve", *files, "--port", "0", "--data", str(folder / "data"), *words)


def test_a_candidate_that_does_not_open_is_told_like_a_model(tmp_path):
    ran = on_trial(tmp_path, b"no model", "--control-port", "0")
    assert ran.returncode == 2
    assert "v2.onnx" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_candidate_with_another_signature_is_told_before_anything_is_served(tmp_path):
    ran = on_trial(tmp_path, models.identity("INT64"), "--control-port", "0")
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert "input `x`: FP32 [n, 3] in the baseline, INT64 [n, 3] in the candidate" in ran.stderr
    assert "fix       Export the candidate" in ran.stderr


def test_a_taken_port_of_the_page_names_its_flag(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        ran = on_trial(tmp_path, b"", "--control-port", str(port))
    assert ran.returncode == 2
    assert f"port {port} is taken by " in ran.stderr
    assert "Try --control-port " in ran.stderr


def test_the_help_shows_a_candidate_and_what_guards_may_say(capsys):
    assert run(["--help"]) == 0
    told = capsys.readouterr().out
    assert "pilotage serve v1.onnx --candidate v2.onnx\n" in told
    assert "  mean of stars between 1 and 5 not_worse_by 0.2\n" in told
    assert max(len(line) for line in told.splitlines()) <= 100


def test_a_shell_completes_the_flags_of_a_rollout():
    ran = pilotage(
        _PILOTAGE_COMPLETE="complete_bash",
        COMP_WORDS="pilotage serve --c",
        COMP_CWORD="2",
    )
    assert {"--candidate", "--canary", "--confidence", "--control-port"} <= set(ran.stdout.split())


def test_a_start_without_a_candidate_loads_nothing_of_rollouts(tmp_path):
    program = (
        "import sys; from pilotage.cli.serve import read_settings;"
        "read_settings(['v1.onnx', *sys.argv[1:]]); import pilotage.cli.serve_screen;"
        "print([name for name in sorted(sys.modules) if 'guard' in name"
        " or name in ('pilotage.spec.rollout_reading', 'pilotage.cli.rollout_terms')])"
    )
    (tmp_path / "v1.onnx").write_bytes(b"")
    without, with_one = (
        subprocess.run(
            [sys.executable, "-c", program, *words], capture_output=True, text=True, cwd=tmp_path
        ).stdout.strip()
        for words in ([], ["--candidate", "v1.onnx"])
    )
    assert without == "[]"
    assert "pilotage.spec.rollout_reading" in with_one

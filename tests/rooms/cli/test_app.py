import json
import subprocess
import sys

from pilotage import __version__
from pilotage.cli.app import main
from pilotage.cli.tree import BRANCHES

HEAVY = ("onnxruntime", "numpy", "uvloop", "httptools", "rich", "ruamel.yaml", "polars", "asyncio")


def test_help_shows_two_examples_and_both_commands(capsys):
    assert main(["--help"]) == 0
    told = capsys.readouterr().out
    for line in ("pilotage serve iris.onnx", "pilotage record tail", "  serve ", "  record "):
        assert line in told


def test_help_loads_nothing_heavy():
    program = (
        "import json, sys; from pilotage.cli.app import main; main(['--help']);"
        f"sys.stderr.write(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert json.loads(ran.stderr) == []


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"pilotage {__version__}\n"


def test_a_command_that_is_not_there_is_wrong_input(capsys):
    assert main(["serv"]) == 2
    assert "serve" in capsys.readouterr().err


def test_a_setting_completes_in_the_shell(monkeypatch, capsys):
    monkeypatch.setenv("_PILOTAGE_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "pilotage serve --max")
    monkeypatch.setenv("COMP_CWORD", "2")
    main([])
    assert "--max-batch-rows" in capsys.readouterr().out


def test_a_command_loads_no_other_branch_of_the_tree():
    program = (
        "import json, sys; from pilotage.cli.app import main; main(['record', '--help']);"
        "sys.stderr.write(json.dumps([name for name in sys.modules if 'rollout' in name"
        " or name.startswith(('pilotage.learn', 'pilotage.control'))]))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert json.loads(ran.stderr) == []


def test_every_command_of_the_tree_stands_in_the_branch_that_is_named_for_it(capsys):
    for commands in BRANCHES:
        for command in commands:
            assert main([command, "--help"]) == 0
            assert f"pilotage {command}" in capsys.readouterr().out


def test_a_command_that_is_none_is_told_among_all_of_them(capsys):
    assert main(["rolout"]) == 2
    assert "rolout" in capsys.readouterr().err

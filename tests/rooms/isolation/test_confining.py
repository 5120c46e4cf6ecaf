"""Hostile code in a host: it runs, and reaches nothing.

One host makes every attempt and writes down what came of each; each test reads one. Where this
kernel does not allow a protection, its tests are skipped and the host must have said so.
"""

import json
import os
import socket

import pytest

from pilotage.errors import PilotageError
from pilotage.isolation.conversion import Conversion, Converted
from pilotage.isolation.host import run_in_host
from simulators.hostile_pickles import pickle_that_runs

ATTEMPTS = """
import ctypes, json, os, signal, socket, subprocess, sys, threading
seen = {}
def attempt(name, function):
    try:
        seen[name] = repr(function())
    except BaseException as error:
        seen[name] = 'refused: ' + type(error).__name__
def write(path):
    with open(path, 'a') as file:
        file.write('was here')
    return 'wrote'
def start_thread():
    ran = []
    thread = threading.Thread(target=lambda: ran.append(1)); thread.start(); thread.join()
    return ran
def fork():
    pid = os.fork()
    if pid == 0: os._exit(0)
    return pid
libc = ctypes.CDLL(None, use_errno=True)
def call(*arguments):
    if libc.syscall(*arguments) < 0: raise OSError(ctypes.get_errno())
    return 'done'
attempt('environment', lambda: dict(os.environ))
attempt('own folder', lambda: write('mine'))
attempt('write outside', lambda: write(OUTSIDE))
attempt('create outside', lambda: write(OUTSIDE + '.new'))
attempt('truncate outside', lambda: os.truncate(OUTSIDE, 0))
attempt('remove outside', lambda: os.remove(OUTSIDE))
attempt('chmod outside', lambda: os.chmod(OUTSIDE, 0o777))
attempt('link outside', lambda: os.link(OUTSIDE, 'link'))
attempt('write model', lambda: write(MODEL))
attempt('read outside', lambda: open(OUTSIDE).read())
attempt('read passwords', lambda: open('/etc/passwd').read())
attempt('read parent', lambda: open(f'/proc/{os.getppid()}/environ').read())
attempt('connect', lambda: socket.create_connection(('127.0.0.1', PORT), 5))
attempt('resolve', lambda: socket.getaddrinfo('localhost', 80) and socket.socket())
attempt('unix socket', lambda: socket.socket(socket.AF_UNIX))
attempt('fork', fork)
attempt('program', lambda: subprocess.run(['/bin/true'], check=True))
attempt('signal parent', lambda: os.kill(os.getppid(), 0))
attempt('namespace', lambda: call(272 if os.uname().machine == 'x86_64' else 97, 0x20000))
attempt('trace parent', lambda: call(101 if os.uname().machine == 'x86_64' else 117, 16,
        os.getppid(), 0, 0))
attempt('thread', start_thread)
with open('seen.json', 'w') as file:
    json.dump(seen, file)
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    """What a hostile pickle saw, the protections it ran without, and the file outside."""
    base = tmp_path_factory.mktemp("confined")
    outside = base / "outside.txt"
    outside.write_text("precious")
    outside.chmod(0o644)
    folder = base / "host"
    folder.mkdir()
    os.environ["PILOTAGE_TEST_SECRET"] = "hunter2"
    with socket.create_server(("127.0.0.1", 0)) as server:
        names = {
            "OUTSIDE": str(outside),
            "MODEL": str(base / "model.pkl"),
            "PORT": server.getsockname()[1],
        }
        code = "".join(f"{name} = {value!r}\n" for name, value in names.items()) + ATTEMPTS
        source = pickle_that_runs(base / "model.pkl", code)
        before = source.read_bytes()
        told = []
        with pytest.raises(PilotageError, match="neither predicts nor transforms"):
            run_in_host(
                "sklearn",
                Conversion(str(source), "joblib", trust=True),
                Converted,
                folder=folder,
                readable=[source],
                progress=told.append,
            )
    del os.environ["PILOTAGE_TEST_SECRET"]
    assert source.read_bytes() == before
    return json.loads((folder / "seen.json").read_text()), outside


@pytest.fixture(scope="module")
def missing(tmp_path_factory):
    """The protections that this kernel does not allow, as an honest conversion reports them."""
    from sklearn.linear_model import LinearRegression
    from skops.io import dump

    folder = tmp_path_factory.mktemp("honest")
    source = folder / "model.skops"
    dump(LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0]), source)
    (folder / "host").mkdir()
    answered = run_in_host(
        "sklearn",
        Conversion(str(source), "skops"),
        Converted,
        folder=folder / "host",
        readable=[source],
    )
    return answered.missing


def needs(protection, missing):
    if protection in missing:
        pytest.skip(f"this kernel does not allow the protection of {protection}")


def test_the_code_ran_and_could_use_its_own_folder_and_threads(host):
    seen, _ = host
    assert seen["own folder"] == "'wrote'"
    assert seen["thread"] == "[1]"


def test_it_sees_no_variable_of_ours(host):
    seen, _ = host
    assert "hunter2" not in seen["environment"]
    assert "PILOTAGE" not in seen["environment"]


@pytest.mark.parametrize(
    "attempt",
    [
        "write outside",
        "create outside",
        "truncate outside",
        "remove outside",
        "link outside",
        "write model",
        "read outside",
        "read passwords",
        "read parent",
    ],
)
def test_it_cannot_touch_files_that_are_not_its_own(host, missing, attempt):
    needs("files", missing)
    seen, outside = host
    assert seen[attempt].startswith("refused"), attempt
    assert outside.read_text() == "precious"


@pytest.mark.parametrize("attempt", ["connect", "resolve"])
def test_it_cannot_reach_the_network_not_even_this_machine(host, missing, attempt):
    needs("network", missing)
    assert host[0][attempt].startswith("refused")


@pytest.mark.parametrize(
    "attempt",
    [
        "fork",
        "program",
        "signal parent",
        "trace parent",
        "namespace",
        "unix socket",
        "chmod outside",
    ],
)
def test_it_cannot_start_or_touch_processes(host, missing, attempt):
    needs("processes", missing)
    assert host[0][attempt].startswith("refused"), attempt

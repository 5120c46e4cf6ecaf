"""A host answers, fails, dies or hangs, and the caller always reads why."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from pilotage.errors import PilotageError
from pilotage.isolation.conversion import Conversion, Converted
from pilotage.isolation.host import run_in_host
from pilotage.isolation.limits import MIB, HostLimits
from simulators.hostile_pickles import pickle_that_runs


def run(tmp_path, code, limits=None):
    """What comes of a host that opens a pickle which runs `code`."""
    source = pickle_that_runs(tmp_path / "model.pkl", code)
    folder = tmp_path / "host"
    folder.mkdir()
    return run_in_host(
        "sklearn",
        Conversion(str(source), "joblib", trust=True),
        Converted,
        folder=folder,
        readable=[source],
        limits=limits,
    )


def test_an_exception_of_the_models_code_is_told_in_one_line(tmp_path):
    with pytest.raises(PilotageError, match="ValueError: no such luck") as caught:
        run(tmp_path, "raise ValueError('no such\\nluck')")
    assert "Traceback" not in str(caught.value)


def test_a_package_that_is_not_installed_is_told_with_what_to_install(tmp_path):
    with pytest.raises(PilotageError, match="package nowhere_to_be_found") as caught:
        run(tmp_path, "import nowhere_to_be_found")
    assert "pilotage[convert]" in caught.value.fix


def test_a_host_that_crashes_is_told_by_its_signal(tmp_path):
    with pytest.raises(PilotageError, match="SIGABRT"):
        run(tmp_path, "import os; os.abort()")


def test_a_host_that_leaves_is_told_with_its_last_words(tmp_path):
    code = "import os, sys; os.write(2, b'x' * 300000 + b'\\nlast words\\n'); os._exit(3)"
    with pytest.raises(PilotageError, match=r"exit code 3.*last words"):
        run(tmp_path, code)


def test_a_host_that_hangs_is_killed(tmp_path):
    started = time.monotonic()
    with pytest.raises(PilotageError, match=r"longer than 2\.5 s"):
        run(tmp_path, "import time; time.sleep(600)", HostLimits(wall_s=2.5))
    assert time.monotonic() - started < 30


def test_a_host_that_computes_without_end_is_stopped_by_its_processor_time(tmp_path):
    with pytest.raises(PilotageError, match="2 s of processor time"):
        run(tmp_path, "while True: pass", HostLimits(cpu_s=2))


def test_a_host_that_takes_all_memory_is_stopped(tmp_path):
    limits = HostLimits(address_bytes=2048 * MIB)
    with pytest.raises(PilotageError, match=f"more than the {2048 * MIB} bytes"):
        run(tmp_path, "held = bytearray(1 << 31)", limits)


def test_a_host_that_fills_the_disk_is_stopped(tmp_path):
    code = "f = open('big', 'wb')\nfor _ in range(9): f.write(b'x' * (1 << 20))\nf.flush()"
    with pytest.raises(PilotageError, match=r"File too large|wrote more than"):
        run(tmp_path, code, HostLimits(file_bytes=4 * MIB))
    assert (tmp_path / "host" / "big").stat().st_size <= 4 * MIB


def test_a_host_that_opens_files_without_end_is_stopped(tmp_path):
    with pytest.raises(PilotageError, match="Too many open files"):
        run(tmp_path, "held = [open('/dev/null') for _ in range(1000)]", HostLimits(open_files=100))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("b'\\x00\\x00\\x00\\x03abc'", "makes no sense"),
        ("b'\\xff\\xff\\xff\\xff'", "announced a message of 4294967295 bytes"),
    ],
)
def test_a_host_that_breaks_the_channel_is_not_believed(tmp_path, written, said):
    code = f"import os, sys, time; os.write(int(sys.argv[1]), {written}); time.sleep(60)"
    with pytest.raises(PilotageError, match=said):
        run(tmp_path, code)


def test_a_pickle_is_not_opened_without_trust(tmp_path):
    source = pickle_that_runs(tmp_path / "model.pkl", "open('ran', 'w')")
    folder = tmp_path / "host"
    folder.mkdir()
    with pytest.raises(PilotageError, match="not trusted"):
        run_in_host(
            "sklearn",
            Conversion(str(source), "joblib", trust=False),
            Converted,
            folder=folder,
            readable=[source],
        )
    assert not (folder / "ran").exists()


STARTS_A_HOST = """
import sys
from pathlib import Path
from pilotage.isolation.conversion import Conversion, Converted
from pilotage.isolation.host import run_in_host
source, folder = map(Path, sys.argv[1:])
asked = Conversion(str(source), "joblib", trust=True)
run_in_host("sklearn", asked, Converted, folder=folder, readable=[source])
"""


def test_a_host_dies_with_the_process_that_started_it(tmp_path):
    code = "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(600)"
    source = pickle_that_runs(tmp_path / "model.pkl", code)
    folder = tmp_path / "host"
    folder.mkdir()
    parent = subprocess.Popen([sys.executable, "-c", STARTS_A_HOST, str(source), str(folder)])
    host = int(wait_for(lambda: (folder / "pid").is_file() and (folder / "pid").read_text()))
    parent.kill()
    parent.wait()
    assert wait_for(lambda: not is_running(host))


def is_running(pid):
    """Whether the process lives; one that is dead and waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(condition):
    """What the condition gives as soon as it is true; fails after 30 s."""
    until = time.monotonic() + 30
    while not (found := condition()):
        assert time.monotonic() < until
        time.sleep(0.02)
    return found

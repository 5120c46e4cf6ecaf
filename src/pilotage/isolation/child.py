"""The host's side: takes one job, confines itself, loads one adapter, answers, ends.

Started as `python -I -B -m pilotage.isolation.child FD` with the job on stdin; events go to FD.
Whatever the adapter prints goes to stderr.
"""

import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from pilotage.errors import PilotageError
from pilotage.isolation import messages
from pilotage.isolation.channel import LENGTH_BYTES, frame
from pilotage.isolation.confining import confine
from pilotage.isolation.limits import missing_of

ADAPTERS: Final = {
    "sklearn": "pilotage.isolation.adapters.sklearn",
    "xgboost": "pilotage.isolation.adapters.xgboost",
    "lightgbm": "pilotage.isolation.adapters.lightgbm",
    "losses": "pilotage.isolation.losses",
}
INSTALL: Final = "Install the converters: pip install 'pilotage[convert]'."


def main(channel: int) -> None:
    """Runs the job on stdin and reports to the descriptor `channel`."""
    send = _sender(channel)

    def tell(text: str) -> None:
        send(messages.Progress(text))

    job = messages.decode_job(_read_job())
    worked = confine(job.limits, Path(job.folder), job.readable, job.parent)
    send(messages.Confined(missing_of(worked)))
    try:
        adapter: Any = importlib.import_module(ADAPTERS[job.adapter])
        answer = adapter.run(job.request, Path(job.folder), tell)
        send(messages.Done(msgspec.Raw(messages.encode(answer))))
    except PilotageError as error:
        send(messages.Failed(error.what, error.where, error.expected, error.fix))
    except ModuleNotFoundError as error:
        send(messages.Failed(f"the package {error.name} is not installed", fix=INSTALL))
    except MemoryError:
        limit = job.limits.address_bytes
        send(messages.Failed(f"the model's code needs more than the {limit} bytes it may use"))
    except Exception as error:
        send(messages.Failed(_one_line(error)))


def _sender(channel: int) -> Callable[[messages.Event], None]:
    def send(event: messages.Event) -> None:
        data = memoryview(frame(messages.encode(event)))
        while data:
            data = data[os.write(channel, data) :]

    return send


def _read_job() -> bytes:
    length = int.from_bytes(sys.stdin.buffer.read(LENGTH_BYTES), "big")
    return sys.stdin.buffer.read(length)


def _one_line(error: BaseException) -> str:
    """The error as a person reads it, without this machine's paths or a traceback."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:1500]


if __name__ == "__main__":
    main(int(sys.argv[1]))

"""One process decides on a rollout: whoever holds its lock, which the kernel frees when it dies.

Two servers of one home folder, started by the same command, would else take turns: each would learn
only after a restart of its decider that the other has rolled back.
"""

import fcntl
import os
import time
from pathlib import Path
from typing import Final

from pilotage.errors import PilotageError

PATIENCE_S: Final = 8.0
"""How long a decider is waited for whose server was just killed: it closes in 5 s at most."""
PAUSE_S: Final = 0.1


def claim(home: Path, rollout: str) -> int:
    """Takes the rollout for this process; held until the descriptor is closed.

    Raises:
        PilotageError: another process has it.
        OSError: the lock cannot be made.
    """
    folder = home / "rollouts"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{rollout}.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise PilotageError(
            "another `pilotage serve` decides on this rollout",
            where=str(path),
            expected="one server for each rollout",
            fix="Stop the other one, give this one another --data, or begin a rollout of its own "
            "with --anew.",
        ) from error
    return descriptor


def check_unclaimed(home: Path, rollout: str, *, patience_s: float = PATIENCE_S) -> None:
    """Nothing, once nobody has the rollout; waits for at most `patience_s`.

    Raises:
        PilotageError: another process still has it, or the lock cannot be made.
    """
    until_s = time.monotonic() + patience_s
    while True:
        try:
            os.close(claim(home, rollout))
            return
        except OSError as error:
            raise PilotageError(
                f"the rollout's lock cannot be made: {error.strerror}", where=str(home)
            ) from error
        except PilotageError:
            if time.monotonic() >= until_s:
                raise
            time.sleep(PAUSE_S)

"""A hang-up that comes while the models are opened is a reload that is asked for early, and no end.

The kernel keeps it until the supervisor can take it.
"""

import signal


def hold_hangups() -> None:
    """From now on SIGHUP waits. To be called before anything is read that it may be about."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})


def take_hangups() -> None:
    """What waited comes now, and what comes later comes at once."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})

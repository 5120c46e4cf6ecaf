"""`pilotage serve`: read the settings, open the models, run the data plane."""

import os
import sys
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from pilotage.cli.disk import LocalDisk
from pilotage.cli.failures import guarded
from pilotage.cli.logs import Log, form_of
from pilotage.errors import PilotageError
from pilotage.serving.processes.hangups import hold_hangups
from pilotage.spec.settings import ServeSettings

if TYPE_CHECKING:
    from pilotage.cli.deciding import Rollout
    from pilotage.cli.serve_screen import Screen
    from pilotage.contracts.snapshot import Snapshot

CONTROL_HOST: Final = "127.0.0.1"
"""The page of a rollout is for this machine alone."""


def run(words: Sequence[str]) -> int:
    """The command with its words; returns the exit code and raises nothing a person can mend."""
    asked = words[: words.index("--")] if "--" in words else words
    if "--help" in asked or "-h" in asked:
        from pilotage.cli.serve_help import help_text  # the table in words is for readers alone

        sys.stdout.write(help_text())
        return 0
    return guarded(lambda: _serve(words), as_json=wants_json(words))


def wants_json(words: Sequence[str]) -> bool:
    """Whether errors are to be JSON, known before the settings are read."""
    if "--log-format=json" in words or ("--log-format", "json") in pairwise(words):
        return True
    chosen = any(word.partition("=")[0] == "--log-format" for word in words)
    return not chosen and os.environ.get("PILOTAGE_LOG_FORMAT", "").lower() == "json"


def read_settings(words: Sequence[str]) -> ServeSettings:
    """The settings from the words, the environment and the files, as they are now."""
    from pilotage.spec.loading import load_serve_settings

    return load_serve_settings(words, os.environ, LocalDisk(), platform=sys.platform)


def _serve(words: Sequence[str]) -> int:
    hold_hangups()
    settings = read_settings(words)
    refuse_taken_port(settings.host, settings.port)
    if settings.candidate is not None:
        refuse_taken_port(CONTROL_HOST, settings.control_port, flag="--control-port")

    # The engine and all that needs it are loaded once the settings are known to be right.
    from pilotage.cli import composition, running
    from pilotage.cli.serve_screen import Screen

    log = Log(form_of(settings.log_format, on_terminal=sys.stderr.isatty()), sys.stderr, time.time)
    screen = Screen(log)
    for hint in settings.hints:
        screen.hint(hint)
    if settings.tls is not None:
        composition.tls_context(settings.tls)
    composition.prepare_imports()
    first = composition.compose(
        settings,
        1,
        opened=screen.opened,
        candidate_opened=screen.candidate_opened,
        progress=screen.progress,
        hint=screen.hint,
    )
    screen.rollout(settings, page=_page(settings))
    rollout = _begin(settings, first, screen)
    if rollout is not None:
        first = rollout.snapshot
    return running.serve(
        settings,
        first,
        reread=lambda: read_settings(words),
        changed=_watch(settings, words) if settings.reload else None,
        on_ready=lambda addresses: screen.serving(settings, addresses),
        log=log,
        run_decider=rollout.decider(settings, CONTROL_HOST, log) if rollout else None,
        direction=rollout.direction if rollout else None,
    )


def _begin(settings: ServeSettings, first: "Snapshot", screen: "Screen") -> "Rollout | None":
    """The rollout that is asked for, begun or resumed; None where none is."""
    from pilotage.cli import composition

    candidate = composition.candidate_version(settings, first)
    if candidate is None:
        return None
    from pilotage.cli import deciding  # SQLite and statistics are loaded for a rollout alone

    rollout = deciding.begin(settings, first, candidate, now_s=time.time())
    if rollout.resumed:
        screen.hint(rollout.standing())
    return rollout


def _page(settings: ServeSettings) -> str:
    """Where the rollout is shown; "" while the port is not chosen yet."""
    return f"http://{CONTROL_HOST}:{settings.control_port}" if settings.control_port else ""


def _watch(settings: ServeSettings, words: Sequence[str]) -> Callable[[], bool]:
    from pilotage.cli.watching import watch_settings

    return watch_settings(settings, lambda: read_settings(words)).changed


def refuse_taken_port(host: str, port: int, *, flag: str = "--port") -> None:
    """Told before models are opened, which may take a minute. `flag` chooses the port.

    Raises:
        PilotageError: something listens there; it names what, and the next free port.
    """
    from pilotage.cli import ports

    if port == 0 or ports.is_free(host, port):
        return
    listener = ports.who_listens(port)
    by = f" by {listener.name} (pid {listener.pid})" if listener else ""
    free = ports.next_free_port(host, port)
    raise PilotageError(
        f"port {port} is taken{by}",
        where=flag,
        expected="a free port",
        fix=f"Try {flag} {free}." if free else f"Choose another with {flag}.",
    )

"""`pilotage rollout`: see how a candidate is doing, and steer it, while it is on trial."""

import getpass
import os
import shlex
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer

from pilotage.cli.failures import errors_as_json, errors_as_text
from pilotage.cli.live_screen import LiveScreen, columns_of, is_drawable, print_lines
from pilotage.cli.rollout_screen import next_lines, status_lines
from pilotage.control.rollouts.steering import Order, Verb
from pilotage.control.rollouts.steering_socket import NoDecider, ask, socket_path, sockets_in
from pilotage.control.rollouts.table import ALLOWED, UNDER_WAY
from pilotage.control.rollouts.table import Verb as Steer
from pilotage.control.rollouts.view import RolloutView
from pilotage.errors import PilotageError
from pilotage.spec.folders import data_folder
from pilotage.spec.words import printable

EXIT_NO: Final = 1
WATCH_S: Final = 0.5
"""Between two looks of `status --watch`."""
GONE_S: Final = 15.0
"""How long `status --watch` waits for a decider that is started again."""

app = typer.Typer(
    name="rollout",
    help="See how a candidate is doing, and steer it, while `pilotage serve --candidate` runs.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)


def folder_of(given: Path | None) -> Path:
    """The folder that was named, else that of `serve` with the same environment."""
    named = os.environ.get("PILOTAGE_DATA", "")
    return given or Path(named or data_folder(os.environ, sys.platform))


def endpoints(ctx: typer.Context, incomplete: str) -> list[str]:
    """Endpoints with a rollout, for the shell's completion."""
    names = _live(folder_of(ctx.params.get("data")))
    return [name for name in names if name.startswith(incomplete)]


Endpoint = Annotated[
    str | None,
    typer.Argument(
        metavar="ENDPOINT",
        help="Whose rollout; may be left out where there is only one.",
        autocompletion=endpoints,
    ),
]
Data = Annotated[
    Path | None,
    typer.Option("--data", metavar="FOLDER", help="The --data of `pilotage serve`."),
]
Json = Annotated[bool, typer.Option("--json", help="The rollout as one JSON object.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for a confirmation.")]


@app.command()
def status(
    endpoint: Endpoint = None,
    data: Data = None,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Show what comes, until the rollout is over.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show stages, guards and what to type next.

    With --watch the exit code is 0 when the candidate went live, 1 when it did not. Without a
    terminal --watch prints one line for each thing that happens; with --json, one object for each
    change.

    Examples:

        pilotage rollout status

        pilotage rollout status --watch --json | jq .sentence
    """
    path = _socket_of(endpoint, data)
    if watch:
        view = _watch(path, as_json=as_json)
        raise typer.Exit(0 if view.phase == "live" else EXIT_NO)
    view = _ask(path, "status", as_json=as_json)
    if as_json:
        _print_json(view, indent=2)
        return
    zone = datetime.now().astimezone().tzinfo
    print_lines(status_lines(view, width=columns_of(sys.stdout), zone=zone), sys.stdout)
    _hint(view, endpoint, data)


@app.command()
def pause(endpoint: Endpoint = None, data: Data = None, as_json: Json = False) -> None:
    """Let the rollout wait.

    Traffic stays as it is, and harm still rolls the candidate back.

    Examples:

        pilotage rollout pause

        pilotage rollout pause jobs --data /var/lib/pilotage
    """
    _steer("pause", endpoint, data, as_json=as_json)


@app.command()
def resume(endpoint: Endpoint = None, data: Data = None, as_json: Json = False) -> None:
    """Let a paused rollout go on where it was.

    Examples:

        pilotage rollout resume

        pilotage rollout resume jobs --json
    """
    _steer("resume", endpoint, data, as_json=as_json)


@app.command()
def promote(
    endpoint: Endpoint = None, data: Data = None, yes: Yes = False, as_json: Json = False
) -> None:
    """Give the candidate all traffic now.

    Whatever its guards have shown. Asks on a terminal; without one it needs --yes.

    Examples:

        pilotage rollout promote

        pilotage rollout promote jobs --yes
    """
    _steer("promote", endpoint, data, yes=yes, as_json=as_json)


@app.command()
def abort(
    endpoint: Endpoint = None, data: Data = None, yes: Yes = False, as_json: Json = False
) -> None:
    """End the rollout without a judgement.

    The baseline answers everything. Asks on a terminal; without one it is done at once, since the
    baseline is the safe side.

    Examples:

        pilotage rollout abort

        pilotage rollout abort jobs --yes
    """
    _steer("abort", endpoint, data, yes=yes, as_json=as_json)


@app.command()
def rollback(
    endpoint: Endpoint = None, data: Data = None, yes: Yes = False, as_json: Json = False
) -> None:
    """Take the candidate out, live or not.

    The baseline answers everything. Asks on a terminal; without one it is done at once, since the
    baseline is the safe side.

    Examples:

        pilotage rollout rollback

        pilotage rollout rollback jobs --yes --json
    """
    _steer("rollback", endpoint, data, yes=yes, as_json=as_json)


# --- asking the decider ------------------------------------------------------------------------


def _socket_of(endpoint: str | None, data: Path | None) -> Path:
    folder = folder_of(data)
    if endpoint is not None:
        path = socket_path(folder, endpoint)
        live = _live(folder)
        if endpoint not in live:
            raise _nobody(folder, f"of {printable(endpoint)}", live)
        return path
    found = sockets_in(folder)
    if len(found) == 1:
        return found[0]
    if not found:
        raise _nobody(folder, "", [])
    raise PilotageError(
        f"{len(found)} rollouts are being decided",
        where=str(folder),
        expected=f"one of {', '.join(map(printable, _live(folder)))}",
        fix="Name its endpoint: pilotage rollout status ENDPOINT.",
    )


def _nobody(folder: Path, whose: str, live: list[str]) -> NoDecider:
    return NoDecider(
        f"no rollout {whose}".rstrip() + " is being decided",
        where=str(folder),
        expected=f"one of {', '.join(map(printable, live))}" if live else "",
        fix=(
            "Is `pilotage serve … --candidate …` running with this --data? "
            "If it is, its decider is just being started again: ask once more. "
            "What was decided before: `pilotage ledger show`."
        ),
    )


def _live(folder: Path) -> list[str]:
    """The endpoints whose rollouts are being decided."""
    names: list[str] = []
    for path in sockets_in(folder):
        try:
            view = ask(path, Order("status")).view
        except PilotageError:
            continue
        names += [view.endpoint] if view is not None else []
    return sorted(names)


def _ask(path: Path, verb: Verb, *, as_json: bool) -> RolloutView:
    """The rollout after the order; exit code 1 where the decider refuses it."""
    reply = ask(path, Order(verb, by=_user()))
    if reply.view is None or reply.error:
        refusal = PilotageError(reply.error or "the decider shows nothing", fix=reply.fix)
        sys.stderr.write((errors_as_json if as_json else errors_as_text)(refusal) + "\n")
        raise typer.Exit(EXIT_NO)
    return reply.view


def _user() -> str:
    """Who asks, for the ledger: "ada (uid 1000)"."""
    try:
        return f"{getpass.getuser()} (uid {os.getuid()})"
    except (KeyError, OSError):  # the id has no name
        return f"uid {os.getuid()}"


def _steer(
    verb: Steer, endpoint: str | None, data: Path | None, *, yes: bool = True, as_json: bool
) -> None:
    path = _socket_of(endpoint, data)
    if not yes:
        now = _ask(path, "status", as_json=as_json)
        if now.phase in ALLOWED[verb]:  # else the decider says why not
            _confirm(verb, now)
    view = _ask(path, verb, as_json=as_json)
    if as_json:
        _print_json(view, indent=2)
        return
    sys.stdout.write(printable(view.sentence) + "\n")
    sys.stdout.flush()
    _hint(view, endpoint, data)


def _confirm(verb: Verb, view: RolloutView) -> None:
    """Asks; without a terminal only what gives the candidate more traffic must be confirmed."""
    candidate, baseline = printable(view.candidate_name), printable(view.baseline_name)
    if not _has_terminal():
        if verb != "promote":
            return
        raise PilotageError(
            "promoting has to be confirmed, and there is no terminal",
            where="pilotage rollout promote",
            fix="Add --yes.",
        )
    asked = {
        "promote": f"Give {candidate} all traffic, whatever its guards have shown?",
        "abort": f"End the rollout and let {baseline} answer everything?",
        "rollback": f"Take {candidate} out and let {baseline} answer everything?",
    }[verb]
    sys.stderr.write(printable(view.sentence) + "\n")
    if not typer.confirm(asked, err=True):
        sys.stderr.write("Nothing was changed.\n")
        raise typer.Exit(EXIT_NO)


def _has_terminal() -> bool:
    return sys.stdin.isatty()


def _watch(path: Path, *, as_json: bool) -> RolloutView:
    """Shows each view until the rollout is over; a decider that is started again is waited for."""
    terminal = not as_json and is_drawable(sys.stdout, os.environ)
    screen = LiveScreen(sys.stdout, terminal=terminal, page="")
    seen, last_s = b"", time.monotonic()
    try:
        while True:
            try:
                view = _ask(path, "status", as_json=as_json)
            except NoDecider:
                if time.monotonic() - last_s > GONE_S:
                    raise
                time.sleep(WATCH_S)
                continue
            last_s = time.monotonic()
            content = msgspec.json.encode(msgspec.structs.replace(view, updated_at=0.0))
            if not as_json:
                screen.show(view)
            elif content != seen:
                _print_json(view)
            seen = content
            if view.phase not in UNDER_WAY:
                return view
            time.sleep(WATCH_S)
    finally:
        screen.close()


# --- telling -----------------------------------------------------------------------------------


def _print_json(view: RolloutView, *, indent: int = -1) -> None:
    body = msgspec.json.format(msgspec.json.encode(view), indent=indent)
    sys.stdout.write(body.decode() + "\n")
    sys.stdout.flush()


def _hint(view: RolloutView, endpoint: str | None, data: Path | None) -> None:
    options = f"--data {shlex.quote(str(data))}" if data is not None else ""
    named = shlex.quote(endpoint) if endpoint else ""
    print_lines([(), *next_lines(view, endpoint=named, options=options)], sys.stderr)

"""The second half of the demo: a good candidate earns its traffic, a bad one is rolled back.

Real people (US census, Massachusetts), models trained here and now, a real server, and users who
come while it decides. Who doubts a decision computes it again from the records.
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text
from served import PILOTAGE, free_port, served, wait_for_interrupt

from pilotage.control.ledger.file import Ledger
from pilotage.control.rollouts.steering import Order
from pilotage.control.rollouts.steering_socket import NoDecider, ask, socket_path
from pilotage.control.rollouts.view import RolloutView

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from traffic import Outcomes, Plan, Report, saved, traffic

USERS_PER_S = 900.0
OVER = frozenset({"live", "rolled_back", "aborted", "held"})
ENDS_S = 75.0
SHOWN_AFTER_S = 1.5
"""How long traffic goes on after a decision, so that it shows who answers now."""
SEALED_S = 6.0
"""How long the records of a verdict may take to be sealed before it is told without."""
ASKS_EVERY_S = 0.1
PAGE_PORT = 8090
WIDTH = 110
"""Of what is told where there is no terminal, in characters."""
FASTER = ["--block", "1s", "--exposure", "4s", "--exposure-units", "300"]
"""What takes half a day with the defaults, in seconds; nothing else is different."""
GUARDS = ["error_rate not_worse_by 1pp", "accuracy not_worse_by 4pp"]
SHADOWED = "disagreement at_most 8%"
OUTCOMES = {"after_s": 0.5, "late": 0.05, "twice": 0.02, "corrected": 0.02}


@dataclass(frozen=True)
class Chapter:
    """One rollout: which file is live, which is on trial, what is asked, what should come out."""

    title: str
    tale: str
    live: str
    candidate: str
    wishes: Sequence[str]
    ends: str


CHAPTERS = (
    Chapter(
        "A good candidate earns its traffic",
        "v2 learned from other people than v1, and is as good. Nobody tells the server so.",
        "v1.onnx",
        "v2.onnx",
        ["--shadow", "4s", "--canary", "10%,50%", "--guard", SHADOWED],
        "live",
    ),
    Chapter(
        "A bad one is out before most users meet it",
        "v3 has a fault: for 2 in 100 people it answers NaN, which is no answer.",
        "v2.onnx",
        "v3.onnx",
        ["--canary", "5%,25%"],
        "rolled_back",
    ),
)


class Story:
    """Tells the chapters into one folder, which is the home of both rollouts."""

    def __init__(self, console: Console, folder: Path) -> None:
        import rollout_models  # needs the tables

        self._console = console
        self._folder = folder
        self._environment = {"PILOTAGE_DATA": str(folder / "home")}
        self._ledger = Ledger(folder / "home" / "ledger.jsonl")
        with console.status("Training three models on 30,000 people each …"):
            people, labels = rollout_models.people()
            files = (rollout_models.baseline, rollout_models.equal, rollout_models.failing)
            for number, make in enumerate(files, 1):
                (folder / f"v{number}.onnx").write_bytes(make())
        self._rows = saved(people, folder / "rows.npy")
        self._labels = saved(labels, folder / "labels.npy")

    def tell(self, chapter: Chapter, seed: int, *, last: bool) -> bool:
        """One chapter; whether it ended as it should. After the last one the proof is shown."""
        self._console.print()
        self._console.rule(f"[bold]{chapter.title}", align="left")
        self._console.print(f"{chapter.tale}\n")
        port, page = free_port(), free_port(PAGE_PORT)
        folder = self._folder
        words = [f"census={folder / chapter.live}", "--candidate", str(folder / chapter.candidate)]
        words += [*chapter.wishes, *(w for guard in GUARDS for w in ("--guard", guard)), *FASTER]
        self._say("serve", *(word.replace(f"{folder}/", "") for word in words))
        words += ["--record", str(folder / "records"), "--control-port", str(page)]
        words += ["--log-format", "text"]
        outcomes = Outcomes(labels=self._labels, **OUTCOMES)
        plan = Plan(
            port=port,
            rows=self._rows,
            per_s=USERS_PER_S,
            seed=seed,
            trouble=((0.0, 0.003),),
            retries=1,
            outcomes=outcomes,
        )
        with served(words, port, self._environment), traffic(plan) as load:
            view = self._watch()
            time.sleep(SHOWN_AFTER_S)
            self._wait_for_seal()
        # Only now, since the server draws the rollout on the terminal until it ends.
        self._show(view, load.report)
        right = view.phase == chapter.ends and (not last or self._prove())
        if last and sys.stdout.isatty():
            self._stay(words, port, page)
        return right

    def _stay(self, words: Sequence[str], port: int, page: int) -> None:
        """The same command again goes on where the rollout ended, and shows its page."""
        with served([*words, "--no-live"], port, self._environment, quiet=True) as server:
            self._console.print(
                "\nThe same command goes on where it ended. Look at its page: "
                f"[link]http://127.0.0.1:{page}/[/link]. Ctrl-C ends it."
            )
            wait_for_interrupt(server)

    def _watch(self) -> RolloutView:
        """The rollout as it is when it is over, or when nobody would wait any longer."""
        path = socket_path(self._folder / "home", "census")
        ends = time.monotonic() + ENDS_S
        while True:
            time.sleep(ASKS_EVERY_S)
            try:
                view = ask(path, Order("status")).view
            except NoDecider:
                continue
            if view is not None and (view.phase in OVER or time.monotonic() > ends):
                return view

    def _wait_for_seal(self) -> None:
        """Until the records of the last verdict are sealed, so that their digest is known."""
        ends = time.monotonic() + SEALED_S
        while time.monotonic() < ends:
            entries = [line.entry for line in self._ledger.read()]
            sealed = {each.what["verdict"] for each in entries if each.kind == "sealed"}
            if all(each.key in sealed for each in entries if each.kind == "verdict"):
                return
            time.sleep(ASKS_EVERY_S)

    def _show(self, view: RolloutView, report: Report) -> None:
        """What came out, for each guard, and how many requests the candidate got."""
        good = view.phase == "live"
        self._console.print()
        self._console.print(Text(f"{'✓' if good else '✗'} {view.sentence}", "bold"))
        table = Table(box=None, pad_edge=False, header_style="dim")
        for name in ("guard", "baseline", "candidate", "harm, 95 %", "seen", "verdict"):
            table.add_column(name, justify="left" if name in ("guard", "verdict") else "right")
        for guard in view.guards:
            table.add_row(
                guard.name,
                _percent(guard.baseline),
                _percent(guard.candidate),
                _interval(guard.low, guard.high),
                f"{guard.candidate_count:,} {guard.unit}s",
                guard.word,
            )
        self._console.print(table)
        got, all_answers = report.answered.get(view.candidate, 0), report.answers
        tail = ""
        if not good and view.happened:
            late_s = report.last_sent.get(view.candidate, 0.0) - view.happened[-1].at
            when = f"{late_s:.2f} s after" if late_s > 0 else "before"
            tail = f", the last of them sent {when} the decision"
        self._console.print(
            f"{view.elapsed_s:.0f} s; the candidate answered {got:,} of {all_answers:,} "
            f"requests{tail}; no connection broke."
            if not report.broken
            else f"{report.broken} requests lost their connection."
        )

    def _prove(self) -> bool:
        """The last verdict is computed again from the records alone; the ledger's chain holds."""
        self._console.print()
        self._console.rule("[bold]Who doubts, computes it again", align="left")
        verdicts = [line for line in self._ledger.read() if line.entry.kind == "verdict"]
        done = [self._run("verdict", "recompute", verdicts[-1].id)] if verdicts else [False]
        return all([*done, self._run("ledger", "verify")])

    def _say(self, *words: str) -> None:
        shown = " ".join(f'"{word}"' if " " in word else word for word in words)
        self._console.print(Text(f"$ pilotage {shown}", "cyan"), soft_wrap=True)

    def _run(self, *words: str) -> bool:
        self._say(*words)
        environment = {**os.environ, **self._environment}
        return not subprocess.run([*PILOTAGE, *words], env=environment, check=False).returncode


def tell(folder: Path) -> bool:
    """The whole story, in a folder of its own; whether all came out as it should.

    Where the census tables are not installed it says so, and that is no failure.
    """
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
    if find_spec("nannyml") is None:
        console.print(
            "\nThe census tables are not installed (make extras), so no rollout is shown."
        )
        return True
    story = Story(console, folder)
    right = [
        story.tell(chapter, number, last=number == len(CHAPTERS))
        for number, chapter in enumerate(CHAPTERS, 1)
    ]
    return all(right)


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f} %"


def _interval(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return ""
    return f"{100 * low:+.1f} to {100 * high:+.1f} points"

"""Project: catch the bad release. The learner runs two rollouts; we ask what they left behind.

The models of both rollouts are known by their digests, so that a file with another name is not
taken for them. Nothing is asked of a server that runs: ledger and records say it all.
"""

import json
from collections.abc import Callable
from typing import Final, Literal

from pilotage.learn.people import model, own_people
from pilotage.learn.practice.releases import (
    HOME,
    LEDGER,
    RECORDS,
    Release,
    digest_of,
    home_of,
    recorded_of,
    releases_in,
)
from pilotage.learn.practice.texting import file_of, text_of
from pilotage.learn.projects import Bench, CannotSee, Check, DoesNotHold, Finding, Holds, Project

NAME: Final = "catch-the-bad-release"
LIVE: Final = "every_column"
Kind = Literal["good", "bad"]
CANDIDATES: Final[dict[str, tuple[Kind, str]]] = {
    "alder.onnx": ("good", "fair"),
    "juniper.onnx": ("bad", "breaking"),
}
ASKED: Final[dict[Kind, int]] = {"good": 300, "bad": 30}
"""Predictions of each arm, at least, that a rollout stands on. What fails is out after few."""
DECIDING: Final = frozenset({"promote", "rollback", "abort"})
"""What a person asks for in place of waiting for the guards."""
SERVE: Final = (
    "pilotage serve live.onnx --candidate juniper.onnx --data home --canary 50% "
    '--guard "error_rate not_worse_by 2pp" --exposure 20s --exposure-units 300 --block 1s'
)


def ledger_is_whole(bench: Bench) -> Finding:
    """Whether there is a ledger, and no line of it was changed."""
    ledger = home_of(bench) / LEDGER
    if not ledger.is_file() or not ledger.stat().st_size:
        return CannotSee(
            f"There is no ledger in {home_of(bench)}: no rollout began there.",
            "Serve with --candidate and --data home, in the folder of the project: see TASK.md.",
        )
    ran = bench.run("ledger", "verify", "--data", str(home_of(bench)), "--json")
    try:
        found = json.loads(ran.out)
    except ValueError:
        return CannotSee(f"{ledger} cannot be read.", f"pilotage ledger verify --data {HOME}")
    if not found["whole"]:
        return DoesNotHold(
            f"The chain of the ledger is broken in {len(found['faults'])} places: a line was "
            "changed, removed, added or moved after it was written.",
            f"See where: pilotage ledger verify --data {HOME}. What is broken cannot be mended: "
            "move the folder away, and run both rollouts again.",
        )
    return Holds("Every line of the ledger stands as it was written.")


def both_were_decided(bench: Bench) -> Finding:
    """Whether both candidates had their rollout, and no person ended it."""
    said: list[str] = []
    for name, release in _latest(bench).items():
        if release is None:
            return DoesNotHold(
                f"{name} has not been on trial beside live.onnx.",
                f"Each has a rollout of its own: stop the server, and serve with --candidate "
                f"{name} and the same --data {HOME}.",
            )
        by = [each.verb for each in release.steered if each.verb in DECIDING]
        if by:
            return DoesNotHold(
                f"The rollout of {name} was ended by an order, `pilotage rollout {by[0]}`, and "
                "not by evidence.",
                "Let the guards decide. Begin it again: the same command with --anew, and traffic.",
            )
        if release.ended is None or release.ended.phase not in ("live", "rolled_back"):
            return DoesNotHold(
                f"The rollout of {name} is not decided. It has {_seen(bench, release)}.",
                "Without traffic there is no evidence: let traffic.py run, and watch it with "
                f"pilotage rollout status --watch --data {HOME}",
            )
        said.append(f"{name}: {release.ended.because}")
    return Holds(f"{'. '.join(said)}.")


def bad_one_is_out(bench: Bench) -> Finding:
    """Whether guards took the bad candidate out."""
    name, release = _one(bench, "bad")
    ended, verdict = release.ended, release.verdict
    if ended is None or ended.phase != "rolled_back":
        return DoesNotHold(
            f"{name} is live, and gives 6 of 100 people no answer at all: those who live in halls "
            f"and homes. It went live because {ended.because if ended else 'nobody asked'}.",
            "Which guard counts requests without an answer? And --promote-on exposure lets in "
            "whatever has not failed yet.",
        )
    if verdict is None or verdict.word != "failed" or ended.verdict != release.verdict_key:
        return DoesNotHold(
            f"{name} was rolled back, but no guard failed: {ended.because}.",
            "It has to be out because of what it did. Leave --then as it is, and be patient.",
        )
    return Holds(f"{name} is out: {verdict.harm}.")


def good_one_is_live(bench: Bench) -> Finding:
    """Whether the good candidate is live because every guard passed."""
    name, release = _one(bench, "good")
    ended, verdict = release.ended, release.verdict
    if ended is None or ended.phase != "live":
        return DoesNotHold(
            f"{name} is as good as live.onnx and did not go live: "
            f"{ended.because if ended else 'it is not decided'}.",
            "What did the guard ask for that the task does not? Begin it again with --anew.",
        )
    if release.started.asked.promote_on != "guards" or verdict is None or verdict.word != "passed":
        return DoesNotHold(
            f"{name} is live, but not because it was shown to do no harm: {ended.because}.",
            "A guard that has not failed has not passed yet. Leave --promote-on as it is, and "
            "begin again.",
        )
    return Holds(f"{name} is live: {ended.because}.")


def numbers_are_the_same(bench: Bench) -> Finding:
    """Whether both verdicts come out of the records again."""
    home = home_of(bench)
    for name in CANDIDATES:
        release = _of(bench, name)
        words = ("verdict", "recompute", release.verdict_key, "--data", str(home))
        ran = bench.run(*words, "--record", str(home / RECORDS), "--json")
        told = json.loads(ran.out)["result"] if ran.code in (0, 1) and ran.out else "missing"
        if told != "same":
            return DoesNotHold(
                f"The verdict on {name} does not follow from the records of {home}: {told}.",
                f"pilotage verdict recompute {release.verdict_key} --data {HOME}",
            )
    return Holds("Both verdicts come out of the records again, with every number.")


def people_were_asked(bench: Bench) -> Finding:
    """Whether both arms of both rollouts really answered."""
    numbers: dict[str, str] = {}
    for name, (kind, _) in CANDIDATES.items():
        by_arm = recorded_of(home_of(bench), _of(bench, name)).by_arm
        least = min(by_arm["baseline"], by_arm["candidate"])
        numbers[f"live.onnx beside {name}"] = f"{by_arm['baseline']:,}"
        numbers[name] = f"{by_arm['candidate']:,}"
        if least < ASKED[kind]:
            return DoesNotHold(
                f"{least:,} predictions are recorded of an arm of {name}'s rollout; it takes "
                f"{ASKED[kind]:,} of each.",
                "Send more traffic, or raise --exposure-units, and begin again with --anew.",
                numbers,
            )
    said = ", ".join(f"{name} {count}" for name, count in numbers.items())
    return Holds(f"Predictions on record: {said}.", numbers)


def it_came_back(bench: Bench) -> Finding:
    """Whether a rollout went on after the server was ended in the middle of it."""
    for name in CANDIDATES:
        release = _of(bench, name)
        boots = len(recorded_of(home_of(bench), release).boots)
        if boots > 1 and release.begun == 1:
            return Holds(
                f"The server was started {boots} times under the rollout of {name}, which began "
                "once and was decided by the records of them all."
            )
    return DoesNotHold(
        "Each rollout was decided by one run of the server: none was ended in the middle.",
        "Begin one again with --anew, kill the server while the rollout runs, and start the same "
        "command again, without --anew.",
    )


def _latest(bench: Bench) -> dict[str, Release | None]:
    """For each candidate its latest rollout beside live.onnx."""
    found = releases_in(home_of(bench))
    live = digest_of(LIVE)
    latest: dict[str, Release | None] = {}
    for name, (_, made) in CANDIDATES.items():
        wanted = digest_of(made)
        mine = [
            each
            for each in found
            if each.started.candidate.digest == wanted and each.started.baseline.digest == live
        ]
        latest[name] = mine[-1] if mine else None
    return latest


def _of(bench: Bench, name: str) -> Release:
    """The latest rollout of a candidate that had one."""
    release = _latest(bench)[name]
    if release is None:
        raise ValueError("asked only when both were on trial")
    return release


def _one(bench: Bench, kind: Kind) -> tuple[str, Release]:
    name = next(name for name, (its, _) in CANDIDATES.items() if its == kind)
    return name, _of(bench, name)


def _seen(bench: Bench, release: Release) -> str:
    answered = recorded_of(home_of(bench), release).by_arm.total()
    return f"{answered:,} predictions on record" if answered else "no prediction on record"


def _check(
    name: str,
    question: str,
    look: Callable[[Bench], Finding],
    hint: str,
    stronger: str,
    *needs: str,
) -> Check:
    return Check(name, question, look, hint, stronger, needs)


PROJECT: Final = Project(
    name=NAME,
    title="Catch the bad release",
    minutes=20,
    task=text_of(NAME, "TASK.md"),
    first=(SERVE, "python traffic.py"),
    files={
        "TASK.md": file_of(NAME, "TASK.md"),
        "traffic.py": file_of(NAME, "traffic.py.txt"),
        "people.csv": own_people,
        "live.onnx": model(LIVE),
        **{name: model(made) for name, (_, made) in CANDIDATES.items()},
    },
    checks=(
        _check(
            "ledger-whole",
            "Is there a ledger, as it was written?",
            ledger_is_whole,
            f"Every rollout writes into {HOME}/{LEDGER}. Serve in this folder, with --data {HOME}.",
            "Type the two commands of TASK.md, “Begin”, in two terminals, in this folder.",
        ),
        _check(
            "both-decided",
            "Did evidence end the rollouts of both candidates?",
            both_were_decided,
            "A rollout per candidate, one after the other, with traffic until it says live or "
            f"rolled back: pilotage rollout status --watch --data {HOME}",
            "Serve with --candidate juniper.onnx and let traffic.py run; then the same with "
            "--candidate alder.onnx. Give no order in between.",
            "ledger-whole",
        ),
        _check(
            "bad-one-out",
            "Is the bad one out, because a guard failed?",
            bad_one_is_out,
            "Being right less often is one way to do harm. Another is to give no answer.",
            'The guard of TASK.md sees it: --guard "error_rate not_worse_by 2pp"',
            "both-decided",
        ),
        _check(
            "good-one-live",
            "Is the good one live, because every guard passed?",
            good_one_is_live,
            "See what stopped it, or how it came in: pilotage verdict list --data " + HOME,
            "With the guard of TASK.md and no --promote-on it goes live by itself in a minute.",
            "both-decided",
        ),
        _check(
            "same-numbers",
            "Do the records say what the verdicts say?",
            numbers_are_the_same,
            f"The records of both rollouts lie in {HOME}/{RECORDS}; were some removed or moved?",
            "Move the home folder away, and run both rollouts again without touching it.",
            "bad-one-out",
            "good-one-live",
        ),
        _check(
            "people-asked",
            "Did both arms answer enough people?",
            people_were_asked,
            "Traffic has to run until the rollout is over; --exposure-units asks for more of it.",
            "--exposure-units 300, --canary 50%, and the traffic.py of this folder.",
            "same-numbers",
        ),
        _check(
            "came-back",
            "Did a rollout survive the end of its server?",
            it_came_back,
            "Kill it after some seconds of traffic, before it is decided: "
            "pkill -9 -f 'pilotage serve live.onnx'",
            "The rollout of the good one lasts as long as its --exposure: kill the server in the "
            "middle of that, and type the same command again.",
            "same-numbers",
        ),
    ),
)

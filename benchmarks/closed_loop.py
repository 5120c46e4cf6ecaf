"""Closed loops: a fixed number of connections, each with one request under way at a time.

Rounds are interleaved (A B C, A B C, ...) with a fresh process for each, and medians over rounds
count, so that a noisy minute does not decide. Raw ONNX Runtime is measured inside each round too.
"""

from collections.abc import Callable, Sequence

from benchmarks import load
from benchmarks.contenders import OURS_POLLING, Contender, suited
from benchmarks.models import TINY, WIDE, Model
from benchmarks.trials import Trial, attempt, opened, say
from benchmarks.wires import Encoding
from pilotage.errors import PilotageError

SLOW_ROUNDS = 2
WARM_S = 1
Case = tuple[Encoding, int]

TINY_CASES: tuple[Case, ...] = (("json", 64), ("json", 8), ("json", 1))
POLLING_CASES: tuple[Case, ...] = (("json", 1),)
WIDE_CASES: tuple[Case, ...] = (("binary", 64), ("json", 64))


def run(
    contenders: Sequence[Contender],
    *,
    rounds: int,
    seconds: int,
    between: Callable[[], None],
    failed: dict[str, str],
    into: list[Trial],
) -> None:
    """Adds the trials of all rounds to `into` as they come, so that an early end keeps them.

    What does not start is named in `failed` and left out after.

    `between` is called once a round before `wide`: the raw loop that it is compared with.
    """
    for turn in range(rounds):
        for model in (TINY, WIDE):
            if model is WIDE:
                between()
            for contender in contenders:
                if contender.name in failed or (contender.slow and turn >= SLOW_ROUNDS):
                    continue
                try:
                    into += _one(contender, model, seconds=seconds, turn=turn)
                except (PilotageError, OSError, ValueError, KeyError) as error:
                    failed[contender.name] = f"{model.name}: {error}"
                    say(f"{contender.name} is left out: {error}")


def _cases(contender: Contender, model: Model) -> list[Case]:
    if model is WIDE:
        wanted = WIDE_CASES if contender.name not in ("floor", OURS_POLLING.name) else ()
    else:
        wanted = POLLING_CASES if contender.name == OURS_POLLING.name else TINY_CASES
    return [case for case in wanted if case[0] in contender.wires]


def _one(contender: Contender, model: Model, *, seconds: int, turn: int) -> list[Trial]:
    trials: list[Trial] = []
    cases = _cases(contender, model)
    # Mosec decides by its worker class which body it takes, so each encoding is its own process.
    groups = [[case] for case in cases] if contender.name == "mosec" and model is WIDE else [cases]
    for group in groups:
        if not group:
            continue
        encodings: tuple[Encoding, ...] = tuple({encoding: None for encoding, _ in group})
        with opened(suited(contender, model), model, encodings) as running:
            for encoding, connections in group:
                load.run(
                    running.rotations[encoding],
                    running.server.port,
                    connections=connections,
                    seconds=WARM_S,
                )
                trials.append(
                    attempt(running, encoding, connections=connections, seconds=seconds, turn=turn)
                )
    return trials

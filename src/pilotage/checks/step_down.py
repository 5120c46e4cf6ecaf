"""Which of several failures are shown, when some of them may be chance.

Holm's procedure asked by level instead of by p-value, so that it serves intervals and tests alike:
with J questions, whatever fails at alpha/J is shown; then, among the J - 1 left, whatever fails at
alpha/(J - 1); and so on, until nothing more is shown. P(any shown | none is true) <= alpha,
if each question alone is wrong no more often than the level at which it is asked; approximate ones
are as near to alpha as they are at that level.

Passing needs no such care: all must pass, so the bad one would have to (Berger 1982).

Source: Holm (1979), Scandinavian Journal of Statistics 6.
"""

from collections.abc import Callable, Sequence

from pilotage.statistics.verdict import Failed, Verdict

Question = Callable[[float], Verdict]
"""confidence -> verdict, each of its two statements at that confidence. The higher the confidence,
the less is decided."""


def shown_to_fail(
    questions: Sequence[Question], error_rate: float, *, possible: int = 0
) -> tuple[bool, ...]:
    """Whether each is shown to fail, with `error_rate` over all of them together.

    `possible`: how many questions these were chosen from by looking at the same rows, where that
    is more than are asked.
    """
    family = max(possible, len(questions))
    shown = [False] * len(questions)
    # Who does not fail alone fails in no company: most are asked once.
    open_ = [i for i, ask in enumerate(questions) if isinstance(ask(1 - error_rate), Failed)]
    while open_:
        level = error_rate / (family - sum(shown))
        failing = [i for i in open_ if isinstance(questions[i](1 - level), Failed)]
        if not failing:
            break
        for i in failing:
            shown[i] = True
        open_ = [i for i in open_ if not shown[i]]
    return tuple(shown)

"""What all gates together say: the one word, and the sentence that a person reads first."""

from collections.abc import Sequence

from pilotage.checks.answers import Answer
from pilotage.statistics.verdict import Failed, Passed


def outcome_of(answers: Sequence[Answer]) -> str:
    """passed, failed, undecided or none; what an undecided one is worth is the user's policy."""
    if not answers:
        return "none"
    if any(isinstance(answer.verdict, Failed) for answer in answers):
        return "failed"
    if all(isinstance(answer.verdict, Passed) for answer in answers):
        return "passed"
    return "undecided"


def headline_of(name: str, answers: Sequence[Answer], outcome: str) -> str:
    """What a person should know first."""
    if outcome == "none":
        return f"{name} was measured; no gate was asked."
    total = len(answers)
    gates = "the gate" if total == 1 else f"all {total} gates"
    failed = [answer for answer in answers if isinstance(answer.verdict, Failed)]
    if failed:
        others = len(failed) - 1
        more = f" and {others} more {'gate' if others == 1 else 'gates'}" if others else ""
        return f"{name} fails: {failed[0].title}{more}."
    passed = sum(isinstance(answer.verdict, Passed) for answer in answers)
    if passed == total:
        return f"{name} passes {gates}."
    open_ = total - passed
    noun, are = "gate" if total == 1 else "gates", "is" if open_ == 1 else "are"
    return f"{name} is not shown to be good enough: {open_} of {total} {noun} {are} undecided."

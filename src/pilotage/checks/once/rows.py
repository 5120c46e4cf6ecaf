"""Some of the scored rows."""

from dataclasses import replace

from pilotage.checks.scored import Array, Grouping, Scored


def only(scored: Scored, chosen: Array) -> Scored:
    """The chosen rows. `chosen`: bool (rows,)."""
    return replace(
        scored,
        truth=scored.truth[chosen],
        answer=scored.answer[chosen],
        score=None if scored.score is None else scored.score[chosen],
        groups={
            name: Grouping(grouping.names, grouping.codes[chosen])
            for name, grouping in scored.groups.items()
        },
        weight=None if scored.weight is None else scored.weight[chosen],
        query=None if scored.query is None else scored.query[chosen],
        losses={name: losses[chosen] for name, losses in scored.losses.items()},
    )

"""Blocks of simulated observations for the sequential procedures, and ways to cut a block in two.

Each function gives a `Draw`: called with a generator and the procedure's shape, it gives the
arguments of one `update`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

Block = tuple[Any, ...]
Draw = Callable[[np.random.Generator, tuple[int, ...]], Block]


def halves(block: Block, share: float) -> tuple[Block, Block]:
    """A block of observations in two, at one place."""
    arrays = [np.asarray(each) for each in block]
    places = [int(each.shape[-1] * share) for each in arrays]
    first = tuple(each[..., :place] for each, place in zip(arrays, places, strict=True))
    return first, tuple(each[..., place:] for each, place in zip(arrays, places, strict=True))


def fewer(block: Block, share: float) -> tuple[Block, Block]:
    """A block of counts in two."""
    first = tuple((np.asarray(each) * share).astype(np.int64) for each in block)
    return first, tuple(np.asarray(all_) - some for all_, some in zip(block, first, strict=True))


def in_clusters(draw: Draw, cluster: int) -> Draw:
    """Outcomes of which so many always agree."""

    def clustered(rng: np.random.Generator, shape: tuple[int, ...]) -> Block:
        return tuple(cluster * np.asarray(each) for each in draw(rng, shape))

    return clustered


def two_arms(baseline: float, candidate: float, size: int = 1_000, share: float = 0.2) -> Draw:
    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Block:
        on_trial = int(size * share)
        bad = rng.binomial(size - on_trial, baseline, shape)
        return size - on_trial, bad, on_trial, rng.binomial(on_trial, candidate, shape)

    return draw


def differences(mean: float, size: int = 25) -> Draw:
    """Differences of bounded losses: those of noisy answers, and a few that are all wrong."""

    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Block:
        noise = rng.uniform(-0.2, 0.2, (*shape, size))
        extreme = rng.choice([-1.0, 1.0], (*shape, size))
        rare = rng.random((*shape, size)) < 0.02
        worse = rng.random((*shape, size)) < 2 * mean
        return (np.where(worse, 0.5, np.where(rare, extreme, noise)),)

    return draw


def discordant(mean: float, size: int = 100, share: float = 0.1) -> Draw:
    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Block:
        worse, better = (share + mean) / 2, (share - mean) / 2
        found = rng.multinomial(size, [worse, 1 - share, better], shape)
        return tuple(np.moveaxis(found, -1, 0))

    return draw


def probes(ratio: float, size: int = 4) -> Draw:
    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Block:
        together = rng.choice([0.01, 0.02], (*shape, size))
        candidate = together * ratio * rng.lognormal(0, 0.05, (*shape, size))
        return candidate, together * rng.lognormal(0, 0.05, (*shape, size))

    return draw


def probe_tails(more: float, size: int = 25) -> Draw:
    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Block:
        def spikes(share: float) -> Any:
            return np.where(rng.random((*shape, size)) < share, 10.0, 1.0)

        noise = rng.lognormal(0, 0.05, (2, *shape, size))
        rows = rng.integers(5, 9, (*shape, size))
        return 0.01 * noise[0] * spikes(0.01 + more), 0.01 * noise[1] * spikes(0.01), rows

    return draw


def latencies(ratio: float, size: int = 100) -> Draw:
    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Block:
        slow_block = rng.choice([1.0, 1.3])
        baseline = rng.exponential(0.1 * slow_block, (*shape, size))
        return baseline, rng.exponential(0.1 * slow_block * ratio, (*shape, size))

    return draw


def durations(beyond: float, limit_s: float = 0.3, size: int = 100) -> Draw:
    """Exponential, with this share beyond the limit."""

    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Block:
        return (rng.exponential(limit_s / -np.log(beyond), (*shape, size)),)

    return draw


def wrong_answers(rate: float, size: int = 500) -> Draw:
    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Block:
        wrong = rng.binomial(size, rate, shape)
        return wrong, size - wrong

    return draw


def losses(mean: float, size: int = 50) -> Draw:
    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Block:
        return (rng.beta(2 * mean, 2 * (1 - mean), (*shape, size)),)

    return draw


def normal(shift: float, size: int = 200) -> Draw:
    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Block:
        return (rng.normal(shift, 1.0, (*shape, size)),)

    return draw

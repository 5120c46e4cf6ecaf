"""Scored rows for tests: drawn with a seed, so that every number of a test can be found again."""

import numpy as np

from pilotage.checks.scored import Grouping, Scored


def binary(
    rows=2000, seed=0, right=0.8, *, groups=None, scores=True, probabilities=True, noise=0.0
):
    """Two classes; the answer is right with the given probability, in `groups` with its own.

    `groups`: name -> (share of the rows, probability of being right).
    """
    chance = np.random.default_rng(seed)
    truth = chance.integers(0, 2, rows).astype(np.int32)
    names = tuple(groups or {"all": (1.0, right)})
    shares, rights = zip(*(groups or {"all": (1.0, right)}).values(), strict=True)
    codes = chance.choice(len(names), rows, p=np.array(shares) / sum(shares)).astype(np.int16)
    hit = chance.random(rows) < np.array(rights)[codes]
    answer = np.where(hit, truth, 1 - truth).astype(np.int32)
    score = np.clip(answer * 0.6 + 0.2 + chance.normal(0, 0.1 + noise, rows), 0, 1)
    return Scored(
        "binary",
        truth,
        answer,
        score.astype(np.float32) if scores else None,
        probabilities,
        ("no", "yes"),
        {"group": Grouping(names, codes)},
    )


def multiclass(rows=1500, classes=4, seed=0):
    """Several classes, with probabilities that sum to 1."""
    chance = np.random.default_rng(seed)
    truth = chance.integers(0, classes, rows).astype(np.int32)
    logits = chance.normal(size=(rows, classes)) + 1.5 * np.eye(classes)[truth]
    score = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    names = tuple(f"c{i}" for i in range(classes))
    answer = score.argmax(axis=1).astype(np.int32)
    return Scored("multiclass", truth, answer, score.astype(np.float32), True, names, {})


def regression(rows=1000, seed=0, off=0.0, spread=1.0):
    """Numbers; the answer is off by a constant and by noise."""
    chance = np.random.default_rng(seed)
    truth = chance.normal(10, 3, rows)
    answer = truth + off + chance.normal(0, spread, rows)
    return Scored("regression", truth, answer, None, False, (), {})

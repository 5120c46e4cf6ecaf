"""Every sequential procedure with its data, for the battery: add a line to `PROCEDURES`.

A line says how to make the procedure and how to draw a block: at the edge of what must not fail, at
the edge of what must not pass, clearly harmful, clearly harmless.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pilotage.statistics.sequential.block_means import BlockMeans, BlockMeansConfiguration
from pilotage.statistics.sequential.bounded_means import (
    BoundedMean,
    BoundedMeanConfiguration,
)
from pilotage.statistics.sequential.combination import GuardsConfiguration
from pilotage.statistics.sequential.drift import (
    STAKES_A_FEATURE,
    RankDrift,
    RankDriftConfiguration,
)
from pilotage.statistics.sequential.exceedances import Exceedances, ExceedancesConfiguration
from pilotage.statistics.sequential.floors import (
    PerformanceFloor,
    PerformanceFloorConfiguration,
)
from pilotage.statistics.sequential.latency_objectives import (
    LatencyObjective,
    LatencyObjectiveConfiguration,
)
from pilotage.statistics.sequential.paired import Paired, PairedConfiguration
from pilotage.statistics.sequential.probe_tails import ProbeTails
from pilotage.statistics.sequential.probes import Probes, ProbesConfiguration
from pilotage.statistics.sequential.references import Reference
from pilotage.statistics.sequential.two_arms import TwoArms, TwoArmsConfiguration
from sequential_composites import Rollout, Watched
from sequential_draws import (
    Block,
    Draw,
    differences,
    discordant,
    durations,
    fewer,
    halves,
    in_clusters,
    latencies,
    losses,
    normal,
    probe_tails,
    probes,
    two_arms,
    wrong_answers,
)


@dataclass(frozen=True)
class Entry:
    """A procedure and its data; `extremes` and `million` are blocks for a shape of ().

    `million_in` is in how many equal blocks a million is fed.
    """

    kind: Any
    configuration: Any
    must_not_fail: Draw
    must_not_pass: Draw
    harmful: Draw
    harmless: Draw
    empty: Block
    extremes: tuple[Block, ...]
    million: Draw
    blocks: int = 100
    blocks_for_power: int = 100
    cut: Callable[[Block, float], tuple[Block, Block]] = halves
    update: str = "update"
    passes: bool = True
    counts_looks: bool = False
    million_in: int = 1

    def make(self, shape: tuple[int, ...] = ()) -> Any:
        return self.kind(self.configuration, shape)

    def feed(self, procedure: Any, block: Block) -> None:
        getattr(procedure, self.update)(*block)


REFERENCE = Reference.of_numbers(
    np.random.default_rng(5).standard_normal(50_000), missing_limit=0.001
)
TICKS = 100

PROCEDURES = {
    "two arms": Entry(
        TwoArms,
        TwoArmsConfiguration(margin=0.01),
        must_not_fail=two_arms(0.01, 0.01),
        must_not_pass=two_arms(0.01, 0.02),
        harmful=two_arms(0.01, 0.03),
        harmless=two_arms(0.01, 0.01),
        empty=(0, 0, 0, 0),
        extremes=((10**6, 0, 10**6, 0), (10**6, 10**6, 10**6, 10**6), (1, 0, 10**9, 10**9)),
        million=two_arms(0.01, 0.03, size=10**6),
        cut=fewer,
    ),
    "two arms, a relative margin": Entry(
        TwoArms,
        TwoArmsConfiguration(margin=0.5, kind="relative"),
        must_not_fail=two_arms(0.02, 0.02),
        must_not_pass=two_arms(0.02, 0.03),
        harmful=two_arms(0.02, 0.05),
        harmless=two_arms(0.02, 0.02),
        empty=(0, 0, 0, 0),
        extremes=((10**6, 0, 10**6, 0), (10**6, 10**6, 10**6, 10**6), (1, 0, 10**9, 10**9)),
        million=two_arms(0.02, 0.05, size=10**6),
        cut=fewer,
    ),
    "two arms, outcomes in fives": Entry(
        TwoArms,
        TwoArmsConfiguration(margin=0.05, cluster=5),
        must_not_fail=in_clusters(two_arms(0.02, 0.02, size=200), 5),
        must_not_pass=in_clusters(two_arms(0.02, 0.07, size=200), 5),
        harmful=in_clusters(two_arms(0.02, 0.12, size=200), 5),
        harmless=in_clusters(two_arms(0.02, 0.02, size=200), 5),
        empty=(0, 0, 0, 0),
        extremes=((10**6, 0, 10**6, 0), (10**6, 10**6, 10**6, 10**6), (1, 0, 10**9, 10**9)),
        million=two_arms(0.02, 0.12, size=10**6),
        cut=fewer,
    ),
    "block means": Entry(
        BlockMeans,
        BlockMeansConfiguration(margin=0.05),
        must_not_fail=in_clusters(two_arms(0.05, 0.05, size=50), 20),
        must_not_pass=in_clusters(two_arms(0.05, 0.1, size=50), 20),
        harmful=two_arms(0.05, 0.25),
        harmless=two_arms(0.05, 0.05),
        empty=(0, 0, 0, 0),
        extremes=((10**6, 0, 10**6, 0), (10**6, 0, 10**6, 10**6), (1, 1, 10**9, 0)),
        # One block is one observation, however many requests it holds.
        million=two_arms(0.0, 1.0, size=10**5),
        million_in=10,
        blocks_for_power=200,
        cut=fewer,
    ),
    "a rollout of two guards": Entry(
        Rollout,
        (
            (TwoArmsConfiguration(margin=0.01), TwoArmsConfiguration(margin=0.02)),
            GuardsConfiguration(("errors", "wrong answers")),
        ),
        must_not_fail=two_arms(0.01, 0.01),
        must_not_pass=two_arms(0.01, 0.02),
        harmful=two_arms(0.01, 0.03),
        harmless=two_arms(0.01, 0.01),
        empty=(0, 0, 0, 0),
        extremes=((10**6, 0, 10**6, 0), (10**6, 10**6, 10**6, 10**6), (1, 0, 10**9, 10**9)),
        million=two_arms(0.01, 0.03, size=10**6),
        cut=fewer,
        counts_looks=True,
    ),
    "paired counts": Entry(
        Paired,
        PairedConfiguration(margin=0.02),
        must_not_fail=discordant(0.0),
        must_not_pass=discordant(0.02),
        harmful=discordant(0.05),
        harmless=discordant(0.0),
        empty=(0, 0, 0),
        extremes=((0, 10**7, 0), (10**7, 0, 0), (0, 0, 10**7)),
        million=discordant(0.05, size=10**6),
        cut=fewer,
        update="update_counts",
    ),
    "paired differences": Entry(
        Paired,
        PairedConfiguration(margin=0.05),
        must_not_fail=differences(0.0),
        must_not_pass=differences(0.05),
        harmful=differences(0.1),
        harmless=differences(0.0),
        empty=([],),
        extremes=(([1.0] * 1_000,), ([-1.0] * 1_000,), ([0.0, 5e-324, -5e-324],)),
        million=differences(0.1, size=10**6),
        blocks=60,
    ),
    "probes": Entry(
        Probes,
        ProbesConfiguration(margin=0.2),
        must_not_fail=probes(1.05),
        must_not_pass=probes(1.2),
        harmful=probes(1.3),
        harmless=probes(1.0),
        empty=([], []),
        extremes=(([1e-9], [1e6]), ([1e6] * 100, [1e-9] * 100), ([0.1] * 10, [0.1] * 10)),
        million=probes(1.3, size=10**6),
        blocks_for_power=20,
    ),
    "probe tails": Entry(
        ProbeTails,
        PairedConfiguration(margin=0.02, unit="probe"),
        must_not_fail=probe_tails(0.0),
        must_not_pass=probe_tails(0.02),
        harmful=probe_tails(0.1),
        harmless=probe_tails(0.0),
        empty=([], [], []),
        extremes=(
            ([1e6], [1e-9], [1]),
            ([1e-9] * 10, [1e6] * 10, [10**9] * 10),
            ([1.0], [1.0], [1]),
        ),
        million=probe_tails(0.1, size=10**6),
        blocks=60,
    ),
    "exceedances": Entry(
        Exceedances,
        ExceedancesConfiguration(margin=0.5, quantile=0.95, blocks_per_hour=20),
        must_not_fail=latencies(1.0),
        must_not_pass=latencies(1.5),
        harmful=latencies(2.0),
        harmless=latencies(1.0),
        empty=([], []),
        extremes=(([0.0] * 200, [0.0] * 200), ([1e6] * 200, [1e6] * 200), ([], [1.0] * 200)),
        million=latencies(2.0, size=10**6),
        blocks=30,
        blocks_for_power=60,
    ),
    "latency objective": Entry(
        LatencyObjective,
        LatencyObjectiveConfiguration(limit_s=0.3, quantile=0.98),
        must_not_fail=durations(0.02),
        must_not_pass=durations(0.02),
        harmful=durations(0.05),
        harmless=durations(0.005),
        empty=([],),
        extremes=(([0.0] * 200,), ([1e6] * 200,), ([0.3] * 200,)),
        million=durations(0.05, size=10**6),
        blocks=40,
        blocks_for_power=20,
    ),
    "bounded mean": Entry(
        BoundedMean,
        BoundedMeanConfiguration(at_most=0.16),
        must_not_fail=losses(0.16),
        must_not_pass=losses(0.16),
        harmful=losses(0.25),
        harmless=losses(0.1),
        empty=([],),
        extremes=(([1.0] * 1_000,), ([0.0] * 1_000,), ([5e-324, 1.0],)),
        million=losses(0.2, size=10**6),
        blocks=40,
        blocks_for_power=60,
    ),
    "performance floor, counts": Entry(
        Watched,
        (PerformanceFloor, PerformanceFloorConfiguration(0.16), 6, TICKS),
        must_not_fail=wrong_answers(0.16),
        must_not_pass=wrong_answers(0.2),
        harmful=wrong_answers(0.22),
        harmless=wrong_answers(0.1),
        empty=(0, 0),
        extremes=((10**7, 0), (0, 10**7), (1, 1)),
        million=wrong_answers(0.2, size=10**6),
        cut=fewer,
        update="update_counts",
        passes=False,
    ),
    "performance floor, losses": Entry(
        Watched,
        (PerformanceFloor, PerformanceFloorConfiguration(0.16), 6, TICKS),
        must_not_fail=losses(0.16),
        must_not_pass=losses(0.2),
        harmful=losses(0.25),
        harmless=losses(0.1),
        empty=([],),
        extremes=(([1.0] * 1_000,), ([0.0] * 1_000,), ([5e-324, 1.0],)),
        million=losses(0.2, size=10**6),
        passes=False,
        blocks=50,
    ),
    "rank drift": Entry(
        Watched,
        (RankDrift, RankDriftConfiguration(REFERENCE), STAKES_A_FEATURE, TICKS),
        must_not_fail=normal(0.05),
        must_not_pass=normal(0.1),
        harmful=normal(0.5),
        harmless=normal(0.0),
        empty=([],),
        extremes=(([np.inf] * 100,), ([-np.inf] * 100,), ([np.nan] * 100,)),
        million=normal(0.2, size=10**6),
        blocks=30,
        blocks_for_power=20,
        passes=False,
    ),
}

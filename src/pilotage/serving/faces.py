"""What is asked of a worker besides predictions: health, metadata, statistics, metrics."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from pilotage.serving.exposition import render
from pilotage.serving.http.exchange import Exchange
from pilotage.serving.http.responses import json_response, response
from pilotage.serving.metrics import Published
from pilotage.serving.plan import CallPlan, EndpointPlan
from pilotage.serving.protocols import v2_metadata
from pilotage.serving.requests import Operation

if TYPE_CHECKING:
    from pilotage.serving.answering import Face

_METRICS_TYPE = b"text/plain; version=0.0.4; charset=utf-8"


class Faces:
    """The operations that answer at once. `ready` says why not, or nothing."""

    def __init__(
        self,
        *,
        version: str,
        not_ready: Callable[[], str],
        published: Callable[[], Published],
    ) -> None:
        self._version = version
        self._not_ready = not_ready
        self._published = published

    def table(self) -> "dict[Operation, Face]":
        return {
            Operation.SERVER: self._server,
            Operation.LIVE: self._live,
            Operation.READY: self._ready,
            Operation.METRICS: self._metrics,
            Operation.MODEL: self._model,
            Operation.MODEL_READY: self._model_ready,
            Operation.CONFIG: self._config,
            Operation.STATS: self._stats,
            Operation.INDEX: self._index,
        }

    def _server(self, exchange: Exchange, plan: CallPlan) -> None:
        del plan
        exchange.reply(json_response(200, v2_metadata.server_metadata(self._version)))

    def _live(self, exchange: Exchange, plan: CallPlan) -> None:
        del plan
        exchange.reply(json_response(200, v2_metadata.live_body(live=True)))

    def _ready(self, exchange: Exchange, plan: CallPlan) -> None:
        del plan
        why_not = self._not_ready()
        status = 503 if why_not else 200
        exchange.reply(json_response(status, v2_metadata.ready_body(ready=not why_not)))

    def _metrics(self, exchange: Exchange, plan: CallPlan) -> None:
        del plan
        exchange.reply(response(200, _METRICS_TYPE, render(self._published())))

    def _model(self, exchange: Exchange, plan: CallPlan) -> None:
        target = _target(plan)
        route = plan.pinned or target.baseline
        body = v2_metadata.model_metadata(
            target.endpoint.name,
            target.versions,
            route.replica.version.platform,
            route.replica.signature,
        )
        exchange.reply(json_response(200, body))

    def _model_ready(self, exchange: Exchange, plan: CallPlan) -> None:
        name = _target(plan).endpoint.name
        ready = not self._not_ready()
        body = v2_metadata.model_ready_body(name, ready=ready)
        exchange.reply(json_response(200 if ready else 503, body))

    def _config(self, exchange: Exchange, plan: CallPlan) -> None:
        target = _target(plan)
        replica = (plan.pinned or target.baseline).replica
        body = v2_metadata.model_config(
            target.endpoint.name, replica.version.platform, replica.signature
        )
        exchange.reply(json_response(200, body))

    def _stats(self, exchange: Exchange, plan: CallPlan) -> None:
        targets = [plan.target] if plan.target else list(plan.plan.endpoints.values())
        pairs = [(each.endpoint.name, version) for each in targets for version in each.versions]
        if plan.pinned:
            pairs = [(plan.pinned.endpoint, plan.pinned.version)]
        published = self._published()
        models = [statistics_of(published, *pair) for pair in pairs]
        exchange.reply(json_response(200, v2_metadata.statistics(models)))

    def _index(self, exchange: Exchange, plan: CallPlan) -> None:
        ready = not self._not_ready()
        models = [
            (target.endpoint.name, version, ready)
            for target in plan.plan.endpoints.values()
            for version in target.versions
        ]
        exchange.reply(json_response(200, v2_metadata.repository_index(models)))


def _target(plan: CallPlan) -> EndpointPlan:
    if plan.target is None:
        raise AssertionError("this path names an endpoint")
    return plan.target


def statistics_of(published: Published, endpoint: str, version: str) -> v2_metadata.ModelStatistics:
    """Triton's statistics of one version, from the worker's metrics.

    The engine's and the queue's times are those of batches and requests as the metrics hold them.
    """
    key = (("endpoint", endpoint), ("version", version))

    def spent(name: str) -> v2_metadata.Spent:
        counts, total_s = published.histograms.get(name, {}).get(key, ([], 0.0))
        return v2_metadata.Spent(sum(counts), int(total_s * 1e9))

    def counted(name: str) -> int:
        return int(published.counters.get(name, {}).get(key, 0))

    requests = published.counters.get("pilotage_requests_total", {})
    ended = {
        dict(labels)["status"]: int(value)
        for labels, value in requests.items()
        if ("endpoint", endpoint) in labels and ("version", version) in labels
    }
    ok = ended.pop("ok", 0)
    latency = spent("pilotage_latency_seconds")
    return v2_metadata.ModelStatistics(
        name=endpoint,
        version=version,
        inferences=counted("pilotage_rows_total"),
        executions=counted("pilotage_batches_total"),
        success=v2_metadata.Spent(ok, latency.ns),
        fail=v2_metadata.Spent(sum(ended.values())),
        queue=spent("pilotage_queue_seconds"),
        compute_infer=spent("pilotage_engine_seconds"),
    )

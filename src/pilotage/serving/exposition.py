"""The text that Prometheus reads, made of published numbers.

Source: the Prometheus text exposition format 0.0.4.
"""

from collections.abc import Iterable

from pilotage.serving.metrics import FAMILIES, Family, Labels, Published


def render(published: Published) -> bytes:
    """The exposition text."""
    lines: list[str] = []
    for family in FAMILIES.values():
        if family.kind == "histogram":
            cells = published.histograms.get(family.name, {})
            body = [line for key in sorted(cells) for line in _buckets(family, key, *cells[key])]
        else:
            source = published.counters if family.kind == "counter" else published.gauges
            values = source.get(family.name, {})
            body = [f"{family.name}{_labels(key)} {values[key]:.15g}" for key in sorted(values)]
        if body:
            lines += [
                f"# HELP {family.name} {family.meaning}",
                f"# TYPE {family.name} {family.kind}",
            ]
            lines += body
    return ("\n".join(lines) + "\n").encode()


def _buckets(family: Family, key: Labels, counts: list[int], total: float) -> Iterable[str]:
    below = 0
    for bound, count in zip((*family.bounds, float("inf")), counts, strict=True):
        below += count
        edge = "+Inf" if bound == float("inf") else f"{bound:g}"
        yield f"{family.name}_bucket{_labels((*key, ('le', edge)))} {below}"
    yield f"{family.name}_sum{_labels(key)} {total:.9g}"
    yield f"{family.name}_count{_labels(key)} {below}"


def _labels(key: Labels) -> str:
    if not key:
        return ""
    return "{" + ",".join(f'{name}="{_escape(value)}"' for name, value in key) + "}"


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

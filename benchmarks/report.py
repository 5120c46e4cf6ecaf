"""Renders a run as Markdown. Pure: results in, text out."""

import statistics

from benchmarks.aims import aims, of, worker_and_rest_us
from benchmarks.results import Results
from benchmarks.trials import Trial


def render(results: Results) -> str:
    """The whole report."""
    sections = [
        _heading(results),
        _aims(results),
        _closed(results, "tiny", (("json", 64), ("json", 8), ("json", 1))),
        _closed(results, "wide", (("binary", 64), ("json", 64))),
        _floods(results),
        _startups(results),
        _single_numbers(results),
        _budget(results),
        _settings(results),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _heading(results: Results) -> str:
    m = results.machine
    packages = ", ".join(f"{name} {version}" for name, version in m.packages.items())
    return (
        f"# Benchmarks of {results.date}\n\n"
        f"Command: `make bench`. All processes of a server on one core, the load on another.\n\n"
        f"{m.processor}, {m.cores} cores, {m.memory_gb} GB, Linux {m.kernel}; Python {m.python}; "
        f"{packages}; commit {m.commit}; {m.wrk}; {m.gcc}. Load average at the start: "
        f"{m.load_average}."
    )


def _aims(results: Results) -> str:
    rows = [
        [aim.measure, _number(aim.found, aim.unit),
         f"{'≥' if aim.at_least else '≤'} {_number(aim.bound, aim.unit)}", aim.verdict]
        for aim in aims(results)
    ]  # fmt: skip
    return "## Aims\n\n" + _table(["measure", "found", "aim", "verdict"], rows)


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    return f"{value:.3g} {unit}".strip()


def _closed(results: Results, model: str, cases: tuple[tuple[str, int], ...]) -> str:
    names = list(dict.fromkeys(trial.contender for trial in results.trials))
    rows: list[list[str]] = []
    for encoding, connections in cases:
        reference = of(results, "pilotage", model, encoding, connections)
        for name in names:
            trials = of(results, name, model, encoding, connections)
            if trials:
                rows.append([f"{encoding}, {connections}", name, *_case(trials, reference)])
    if not rows:
        return ""
    raw = ""
    if model == "wide" and results.raw_rows:
        rounds = ", ".join(f"{rate:.0f}" for rate in results.raw_rows)
        raw = f"\n\nRaw ONNX Runtime at batch 32, rows a second by round: {rounds}."
    header = ["case", "server", "answers/s", "range", "times slower", "p50 ms", "p99 ms",
              "CPU µs: busiest process + others", "load's core", "disturbed", "errors"]  # fmt: skip
    return f"## `{model}`, closed loop (medians of rounds)\n\n{_table(header, rows)}{raw}"


def _case(trials: list[Trial], reference: list[Trial]) -> list[str]:
    rates = [trial.rate for trial in trials]
    rate = statistics.median(rates)
    slower = statistics.median(t.rate for t in reference) / rate if reference else None
    cpu = worker_and_rest_us(trials) or (0.0, 0.0)
    return [
        f"{rate:,.0f}",
        f"{min(rates):,.0f}–{max(rates):,.0f}",
        "–" if slower is None else f"{slower:.2f}",
        f"{statistics.median(t.load.p50_us for t in trials) / 1e3:.3f}",
        f"{statistics.median(t.load.p99_us for t in trials) / 1e3:.3f}",
        f"{cpu[0]:.1f} + {cpu[1]:.1f}",
        f"{statistics.median(t.load_share for t in trials):.0%}",
        f"{statistics.median(t.foreign for t in trials):.0%}",
        str(sum(t.load.refused + t.load.broken for t in trials)),
    ]


def _floods(results: Results) -> str:
    rows = [
        [f.contender, "hang up" if f.hang_up else "wait on", f"{f.capacity:,.0f}",
         f"{f.offered:,.0f}", f"{f.goodput:,.0f}", f"{f.share:.2f}", f"{f.late:,.0f}",
         f"{f.refused:,.0f}", f"{f.refused_p50_ms:.1f} / {f.refused_p99_ms:.1f}",
         f"{f.answered_p50_ms:.0f} / {f.answered_p99_ms:.0f}", f"{f.gave_up:,.0f}",
         f"{f.not_sent + f.broken:,.0f}",
         f"{f.memory_mb[0]:.0f} → {f.memory_mb[-1]:.0f}" if f.memory_mb else "–",
         f"{f.load_share:.0%}, {f.lag_p99_ms:.1f} ms"]
        for f in results.floods
    ]  # fmt: skip
    if not rows:
        return ""
    header = ["server", "callers", "capacity/s", "offered/s", "goodput/s", "of capacity", "late/s",
              "refused/s", "refusal p50 / p99 ms", "answer p50 / p99 ms", "gave up/s",
              "not sent, broken/s", "memory MB", "load's core, lag p99"]  # fmt: skip
    title = "## `wide`, binary, open loop at 2 x capacity (Poisson, deadlines 50–200 ms)"
    return f"{title}\n\n{_table(header, rows)}"


def _startups(results: Results) -> str:
    rows = [
        [s.contender, f"{s.first_answer_s:.2f}", f"{s.pss_mb:.0f}",
         ", ".join(f"{name} {size:.0f}" for name, size in s.memory_mb.items())]
        for s in results.startups
    ]  # fmt: skip
    if not rows:
        return ""
    header = ["server", "first answer, s", "PSS, MB", "by process"]
    return f"## Start and memory (`tiny`)\n\n{_table(header, rows)}"


def _single_numbers(results: Results) -> str:
    lines: list[str] = []
    if cost := results.recording:
        lines.append(
            f"Recording on {cost.on_rate:,.0f}/s, off {cost.off_rate:,.0f}/s: {cost.lost:.1%} "
            f"lost. Beside the copying of {cost.copied_gb} GB: p99.9 {cost.on_p999_ms} ms on, "
            f"{cost.off_p999_ms} ms off."
        )
    if mixed := results.mixed:
        lines.append(
            f"A tiny request (8 connections) beside JSON images of {mixed.image_mb} MB, "
            f"{mixed.images_a_second}/s, {mixed.image_ms} ms each alone: p50 "
            f"{mixed.beside_p50_ms} ms, p99 {mixed.beside_p99_ms} ms, most "
            f"{mixed.beside_max_ms} ms; without images p50 {mixed.alone_p50_ms} ms, p99 "
            f"{mixed.alone_p99_ms} ms."
        )
    return "## Recording; mixed sizes\n\n" + "\n\n".join(lines) if lines else ""


def _budget(results: Results) -> str:
    if (budget := results.budget) is None:
        return ""
    rows = [[f"{name}: user", f"{used}"] for name, used in budget.user_us.items()]
    rows += [[f"{name}: system", f"{used}"] for name, used in budget.system_us.items()]
    rows += [[f"Server-Timing, one at a time: {n}", f"{us}"] for n, us in budget.timing_us.items()]
    rows += [[f"ONNX Runtime alone, batch of {n}", f"{us}"] for n, us in budget.engine_us.items()]
    text = "## Budget of a tiny request, µs\n\n" + _table(["part", "µs"], rows)
    for script, lines in budget.parts.items():
        text += f"\n\n`parts/{script}.py`:\n```\n" + "\n".join(lines) + "\n```"
    return text


def _settings(results: Results) -> str:
    lines = [f"- {name}: {settings}" for name, settings in results.settings.items()]
    for name, reason in results.failed.items():
        tail = reason.strip().splitlines()[-1][:300]
        lines.append(f"- **{name} was left out**: {tail}")
    return "## Settings\n\n" + "\n".join(lines)


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)

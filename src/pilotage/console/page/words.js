// The numbers of a rollout in words, as the terminal says them. Pure: values in, text out.

const SPACE = "\u202f";
const NOTHING = "–";
const HARM_UNITS = {
  error_rate: "pp",
  disagreement: "%",
  difference: "%",
  engine_time: "%",
  engine_time_tail: "pp",
  accuracy: "pp",
  rate: "pp",
};
const ON_PAIRS = ["disagreement", "difference"];
const SCALES = { "%": 100, pp: 100 };
const UNDER_WAY = ["running", "paused", "held"];

// --- numbers -------------------------------------------------------------------------------------

/** Digits after the point, so that an interval of this width shows two figures of itself. */
export function placesFor(width) {
  if (!Number.isFinite(width) || width <= 0) return 1;
  return Math.min(6, Math.max(0, 1 - Math.floor(Math.log10(width))));
}

function plain(value, places) {
  const text = places === null ? String(Number(value.toPrecision(6))) : value.toFixed(places);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
}

function named(text, unit) {
  return unit ? text + SPACE + unit : text;
}

/** One number with its unit: "80 %". */
export function shown(value, unit, places = null) {
  if (!Number.isFinite(value)) return value > 0 ? "∞" : value < 0 ? "−∞" : "unknown";
  return named(plain(value * (SCALES[unit] ?? 1), places), unit);
}

/** An interval with its unit: "−0.2 to 0.9 pp", "82.1–83.4 %", "at least 0.3". */
export function shownRange(low, high, unit) {
  if (!Number.isFinite(low) && !Number.isFinite(high)) return "anything";
  if (!Number.isFinite(high)) return `at least ${shown(low, unit)}`;
  if (!Number.isFinite(low)) return `at most ${shown(high, unit)}`;
  const scale = SCALES[unit] ?? 1;
  const places = placesFor((high - low) * scale);
  const [first, last] = [low, high].map((end) => plain(end * scale, places));
  return named(low < 0 ? `${first} to ${last}` : `${first}–${last}`, unit);
}

/** "1,204". */
export function whole(count) {
  return count.toLocaleString("en-US");
}

/** "1 request", "1,204 requests". */
export function counted(count, noun) {
  return `${whole(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** "94.1/s". */
export function rate(perS) {
  if (perS <= 0) return NOTHING;
  return perS >= 100 ? `${whole(Math.round(perS))}/s` : `${perS.toFixed(1)}/s`;
}

/** The share of the traffic, of parts per million: "5 %". */
export function share(ppm) {
  return named(plain(ppm / 10000, null), "%");
}

/** The share of requests that failed: "0.3 % fail"; "" without requests. */
export function failing(errors, requests) {
  if (requests <= 0) return "";
  const part = Math.min(errors / requests, 1);
  return `${shown(part, "%", part ? 1 : 0)} fail`;
}

// --- times ---------------------------------------------------------------------------------------

/** About so long: "40 s", "12 min", "3 h". */
export function duration(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

/** Just so long: "40 s", "2 min 10 s", "3 h 20 min". */
export function exactly(seconds) {
  const all = Math.round(seconds);
  const parts = [
    [Math.floor(all / 86400), "d"],
    [Math.floor((all % 86400) / 3600), "h"],
    [Math.floor((all % 3600) / 60), "min"],
    [all % 60, "s"],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return "0 s";
  const told = all === 86400 ? [[24, "h"]] : parts.slice(first, first + 2);
  return told.filter(([count]) => count > 0).map(([count, unit]) => `${count} ${unit}`).join(" ");
}

/** A moment in the reader's zone: the time alone, where it is of today. */
export function moment(epochS, now = new Date()) {
  const at = new Date(epochS * 1000);
  const time = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
  if (at.toDateString() === now.toDateString()) return time;
  return `${at.toLocaleDateString("en-GB", { day: "numeric", month: "short" })}, ${time}`;
}

// --- a guard -------------------------------------------------------------------------------------

/** The unit in which a guard's harm is told. */
export function unitOf(guard) {
  return HARM_UNITS[guard.metric] ?? "";
}

/** Whether the harm can be negative: the candidate can be better. */
export function isSigned(guard) {
  return !ON_PAIRS.includes(guard.metric);
}

function placesOf(guard) {
  const width = guard.low !== null && guard.high !== null ? guard.high - guard.low : 0;
  const scale = SCALES[unitOf(guard)] ?? 1;
  return placesFor(Math.min(width || guard.margin, guard.margin) * scale);
}

/** The margin, with the digits that were written. */
export function margin(guard) {
  return shown(guard.margin, unitOf(guard));
}

/** The harm that does not fail the candidate. */
export function tolerated(guard) {
  return shown(guard.tolerated, unitOf(guard), guard.tolerated ? null : 0);
}

/** The interval of the harm; of a decided guard whose interval still holds the edge, what was shown. */
export function harm(guard) {
  const { word, low, high } = guard;
  const reachesTolerated = low === null || low <= guard.tolerated;
  const reachesMargin = high === null || high >= guard.margin;
  if (word === "failed" && reachesTolerated) return `more than ${tolerated(guard)}`;
  if (word === "passed" && reachesMargin) return `less than ${margin(guard)}`;
  if (low === null && high === null) return NOTHING;
  if (low === high) return shown(low, unitOf(guard), placesOf(guard));
  return shownRange(low ?? -Infinity, high ?? Infinity, unitOf(guard));
}

/** An arm's own value; a dash where the guard has none for an arm. */
export function arm(guard, value) {
  if (value === null) return NOTHING;
  return shown(value, unitOf(guard) === "pp" ? "%" : "", placesOf(guard));
}

/** What was observed: "312 pairs", "1,204 and 22,870 requests". */
export function counts(guard) {
  const { unit, candidate_count: candidate, baseline_count: baseline } = guard;
  if (unit === "pair" || unit === "probe") return counted(candidate, unit);
  return `${whole(candidate)} and ${whole(baseline)} ${unit}s`;
}

/** When it decides: "decided", "in 12 min", "no data yet", or a dash. */
export function toGo(guard, phase) {
  if (guard.word !== "undecided") return "decided";
  if (!UNDER_WAY.includes(phase)) return NOTHING;
  const waits = { no_data: "no data yet", no_labels: "no outcomes yet", horizon: "out of patience" };
  if (guard.because in waits) return waits[guard.because];
  return guard.expected_s === null ? NOTHING : `in ${duration(guard.expected_s)}`;
}

/** What the guard asks, as a person would. */
export function question(guard) {
  const kind = /\bof (\S+)/.exec(guard.name)?.[1];
  const questions = {
    error_rate: "Does the candidate fail more often?",
    disagreement: "Does the candidate answer differently?",
    difference: "Do the candidate’s numbers differ?",
    engine_time: "Is the candidate slower?",
    engine_time_tail: "Is the candidate slow more often?",
    accuracy: "Is the candidate less accurate?",
    rate: `Does the candidate bring fewer “${kind ?? "yes"}”?`,
    mean: `Is the candidate’s mean of “${kind ?? "outcomes"}” lower?`,
  };
  return questions[guard.metric] ?? guard.name;
}

/** What stands before the interval. */
export function worse(guard) {
  if (ON_PAIRS.includes(guard.metric)) return "different in";
  return guard.metric === "engine_time" ? "slower by" : "worse by";
}

/** How far evidence has come to what decides: "20 %", "decided"; full only when nothing is missing. */
export function progress(evidence) {
  return evidence >= 1 ? "decided" : `${Math.floor(Math.max(evidence, 0) * 100)} %`;
}

// --- the rollout ---------------------------------------------------------------------------------

/** The phase as people read it. */
export function phase(view) {
  const words = { running: "Running", paused: "Paused", held: "Held", live: "Live" };
  return words[view.phase] ?? { rolled_back: "Rolled back", aborted: "Aborted" }[view.phase] ?? view.phase;
}

/** How long it still takes, for a label. */
export function remaining(view) {
  if (view.phase === "paused" || view.phase === "held") return "until you say so";
  if (view.phase !== "running") return "over";
  return view.expected_s === null ? "not known yet" : `about ${duration(view.expected_s)}`;
}

/** How much of its exposure a stage has seen. */
export function exposure(stage) {
  const unit = stage.kind === "shadow" ? "pairs" : "units";
  return [
    `${exactly(Math.min(stage.seen_s, stage.lasts_s))} of ${exactly(stage.lasts_s)}`,
    `${whole(stage.seen_units)} of ${whole(stage.units)} ${unit}`,
  ];
}

/** The part of a stage's exposure that is met, by what lags behind: 0 to 1. */
export function met(stage) {
  if (stage.when === "done") return 1;
  const parts = [];
  if (stage.lasts_s > 0) parts.push(stage.seen_s / stage.lasts_s);
  if (stage.units > 0) parts.push(stage.seen_units / stage.units);
  if (!parts.length) return stage.when === "now" ? 1 : 0;
  return Math.min(1, ...parts);
}

/** The candidate's share of the traffic now, in parts per million. */
export function shareNow(view) {
  if (view.phase === "live") return 1000000;
  const now = view.stages.find((stage) => stage.when === "now");
  return UNDER_WAY.includes(view.phase) && now ? now.share_ppm : 0;
}

/** Whether the candidate answers copies now. */
export function copiesNow(view) {
  const now = view.stages.find((stage) => stage.when === "now");
  return UNDER_WAY.includes(view.phase) && now?.kind === "shadow";
}

/** [what it does, what to type], by the phase. */
export function commands(view) {
  const does = {
    status: "See this in a terminal",
    pause: "Let it wait as it is",
    resume: "Let it go on",
    promote: "All traffic to the candidate, now",
    abort: "End it without a judgement",
    rollback: "All traffic back to the baseline, now",
  };
  const verbs = {
    running: ["pause", "promote", "rollback"],
    paused: ["resume", "promote", "rollback"],
    held: ["promote", "abort", "rollback"],
    live: ["rollback"],
  }[view.phase];
  const rows = (verbs ?? []).map((verb) => [does[verb], `pilotage rollout ${verb}`]);
  if (view.verdict) {
    const short = /^[0-9A-Za-z]+$/.test(view.verdict) ? view.verdict.slice(0, 12) : view.verdict;
    rows.push(["The verdict again, from the records", `pilotage verdict recompute ${short}`]);
    rows.push(["Whether a line of the ledger was changed", "pilotage ledger verify"]);
  }
  if (!verbs) rows.push(["Start again", "pilotage serve … --candidate … --anew"]);
  return rows;
}

/** What is promised, and how surely. */
export function promises(view) {
  const risk = shown(1 - view.confidence, "%");
  const said = [
    `If every harm is within what is tolerated, the candidate is rolled back in at most ${risk} of rollouts.`,
    `If a harm is at its margin or beyond, its guard passes in at most ${risk} of rollouts.`,
    "Both hold however often one looks, and harm is judged by all guards together, so that a candidate can be rolled back before any one guard has failed.",
  ];
  if (view.promote_on === "exposure") {
    said.push("This rollout goes live when its exposure is met and no guard has failed; what was not shown by then stays open.");
  }
  return said;
}

/** What follows when patience ends. */
export function afterPatience(view) {
  return { hold: "then it is held", promote: "then promoted", rollback: "then rolled back" }[view.then] ?? "";
}

/** What the tab is called. */
export function title(view) {
  const mark = { running: "▸", paused: "‖", held: "?", live: "✓", rolled_back: "✗", aborted: "–" }[view.phase];
  return `${mark ?? ""} ${phase(view)} · ${view.candidate_name} · Pilotage`;
}

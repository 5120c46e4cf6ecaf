// Pictures of a rollout as SVG, drawn for a width in pixels. Pure but for making elements.

import { s } from "/dom.js";
import * as words from "/words.js";

const HIGH = 148;
const FOOT = 22;
const TOP = 10;
const LETTER = 6.6;
const ASIDE = 112;
const LINE = 14;
const ERROR_POINTS = 24;

// --- a guard: its interval closes in on its margin -------------------------------------------------

/** The interval of a guard's harm over time, beside its margin. */
export function interval(guard, width) {
  const points = timeline(guard);
  const [bottom, top] = reach(guard, points);
  const labels = edges(guard);
  const right = Math.max(ASIDE, Math.ceil(Math.max(...labels.map((each) => each.text.length)) * LETTER) + 14);
  const plot = { left: 8, right: width - right, top: TOP, bottom: HIGH - FOOT };
  const x = scale(0, Math.max(points.at(-1)?.at ?? 1, 1e-9), plot.left, plot.right);
  const y = scale(bottom, top, plot.bottom, plot.top);
  const clip = `clip-${number(guard.name)}`;
  return s(
    "svg",
    { width, height: HIGH, viewBox: `0 0 ${width} ${HIGH}`, role: "img", "aria-label": intervalInWords(guard) },
    s("clipPath", { id: clip }, s("rect", { ...box(plot.left, plot.top, plot.right + 7, plot.bottom) })),
    s("rect", { class: "beyond", ...box(plot.left, plot.top, plot.right, y(guard.margin)) }),
    labels.map((each) => edge(each, y, plot)),
    placed(labels, y, plot),
    s("g", { "clip-path": `url(#${clip})` }, band(points, x, y, plot), estimates(points, x, y)),
    present(points.at(-1), x, y, plot),
    clock(guard.history.at(-1)?.[0], plot),
    points.length ? null : s("text", { class: "none", x: (plot.left + plot.right) / 2, y: (y(guard.tolerated) + plot.bottom) / 2 + 4, "text-anchor": "middle" }, emptiness(guard)),
  );
}

/** The same number for the same name: a picture that did not change is then not drawn again. */
function number(name) {
  return [...name].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) >>> 0, 7);
}

/** Its looks as {at, low, estimate, high}; open ends are infinite, looks without an interval are left out. */
function timeline(guard) {
  const points = guard.history
    .filter(([, low, estimate, high]) => low !== null || estimate !== null || high !== null)
    .map(([at, low, estimate, high]) => ({ at, low: low ?? -Infinity, estimate, high: high ?? Infinity }));
  if (!points.length && (guard.low !== null || guard.high !== null)) {
    points.push({ at: 1, low: guard.low ?? -Infinity, estimate: guard.estimate, high: guard.high ?? Infinity });
  }
  return points;
}

/** The harm from the lower to the upper edge: the margin's, and what must be seen of the interval. */
function reach(guard, points) {
  const step = guard.margin / 2;
  const last = points.at(-1);
  const known = [last?.estimate, last?.low, last?.high].filter(Number.isFinite);
  const most = Math.min(Math.max(...known, 0) * 1.1, guard.margin * 12, Math.max(last?.estimate ?? 0, last?.low ?? 0, 0) * 1.6 + 2 * step);
  const top = Math.ceil(Math.max(2.2 * guard.margin, most) / step) * step;
  if (!words.isSigned(guard)) return [0, top];
  const least = Math.max(Math.min(...known, 0) * 1.1, Math.min(last?.estimate ?? 0, 0) * 1.4 - step, -12 * guard.margin);
  return [-Math.ceil(Math.max(1.2 * guard.margin, -least) / step) * step, top];
}

function edges(guard) {
  const edge = { value: guard.margin, kind: "margin", text: `margin ${words.margin(guard)}` };
  if (guard.tolerated === guard.margin) return [edge];
  const fine = { value: guard.tolerated, kind: "tolerated", text: guard.tolerated ? `tolerated ${words.tolerated(guard)}` : "as good" };
  const even = { value: 0, kind: "even", text: "as good" };
  return guard.tolerated && words.isSigned(guard) ? [edge, fine, even] : [edge, fine];
}

function edge({ value, kind }, y, plot) {
  return s("line", { class: kind, x1: plot.left, x2: plot.right, y1: y(value), y2: y(value) });
}

/** The labels of the edges at the right, moved apart where they would touch. */
function placed(labels, y, plot) {
  let above = -Infinity;
  return [...labels]
    .sort((one, other) => y(one.value) - y(other.value))
    .filter((each, at, all) => each.kind !== "even" || y(each.value) - y(all[at - 1].value) >= LINE)
    .map((each) => {
      above = Math.max(y(each.value) + 4, above + LINE);
      return s("text", { class: each.kind, x: plot.right + 12, y: above }, each.text);
    });
}

function band(points, x, y, plot) {
  if (!points.length) return null;
  const held = (value) => Math.min(Math.max(y(value), plot.top - 40), plot.bottom + 40);
  const from = points[0].at === points.at(-1).at ? plot.left : x(points[0].at);
  const upper = points.map((each) => `${x(each.at)},${held(each.high)}`);
  const lower = points.map((each) => `${x(each.at)},${held(each.low)}`);
  const first = [`${from},${held(points[0].high)}`, `${from},${held(points[0].low)}`];
  return [
    s("polygon", { class: "band", points: [first[0], ...upper, ...lower.reverse(), first[1]].join(" ") }),
    s("polyline", { class: "end", points: [first[0], ...upper].join(" ") }),
    s("polyline", { class: "end", points: [first[1], ...lower.reverse()].join(" ") }),
  ];
}

function estimates(points, x, y) {
  const known = points.filter((each) => each.estimate !== null);
  return s("polyline", { class: "estimate", points: known.map((each) => `${x(each.at)},${y(each.estimate)}`).join(" ") });
}

/** The interval as of now: a bar with its estimate; an end outside of the picture has no cap. */
function present(last, x, y, plot) {
  if (!last) return null;
  const at = plot.right;
  const [high, low] = [y(last.high), y(last.low)].map((each) => Math.min(Math.max(each, plot.top), plot.bottom));
  const cap = (value, end) => (y(value) === end ? s("line", { class: "now", x1: at - 4, x2: at + 4, y1: end, y2: end }) : null);
  const seen = last.estimate !== null && y(last.estimate) >= plot.top - 1 && y(last.estimate) <= plot.bottom + 1;
  return [
    s("line", { class: "now", x1: at, x2: at, y1: high, y2: low }),
    cap(last.high, high),
    cap(last.low, low),
    seen ? s("circle", { class: "dot", cx: at, cy: y(last.estimate), r: 4.5 }) : null,
  ];
}

function emptiness(guard) {
  return guard.because === "no_labels" ? "no outcomes yet" : "no data yet";
}

/** What the picture shows, for those who do not see it. */
export function intervalInWords(guard) {
  if (guard.low === null && guard.high === null) return `No interval yet; margin ${words.margin(guard)}.`;
  const range = words.shownRange(guard.low ?? -Infinity, guard.high ?? Infinity, words.unitOf(guard));
  return `The interval of the harm over time, now ${range}; tolerated ${words.tolerated(guard)}, margin ${words.margin(guard)}.`;
}

// --- traffic ---------------------------------------------------------------------------------------

/** Requests a second: the baseline's, the candidate's on top of them, copies as a line. */
export function requests(view, width) {
  const points = view.traffic;
  const most = Math.max(...points.map((each) => Math.max(each.baseline + each.candidate, each.shadow)), 0);
  const { plot, x, y, frame } = axes(points, most, width, (value) => (value ? words.rate(value) : "0"));
  const base = points.map((each) => [x(each.elapsed_s), y(each.baseline)]);
  const all = points.map((each) => [x(each.elapsed_s), y(each.baseline + each.candidate)]);
  const given = pieces(points.map((each, at) => (each.candidate > 0 ? all[at] : null)));
  const copies = points.filter((each) => each.shadow > 0).map((each) => [x(each.elapsed_s), y(each.shadow)]);
  return picture(width, requestsInWords(view), [
    ...frame,
    s("polygon", { class: "baseline", points: path(ground(base, plot), base) }),
    s("polygon", { class: "candidate", points: path(all, [...base].reverse()) }),
    s("polyline", { class: "baseline", points: path(base) }),
    given.map((piece) => s("polyline", { class: "candidate", points: path(piece) })),
    copies.length ? s("polyline", { class: "copies", points: path(copies) }) : null,
    clock(points.at(-1)?.elapsed_s, plot),
  ]);
}

/** The share of each arm's requests that failed; copies count for the candidate. */
export function errors(view, width) {
  const points = gathered(view.traffic);
  const shares = (errors, asked) => points.map((each) => (each[asked] > 0 ? Math.min(each[errors] / each[asked], 1) : null));
  const arms = { baseline: shares("baseline_errors", "baseline"), candidate: shares("candidate_errors", "asked") };
  const most = Math.max(...arms.baseline, ...arms.candidate, 0.001);
  const { plot, x, y, frame } = axes(view.traffic, most, width, (value) => words.shown(value, "%"));
  const lines = Object.entries(arms).map(([name, values]) =>
    pieces(values.map((value, at) => (value === null ? null : [x(points[at].at), y(value)]))).map((piece) =>
      piece.length > 1
        ? s("polyline", { class: name, points: path(piece) })
        : s("circle", { class: name, cx: piece[0][0], cy: piece[0][1], r: 2 }),
    ),
  );
  return picture(width, errorsInWords(view), [...frame, ...lines, clock(view.traffic.at(-1)?.elapsed_s, plot)]);
}

/** At most so many points, each the sum of several blocks. */
function gathered(traffic) {
  const many = Math.max(1, Math.ceil(traffic.length / ERROR_POINTS));
  const sum = (part, key) => part.reduce((all, each) => all + each[key], 0);
  const found = [];
  for (let from = 0; from < traffic.length; from += many) {
    const part = traffic.slice(from, from + many);
    found.push({
      at: part.at(-1).elapsed_s,
      baseline: sum(part, "baseline"),
      asked: sum(part, "candidate") + sum(part, "shadow"),
      baseline_errors: sum(part, "baseline_errors"),
      candidate_errors: sum(part, "candidate_errors"),
    });
  }
  return found;
}

function pieces(points) {
  const found = [[]];
  for (const point of points) {
    if (point) found.at(-1).push(point);
    else found.push([]);
  }
  return found.filter((piece) => piece.length);
}

function axes(points, most, width, label) {
  const top = roundUp(most);
  const ticks = [0, top / 2, top];
  const plot = { left: Math.ceil(Math.max(...ticks.map((each) => label(each).length)) * LETTER) + 10, right: width - 8, top: TOP, bottom: HIGH - FOOT };
  const x = scale(0, Math.max(points.at(-1)?.elapsed_s ?? 1, 1e-9), plot.left, plot.right);
  const y = scale(0, top, plot.bottom, plot.top);
  const frame = ticks.flatMap((value) => [
    s("line", { class: "grid", x1: plot.left, x2: plot.right, y1: y(value), y2: y(value) }),
    s("text", { x: plot.left - 8, y: y(value) + 4, "text-anchor": "end" }, label(value)),
  ]);
  return { plot, x, y, frame };
}

/** The next number of the form 1, 2, 4, 6 or 8 times a power of ten. */
function roundUp(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 6, 8, 10].map((each) => each * power).find((each) => each >= value * 0.999);
}

function ground(points, plot) {
  return points.length ? [[points.at(-1)[0], plot.bottom], [points[0][0], plot.bottom]] : [];
}

function path(...parts) {
  return parts.flat().map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
}

function picture(width, label, children) {
  return s("svg", { width, height: HIGH, viewBox: `0 0 ${width} ${HIGH}`, role: "img", "aria-label": label }, children);
}

function requestsInWords(view) {
  const last = view.traffic.at(-1);
  const copies = last.shadow > 0 ? `, copies ${words.rate(last.shadow)}` : "";
  return `Requests a second over time, now baseline ${words.rate(last.baseline)}, candidate ${words.rate(last.candidate)}${copies}.`;
}

function errorsInWords(view) {
  const last = view.traffic.at(-1);
  const said = [
    ["baseline", words.failing(last.baseline_errors, last.baseline)],
    ["candidate", words.failing(last.candidate_errors, last.candidate + last.shadow)],
  ];
  const known = said.filter(([, text]) => text).map(([name, text]) => `${name} ${text}`);
  return `The share that failed over time${known.length ? `, now ${known.join(", ")}` : ""}.`;
}

// --- for all ---------------------------------------------------------------------------------------

/** The axis of time: when it began, and now. */
function clock(lastS, plot) {
  if (!lastS) return null;
  const y = HIGH - 5;
  return [
    s("text", { class: "time", x: plot.left, y }, "start"),
    s("text", { class: "time", x: plot.right, y, "text-anchor": "end" }, `after ${words.exactly(lastS)}`),
  ];
}

function scale(from, to, first, last) {
  return (value) => first + ((value - from) / (to - from || 1)) * (last - first);
}

function box(left, top, right, bottom) {
  return { x: left, y: top, width: Math.max(right - left, 0), height: Math.max(bottom - top, 0) };
}

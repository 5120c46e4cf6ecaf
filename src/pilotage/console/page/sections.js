// The sections of the page: each is made once, and shows a view whenever it is given one.

import { dress, fill, h, tell } from "/dom.js";
import * as charts from "/charts.js";
import { mark } from "/marks.js";
import * as words from "/words.js";

const NEWS = 6;
const COPIED_MS = 2000;

// --- what is going on ------------------------------------------------------------------------------

/** The answer at the top: the phase, one sentence, who answers now, and how long it takes. */
export function outcome(section) {
  return (view) => {
    dress(section, "outcome", view.phase);
    const ppm = words.shareNow(view);
    fill(
      section,
      h("p", { class: "badge" }, mark(view.phase, 26), h("span", {}, words.phase(view))),
      h("h1", {}, view.sentence),
      split(view, ppm),
      h(
        "dl",
        { class: "facts" },
        fact("To go", words.remaining(view)),
        fact("Under way", words.exactly(view.elapsed_s), view.phase === "running" ? `of ${words.exactly(view.patience_s)} at most, ${words.afterPatience(view)}` : ""),
        fact("Confidence", words.shown(view.confidence, "%"), "of either answer"),
        fact("One unit is", view.sticky_by ? "a user" : "a request", view.sticky_by ? `told apart by ${view.sticky_by}` : ""),
      ),
    );
  };
}

function fact(name, value, more = "") {
  return h("div", {}, h("dt", {}, name), h("dd", {}, h("b", {}, value), more ? h("span", {}, more) : null));
}

/** Who answers the traffic now, as one bar. */
function split(view, ppm) {
  const copies = words.copiesNow(view);
  const candidate = h("i", { class: "candidate" });
  const baseline = h("i", { class: "baseline" });
  candidate.style.flexGrow = String(ppm);
  baseline.style.flexGrow = String(1000000 - ppm);
  return h(
    "div",
    { class: "split" },
    h(
      "p",
      { class: "arms" },
      h("span", {}, swatch("candidate"), h("b", {}, view.candidate_name), ` candidate, ${words.share(ppm)}${copies ? " and copies" : ""}`),
      h("span", {}, swatch("baseline"), h("b", {}, view.baseline_name), ` baseline, ${words.share(1000000 - ppm)}`),
    ),
    h("div", { class: "whole", "aria-hidden": "true" }, ppm > 0 ? candidate : null, ppm < 1000000 ? baseline : null),
  );
}

function swatch(kind) {
  return h("i", { class: `swatch ${kind}`, "aria-hidden": "true" });
}

// --- stages ----------------------------------------------------------------------------------------

/** The stages as a track that fills with exposure. */
export function stages(section) {
  const track = h("ol", { class: "track card" });
  section.append(track);
  let shown = [];
  return (view) => {
    if (shown.length !== view.stages.length) {
      shown = view.stages.map(() => stage());
      track.replaceChildren(...shown.map((each) => each.node));
    }
    view.stages.forEach((each, at) => shown[at].show(each, view));
  };
}

function stage() {
  const bar = h("i");
  const head = h("p", { class: "stage" });
  const more = h("div", { class: "more" });
  const node = h("li", {}, h("div", { class: "bar", "aria-hidden": "true" }, bar), head, more);
  const show = (each, view) => {
    const stopped = each.when === "never" && (each.seen_s > 0 || each.seen_units > 0);
    const when = stopped ? "stopped" : each.kind === "live" && each.when === "now" ? "done" : each.when;
    dress(node, when, each.kind);
    if (each.when === "now") node.setAttribute("aria-current", "step");
    else node.removeAttribute("aria-current");
    bar.style.width = `${words.met(each) * 100}%`;
    fill(head, mark(when, 20), h("span", {}, h("b", {}, each.name), " ", h("span", { class: "when" }, whenOf(each, when))));
    fill(more, exposureOf(each, stopped, view).map((line) => h("p", {}, line)));
  };
  return { node, show };
}

function whenOf(each, when) {
  if (each.kind === "live" && each.when === "now") return "now";
  return when === "never" ? "not reached" : when;
}

function exposureOf(each, stopped, view) {
  if (each.kind === "live") {
    if (each.when === "now") return ["The candidate answers everything."];
    if (each.when === "never") return [];
    return [view.promote_on === "exposure" ? "When the exposure is met and no guard failed." : "When every required guard has passed."];
  }
  if (each.when === "now" || stopped) return words.exposure(each);
  if (each.when === "never") return [];
  const unit = each.kind === "shadow" ? "pairs" : "units";
  return [words.exactly(each.lasts_s), words.counted(each.units, unit.slice(0, -1))];
}

// --- guards ----------------------------------------------------------------------------------------

/** Each guard with its question, its interval beside its margin, and the evidence for both answers. */
export function guards(section) {
  const note = h("p", { class: "caption" });
  const list = h("ol", { class: "guards card" });
  section.append(note, list);
  let shown = new Map();
  return (view) => {
    tell(
      note,
      `The band is where the harm lies, with ${words.shown(view.confidence, "%")} confidence at every moment. ` +
        "Wholly below the margin, a guard passes; wholly above what is tolerated, it fails.",
    );
    const names = view.guards.map((each) => each.name);
    if ([...shown.keys()].join("\n") !== names.join("\n")) {
      shown = new Map(names.map((name) => [name, guard()]));
      list.replaceChildren(...[...shown.values()].map((each) => each.node));
    }
    view.guards.forEach((each) => shown.get(each.name).show(each, view));
  };
}

function guard() {
  const head = h("div", { class: "head" });
  const said = h("div", { class: "said" });
  const [fails, passes] = [evidence("failed"), evidence("passed")];
  const drawing = h("div", { class: "drawing" });
  const left = h("div", { class: "told" }, said, h("div", { class: "evidence" }, fails.node, passes.node));
  const node = h("li", { class: "guard" }, head, h("div", { class: "body" }, left, drawing));
  const show = (each, view) => {
    dress(node, "guard", each.word);
    const go = words.toGo(each, view.phase);
    fill(
      head,
      mark(each.word, 24),
      h("h3", {}, words.question(each)),
      h("p", { class: "verdict" }, each.word, verdictMore(go)),
      h("p", { class: "name" }, h("code", {}, each.name), each.required ? null : h("span", { class: "tag" }, "need not pass")),
    );
    fill(said, harmOf(each), armsOf(each, view));
    fails.show("harm found", each.word === "failed" ? 1 : each.fail_evidence);
    passes.show("shown not worse", each.word === "passed" ? 1 : each.pass_evidence); // it stays so
    const width = Math.floor(drawing.clientWidth);
    if (width > 0) drawing.replaceChildren(charts.interval(each, width));
  };
  return { node, show };
}

function verdictMore(go) {
  if (go === "decided" || go === "–") return "";
  return go.startsWith("in ") ? `, decides ${go}` : `, ${go}`;
}

function harmOf(each) {
  const harm = words.harm(each);
  const none = each.because === "no_labels" ? "no outcomes yet" : "no data yet";
  const told = harm === "–" ? [h("b", {}, none)] : [`${words.worse(each)} `, h("b", {}, harm)];
  return h("p", { class: "harm" }, told, " ", h("span", {}, `margin ${words.margin(each)}`));
}

/** What was seen, with each arm's own value where the guard compares two. */
function armsOf(each, view) {
  if (each.candidate === null && each.baseline === null) return h("p", { class: "seen" }, words.counts(each));
  const row = (kind, name, value, count) =>
    h(
      "p",
      {},
      swatch(kind),
      h("span", {}, h("span", { class: "unseen" }, `${kind} `), name),
      h("b", {}, words.arm(each, value)),
      h("span", { class: "of" }, `of ${words.counted(count, each.unit)}`),
    );
  return h(
    "div",
    { class: "seen both" },
    row("candidate", view.candidate_name, each.candidate, each.candidate_count),
    row("baseline", view.baseline_name, each.baseline, each.baseline_count),
  );
}

function evidence(word) {
  const bar = h("i");
  const name = h("span", {});
  const part = h("b", {});
  const node = h("p", { class: `weight ${word}` }, name, h("span", { class: "bar", "aria-hidden": "true" }, bar), part);
  const show = (text, found) => {
    tell(name, text);
    tell(part, words.progress(found));
    bar.style.width = `${Math.min(Math.max(found, 0), 1) * 100}%`;
  };
  return { node, show };
}

// --- traffic ---------------------------------------------------------------------------------------

/** Requests a second of both arms, and the share that failed. */
export function traffic(section) {
  const key = h("p", { class: "key" });
  const [first, second] = [h("div", { class: "drawing" }), h("div", { class: "drawing" })];
  const figure = (title, drawing) => h("figure", {}, h("figcaption", {}, title), drawing);
  const plots = h("div", { class: "plots" }, figure("Requests a second", first), figure("Of them failed", second));
  const none = h("p", { class: "empty" }, "No request was seen yet.");
  section.append(h("div", { class: "card" }, key, plots, none));
  return (view) => {
    const last = view.traffic.at(-1);
    plots.hidden = key.hidden = !last;
    none.hidden = Boolean(last);
    if (!last) return;
    const copies = view.traffic.some((each) => each.shadow > 0);
    fill(
      key,
      arm("candidate", "candidate", last.candidate, words.failing(last.candidate_errors, last.candidate)),
      copies ? arm("copies", last.shadow > 0 ? "copies to the candidate" : "copies, over", last.shadow, last.candidate > 0 ? "" : words.failing(last.candidate_errors, last.shadow)) : null,
      arm("baseline", "baseline", last.baseline, words.failing(last.baseline_errors, last.baseline)),
    );
    const width = Math.floor(first.clientWidth);
    if (width <= 0) return;
    first.replaceChildren(charts.requests(view, width));
    second.replaceChildren(charts.errors(view, width));
  };
}

function arm(kind, name, perS, failing) {
  return h("span", {}, swatch(kind), `${name} `, perS > 0 ? h("b", {}, words.rate(perS)) : null, failing ? ` ${failing}` : "");
}

// --- what happened, what to type, how sure ---------------------------------------------------------

/** What happened, the newest first; what is older is folded away. */
export function happened(section) {
  const list = h("ol", { class: "news" });
  const older = h("ol", { class: "news" });
  const folded = h("details", {}, h("summary", {}, "Earlier"), older);
  const none = h("p", { class: "empty" }, "Nothing yet.");
  section.append(h("div", { class: "card" }, list, folded, none));
  const line = (each) => {
    const at = new Date(each.at * 1000);
    return h("li", {}, h("time", { datetime: at.toISOString(), title: at.toString() }, words.moment(each.at)), h("span", {}, each.text));
  };
  return (view) => {
    const news = [...view.happened].reverse();
    fill(list, news.slice(0, NEWS).map(line));
    fill(older, news.slice(NEWS).map(line));
    list.hidden = !news.length;
    folded.hidden = news.length <= NEWS;
    none.hidden = news.length > 0;
  };
}

/** The commands that steer, to be copied: this page takes no orders. */
export function steering(section) {
  const list = h("ul", { class: "commands" });
  const said = h("span", { class: "unseen", role: "status" });
  section.append(
    h(
      "div",
      { class: "card" },
      h("p", { class: "caption" }, "This page only shows. Steer on the machine that serves:"),
      list,
      h("p", { class: "note" }, "With ", h("code", {}, "--data FOLDER"), " where ", h("code", {}, "pilotage serve"), " was given one."),
      said,
    ),
  );
  let shown = "";
  return (view) => {
    const rows = words.commands(view);
    if (JSON.stringify(rows) === shown) return;
    shown = JSON.stringify(rows);
    list.replaceChildren(...rows.map(([does, typed]) => command(does, typed, said)));
  };
}

function command(does, typed, said) {
  const code = h("code", {}, typed);
  const button = h("button", { type: "button", "aria-label": `Copy: ${typed}` }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(typed);
      tell(button, "Copied");
      tell(said, `Copied: ${typed}`);
      setTimeout(() => tell(button, "Copy"), COPIED_MS);
    } catch {
      getSelection().selectAllChildren(code); // not allowed: it stands selected, to be copied by hand
      tell(said, "Selected; copy it with the keyboard.");
    }
  });
  return h("li", {}, h("span", {}, does), h("div", { class: "typed" }, code, typed.includes("…") ? null : button));
}

/** The error rates in plain words, what they stand on, and what else was counted. */
export function promise(section) {
  const promises = h("ul", { class: "promises" });
  const list = h("ul", {});
  const stands = h("details", {}, h("summary", {}, "What this stands on"), list);
  const counts = h("dl", { class: "counts" });
  const also = h("div", { class: "also" }, h("h3", {}, "Also counted"), counts);
  section.append(h("div", { class: "card" }, promises, stands, also));
  return (view) => {
    fill(promises, words.promises(view).map((text) => h("li", {}, text)));
    fill(list, view.assumptions.map((text) => h("li", {}, `${text[0]?.toUpperCase() ?? ""}${text.slice(1)}.`)));
    stands.hidden = !view.assumptions.length;
    const counted = Object.entries(view.counts).filter(([, count]) => count > 0);
    fill(counts, counted.map(([name, count]) => h("div", {}, h("dt", {}, name), h("dd", {}, words.whole(count)))));
    also.hidden = !counted.length;
  };
}

// The marks of phases, stages and verdicts: each a shape of its own, so that none needs its colour.

import { s } from "/dom.js";

const SIGNS = {
  check: "M6.5 12.5l3.6 3.6 7.4-8",
  cross: "M7.5 7.5l9 9m0-9l-9 9",
  minus: "M7 12h10",
  pause: "M9.5 8v8m5-8v8",
  play: "M10 8l6 4-6 4z",
  ask: "M9.3 9.6a2.8 2.8 0 1 1 4.2 2.5c-1 .6-1.5 1-1.5 2m0 2.6v.1",
  dot: "M12 12h.01",
};
const LOOKS = {
  running: ["ring", "play"],
  paused: ["ring", "pause"],
  held: ["ring", "ask"],
  live: ["disc", "check"],
  rolled_back: ["square", "cross"],
  aborted: ["square", "minus"],
  passed: ["disc", "check"],
  failed: ["square", "cross"],
  undecided: ["ring", "ask"],
  done: ["disc", "check"],
  now: ["ring", "play"],
  next: ["ring", "dot"],
  never: ["ring", "minus"],
  stopped: ["square", "cross"],
};

/** The mark of a word; words beside it say what it means. */
export function mark(word, size) {
  const [shape, sign] = LOOKS[word] ?? LOOKS.undecided;
  const ground =
    shape === "square"
      ? s("rect", { class: "ground", x: 1, y: 1, width: 22, height: 22, rx: 5 })
      : s("circle", { class: shape === "disc" ? "ground" : "rim", cx: 12, cy: 12, r: shape === "disc" ? 11 : 9.75 });
  return s(
    "svg",
    { class: `mark ${word}`, width: size, height: size, viewBox: "0 0 24 24", "aria-hidden": "true" },
    ground,
    s("path", { class: shape === "ring" ? "sign" : "sign on", d: SIGNS[sign] }),
  );
}

// The page lives: it reads the stream of views, shows each, and says when it is cut off.

import { dress, tell } from "/dom.js";
import * as sections from "/sections.js";
import * as words from "/words.js";

const AGAIN_MS = 2000;
const SILENT_MS = 40000; // the server beats every 15 s: more than two beats are missing

const at = (id) => document.getElementById(id);
const shows = [
  sections.outcome(at("outcome")),
  sections.stages(at("stages")),
  sections.guards(at("guards")),
  sections.traffic(at("traffic")),
  sections.happened(at("happened")),
  sections.steering(at("steer")),
  sections.promise(at("promise")),
];
let view = null;
let width = 0;
let told = "";
let stream = null;
let heard = Date.now();
let lostAt = null;

function show(next) {
  view = next;
  document.title = words.title(view);
  at("rest").hidden = false;
  tell(at("endpoint"), view.endpoint);
  for (const each of shows) each(view);
  tell(at("foot"), `Rollout ${view.rollout}. Candidate ${view.candidate.slice(0, 12)}, baseline ${view.baseline.slice(0, 12)}.`);
  sayAloud();
}

/** For screen readers: the sentence when something has changed, not whenever a minute has passed. */
function sayAloud() {
  const stage = view.stages.findIndex((each) => each.when === "now");
  const now = JSON.stringify([view.rollout, view.phase, stage, view.guards.map((each) => each.word)]);
  if (now === told) return;
  told = now;
  tell(at("aloud"), `${words.phase(view)}. ${view.sentence}`);
}

// --- the connection --------------------------------------------------------------------------------

function connect() {
  stream?.close();
  stream = new EventSource("/events");
  stream.addEventListener("open", hear);
  stream.addEventListener("beat", hear);
  stream.addEventListener("view", (message) => {
    hear();
    show(JSON.parse(message.data));
    tell(at("link"), `as of ${words.moment(view.updated_at)}`);
  });
  stream.addEventListener("error", () => {
    lose();
    stream.close();
    setTimeout(connect, AGAIN_MS);
  });
}

function hear() {
  heard = Date.now();
  lostAt = null;
  at("lost").hidden = true;
  dress(at("link"), "link", "live");
  tell(at("link"), view ? `as of ${words.moment(view.updated_at)}` : "connected");
}

function lose() {
  if (lostAt !== null) return;
  lostAt = Date.now();
  dress(at("link"), "link", "cut");
  tell(at("link"), "not connected");
  const kept = view ? " What you see is the last that was known." : "";
  tell(at("lost"), `Connection lost at ${words.moment(lostAt / 1000)}.${kept} Is pilotage serve running? Trying again …`);
  at("lost").hidden = false;
}

setInterval(() => {
  if (Date.now() - heard < SILENT_MS || lostAt !== null) return;
  lose();
  connect();
}, AGAIN_MS);

new ResizeObserver(([main]) => {
  if (main.contentRect.width === width) return;
  width = main.contentRect.width;
  if (view) show(view);
}).observe(at("main"));

connect();

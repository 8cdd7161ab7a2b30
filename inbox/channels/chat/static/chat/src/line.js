/** The socket, a quicker door than HTTP, and polling where there is none. One clock of a second drives it all. */

import { base, channel, place, tell } from "./page.js";
import { kept } from "./memory.js";
import { ask, begin } from "./session.js";
import { changed, looked, state, take } from "./state.js";

let socket;
let ready = false;
let barred = false;
/** When it was begun, last heard of, and may be tried again; how often it failed in a row. */
let since = 0;
let heard = 0;
let retryAt = 0;
let fails = 0;
let pollAt = 0;
let misses = 0;
let timer;
let shown = "";
let pingedAt = 0;
const hooks = {};

/** Call `then` for frames about `name`; also after a delivery of either door (`delivered`), and each second (`tick`). */
export const on = (name, then) => (hooks[name] = then);

/** Whether the socket is up. */
export const isUp = () => ready;

/** Send over the socket. False when it is not up. */
export const send = (frame) => ready && (socket.send(JSON.stringify(frame)), true);

/** Take over what was delivered, and tell the page of what others said. */
export const deliver = (data) => {
  const fresh = take(data);
  for (const event of fresh)
    if (event.kind !== "said") {
      state.typing = 0;
      tell("message", event);
    }
  hooks.delivered();
  changed();
};

/** Pause in ms after this many failures in a row: doubled each time, a minute at most. */
const pauseAfter = (n) => Math.min(6e4, 1e3 * 2 ** n);

const drop = (code) => {
  if (!socket) return;
  const now = Date.now();
  if (ready && now - since > 1e4) fails = 0;
  socket.onmessage = socket.onclose = null;
  socket.close();
  socket = null;
  ready = false;
  // After a restart all come back at once: spread over five seconds. Later ones wait 1, 2, 4 … s, half of it by chance.
  const pause = code === 1012 ? 5e3 * Math.random() : pauseAfter(fails) * (0.5 + Math.random() / 2);
  fails++;
  retryAt = now + pause;
  if (code === 4403) {
    // This page may not have the chat any more.
    state.gone = true;
    stop();
    changed();
    tell("error", { code: "origin" });
  }
  if (code === 4401) begin().catch(() => {});
};

const connect = () => {
  since = heard = Date.now();
  pingedAt = 0;
  try {
    socket = new WebSocket(`${base.replace("http", "ws")}/ws/chat/${channel}/`);
  } catch {
    // The page's own policy forbids it.
    barred = true;
    return;
  }
  socket.onopen = () => socket.send(JSON.stringify({ do: "hello", token: kept.all.token, after: state.seq }));
  socket.onclose = (event) => drop(event.code);
  socket.onmessage = (event) => {
    const frame = JSON.parse(event.data);
    const { about } = frame;
    pingedAt = 0;
    heard = Date.now();
    if (about === "ready") {
      ready = true;
      state.lost = false;
    }
    if (about === "typing") state.typing = frame.on && heard;
    if (about === "seen") state.seen = frame.seq;
    if (/ready|events|state/.test(about)) deliver(frame);
    hooks[about]?.(frame);
    changed();
  };
};

/** Ask for everything missed. */
export const poll = async () => {
  if (pollAt === Infinity) return;
  pollAt = Infinity;
  let pause = looked() ? 4e3 : 1e4;
  try {
    deliver(await ask("events?after=" + state.seq));
    state.lost = false;
    misses = 0;
  } catch (problem) {
    state.lost = !ready;
    pause = Math.max(pause, (problem.retry || 0) * 1e3, pauseAfter(misses++));
    changed();
  }
  pollAt = Date.now() + pause;
};

const ping = () => {
  pingedAt = Date.now();
  send({ do: "ping" });
};

const tick = () => {
  const now = Date.now();
  if (!state.open && state.status !== "open" && !state.outbox.length) return stop();
  // A machine that slept, or a net that lost the line without a word: a ping tells. The clock of a tab in the background
  // may be slow, so it is its answer that counts, not the time since the last frame.
  if (socket && (ready ? pingedAt && now - pingedAt > 5e3 : now - since > 8e3)) drop();
  else if (ready && !pingedAt && now - heard > 25e3) ping();
  if (!socket && !barred && now >= retryAt) connect();
  if (!ready && (barred || fails > 1 || now - since > 8e3) && now >= pollAt) poll();
  if (state.typing && now - state.typing > 9e3) {
    state.typing = 0;
    changed();
  }
  const page = place();
  if (shown && shown !== page.url && state.status === "open")
    send({ do: "page", ...page }) || ask("page", page).catch(() => {});
  shown = page.url;
  hooks.tick(now);
};

/** Be on the line as long as the panel is open or a talk goes on. */
export const go = () => {
  if (timer || state.gone) return;
  timer = setInterval(tick, 1e3);
  tick();
};

/** Hang up. */
export const stop = () => {
  clearInterval(timer);
  timer = 0;
  drop();
  retryAt = fails = 0;
};

/** The net, the page or the visitor came back: do not wait for the clock. */
export const hurry = () => {
  if (!timer || document.hidden) return;
  retryAt = 0;
  // One that is under way is not joined by a second.
  if (pollAt < Infinity) pollAt = 0;
  if (ready) ping();
  tick();
};

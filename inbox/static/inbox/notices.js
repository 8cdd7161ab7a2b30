// New chats and new words in one's own: sound, desktop notification, a flashing title. Only for what nobody here sees.

import * as socket from "./socket.js";

const place = document.getElementById("notices");
const words = JSON.parse(document.getElementById("notice-words").textContent);
const SOUND = "guichet:sound";
const SEEN_ALREADY = 4_000;

let known = null;
let now = { presence: null, waiting: [], mine: [] };

// Sound: two soft tones. Browsers allow it after the first key or click on the page.

let audio = null;
addEventListener("pointerdown", () => { audio ??= new AudioContext(); audio.resume(); }, { passive: true });
addEventListener("keydown", () => { audio ??= new AudioContext(); audio.resume(); }, { passive: true });

const stored = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
const store = (key, value) => { try { localStorage.setItem(key, value); } catch { /* not kept */ } };
const soundOn = () => stored(SOUND) !== "off";

function ring() {
  if (!soundOn() || audio?.state !== "running") return;
  [660, 880].forEach((pitch, index) => {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    const at = audio.currentTime + index * 0.16;
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(0.12, at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.32);
    tone.connect(volume).connect(audio.destination);
    tone.start(at);
    tone.stop(at + 0.35);
  });
}

// One window rings for all: the first one that says so.

function first(name) {
  const key = `guichet:told:${name}`;
  const told = Number(stored(key) ?? 0);
  if (Date.now() - told < SEEN_ALREADY) return false;
  store(key, Date.now());
  setTimeout(() => { try { localStorage.removeItem(key); } catch { /* not kept */ } }, SEEN_ALREADY);
  return true;
}

const visible = (ticket) => document.visibilityState === "visible" && socket.watched.includes(ticket);

async function tell(chat, text, name) {
  if (visible(chat.ticket)) { first(name); return; }
  // A moment, so that a window that shows the talk can say so first.
  await new Promise((resolve) => { setTimeout(resolve, 150 + 250 * Math.random()); });
  if (!first(name)) return;
  ring();
  flash(text.replace("%s", chat.name));
  if (document.visibilityState === "hidden" && "Notification" in window && Notification.permission === "granted") {
    const notice = new Notification(text.replace("%s", chat.name), { body: chat.text, tag: `guichet-${chat.ticket}`, renotify: true, icon: "/static/core/favicon.svg" });
    notice.addEventListener("click", () => { window.focus(); location.assign(`${place.dataset.chats}#${chat.number}`); notice.close(); });
  }
}

let title = null;
let flashing = 0;
function flash(text) {
  if (document.visibilityState !== "hidden") return;
  title ??= document.title;
  clearInterval(flashing);
  let on = false;
  const swap = () => { on = !on; document.title = on ? text : title; };
  swap();
  flashing = setInterval(swap, 1_200);
}
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "visible" || title === null) return;
  clearInterval(flashing);
  document.title = title;
  title = null;
});

function compare(state) {
  if (known) {
    for (const chat of state.waiting) if (!known.has(chat.ticket)) tell(chat, words.waiting, `w${chat.ticket}`);
    for (const chat of state.mine) {
      const heard = known.get(chat.ticket);
      if (heard === undefined) tell(chat, words.given, `m${chat.ticket}`);
      else if (chat.heard > heard) tell(chat, words.said, `${chat.ticket}-${chat.heard}`);
    }
  }
  known = new Map([...state.waiting, ...state.mine].map((chat) => [chat.ticket, chat.heard]));
}

// What the page shows

function show() {
  const count = now.waiting.length + now.mine.filter((chat) => chat.unread).length;
  for (const badge of document.querySelectorAll("[data-chats-count]")) badge.textContent = count || "";
  // Before the server has said it, nothing is claimed.
  for (const button of now.presence ? document.querySelectorAll("[data-presence-switch]") : []) {
    button.setAttribute("aria-pressed", String(now.presence === "online"));
    button.querySelector("[data-presence-text]").textContent = words[now.presence];
  }
  for (const button of document.querySelectorAll("[data-sound-switch]")) button.setAttribute("aria-pressed", String(soundOn()));
  for (const button of document.querySelectorAll("[data-notify-ask]")) button.hidden = !("Notification" in window) || Notification.permission !== "default";
}

function say(text) {
  const toast = document.createElement("div");
  toast.className = "g-toast";
  toast.textContent = text;
  document.getElementById("toasts").append(toast);
  setTimeout(() => toast.remove(), 5_000);
}

let asking = false;
let again = false;
async function look() {
  if (asking) { again = true; return; }
  asking = true;
  do {
    again = false;
    try {
      const response = await fetch(place.dataset.state, { headers: { "HX-Request": "true" }, credentials: "same-origin" });
      if (response.ok && !response.redirected) {
        now = await response.json();
        compare(now);
        show();
      }
    } catch { /* the next look tells it */ }
  } while (again);
  asking = false;
}

let soon = 0;
const lookSoon = () => { soon ||= setTimeout(() => { soon = 0; look(); }, 300 + 300 * Math.random()); };

document.addEventListener("desk:ticket", (event) => { if (event.detail.live) lookSoon(); });
document.addEventListener("desk:socket", (event) => { if (event.detail.state === "live") look(); });
document.addEventListener("desk:list", show);
setInterval(look, 60_000);

document.addEventListener("click", async (event) => {
  const on = (selector) => event.target.closest?.(selector);
  if (on("[data-sound-switch]")) {
    store(SOUND, soundOn() ? "off" : "on");
    show();
    ring();
  } else if (on("[data-notify-ask]")) {
    const answer = await Notification.requestPermission();
    say(answer === "granted" ? words.allowed : words.denied);
    show();
  } else if (on("[data-presence-switch]")) {
    const body = new FormData();
    body.set("state", now.presence === "online" ? "away" : "online");
    const token = document.getElementById("desk")?.dataset.csrf;
    const response = await fetch(place.dataset.presence, { method: "POST", body, headers: { "HX-Request": "true", "X-CSRFToken": token }, credentials: "same-origin" });
    if (response.ok) { now = { ...now, ...await response.json() }; show(); }
  }
});

show();
look();

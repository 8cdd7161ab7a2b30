// The socket: hints that something has changed, and who else is here. Whatever it misses, asking the server brings back.

import { desk, fill, words } from "./page.js";
import * as list from "./list.js";
import * as ticket from "./ticket.js";
import * as composer from "./composer.js";

const POLL = 10_000;
const SHOW = 10_000;
const SILENCE = 30_000;
const people = new Map();

let socket = null;
let tries = 0;
let heard = 0;
let state = "connecting";
let typingUntil = 0;

function tell(what) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(what));
}

function setState(name) {
  state = name;
  const place = document.getElementById("live");
  if (!place) return;
  place.dataset.state = name;
  place.querySelector("[data-live-text]").textContent = words[name];
}

function connect() {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  socket = new WebSocket(`${scheme}//${location.host}${desk.dataset.socket}`);
  socket.addEventListener("message", (event) => hear(JSON.parse(event.data)));
  socket.addEventListener("close", () => {
    setState("polling");
    people.clear();
    showPeople();
    tries += 1;
    setTimeout(connect, Math.min(30_000, 500 * 2 ** Math.min(tries, 6)) * (0.5 + Math.random()));
  });
}

function hear(what) {
  heard = Date.now();
  if (what.about === "ready") {
    const back = tries > 0;
    tries = 0;
    setState("live");
    watch();
    if (back) catchUp();
    else ticket.refresh();  // what came between the page and the socket
  } else if (what.about === "ticket") {
    const open = ticket.current();
    if (open && what.ticket === open.id) {
      if (what.seq > open.seq) ticket.refresh();
      else if (what.seq === open.seq) refreshDeliveries();
    }
    list.refreshSoon();
  } else if (what.about === "person") {
    if (what.state === "gone") people.delete(what.user);
    else people.set(what.user, { name: what.name, state: what.state, until: Date.now() + 25_000 });
    showPeople();
  } else if (what.about === "refused" && what.ticket === ticket.current()?.id) {
    ticket.refresh();
  }
}

let deliveriesSoon = 0;
function refreshDeliveries() {
  clearTimeout(deliveriesSoon);
  deliveriesSoon = setTimeout(() => ticket.refresh(), 300);
}

function catchUp() {
  ticket.refresh();
  list.refresh();
}

function watch() {
  people.clear();
  showPeople();
  const open = ticket.current();
  if (open && (desk.dataset.pane === "ticket" || open.element.offsetParent)) tell({ do: "watch", ticket: open.id });
  else tell({ do: "leave" });
}

function showPeople() {
  const place = document.getElementById("presence");
  if (!place) return;
  const now = Date.now();
  for (const [user, person] of people) if (person.until < now) people.delete(user);
  place.textContent = [...people.values()].map((person) => fill(words[person.state === "typing" ? "typing" : "looking"], person.name)).join(" · ");
  place.hidden = !people.size;
}

ticket.onOpen(watch);
composer.onTyping(() => { typingUntil = Date.now() + 6_000; tell({ do: "show", typing: true }); });

setInterval(() => {
  showPeople();
  if (state === "live" && Date.now() - heard > SILENCE) socket.close();  // half-open: nobody would tell us
  if (document.visibilityState === "visible") tell({ do: "show", typing: Date.now() < typingUntil });
}, SHOW);
setInterval(() => { if (state !== "live" && document.visibilityState === "visible") catchUp(); }, POLL);
setInterval(() => { if (document.visibilityState === "visible") list.refresh(); }, 60_000);
document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") catchUp(); });
document.addEventListener("desk:list", () => setState(state));
addEventListener("online", () => { catchUp(); if (socket?.readyState > 1) connect(); });

export function start() {
  setState("connecting");
  connect();
}

// Keeps the workspace up to date. Whatever the socket misses, asking the server brings back.

import { desk, fill, words } from "./page.js";
import * as socket from "./socket.js";
import * as list from "./list.js";
import * as ticket from "./ticket.js";
import * as composer from "./composer.js";

const POLL = 10_000;
const people = new Map();
const on = (name, listener) => document.addEventListener(`desk:${name}`, (event) => listener(event.detail));

function showState() {
  const place = document.getElementById("live");
  if (!place) return;
  place.dataset.state = socket.state;
  place.querySelector("[data-live-text]").textContent = words[socket.state];
}

on("socket", ({ state, again }) => {
  showState();
  people.clear();
  showPeople();
  if (state !== "live") return;
  if (again) catchUp();
  else ticket.refresh();  // what came between the page and the socket
});

on("ticket", (what) => {
  const open = ticket.current();
  if (open && what.ticket === open.id) {
    people.delete("visitor");  // what he typed has come, or he starts again
    if (what.seq > open.seq) ticket.refresh();
    else if (what.seq === open.seq) refreshDeliveries();
  }
  list.refreshSoon();
});

on("person", (what) => {
  if (what.ticket !== ticket.current()?.id) return;
  if (what.state === "gone") people.delete(what.user);
  else people.set(what.user, { name: what.name, state: what.state, until: Date.now() + 25_000 });
  showPeople();
});

on("visitor", (what) => {
  if (what.ticket !== ticket.current()?.id) return;
  if (what.sign === "typing") {
    const name = document.querySelector(".desk-about__who .g-heading")?.textContent ?? "";
    people.set("visitor", { name, state: "typing", until: what.on === false ? 0 : Date.now() + 6_000 });
    setTimeout(showPeople, 6_100);
    showPeople();
  } else if (what.sign !== "seen") ticket.loadAbout();
});

on("refused", (what) => { if (what.ticket === ticket.current()?.id) ticket.refresh(); });

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
  socket.watch(open && (desk.dataset.pane === "ticket" || open.element.offsetParent) ? [open.id] : []);
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

setInterval(showPeople, POLL);
setInterval(() => { if (socket.state !== "live" && document.visibilityState === "visible") catchUp(); }, POLL);
setInterval(() => { if (document.visibilityState === "visible") list.refresh(); }, 60_000);
document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") catchUp(); });
document.addEventListener("desk:list", showState);
addEventListener("online", catchUp);

/** Begin, when all modules are there. */
export function start() {
  showState();
  watch();
  if (socket.state === "live") catchUp();
}

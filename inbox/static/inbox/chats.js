// Chats side by side: which talks stand in columns, the list beside them, and what the socket says of either.

import "./choices.js";
import { ask, desk, gather, keys, parse, root, say, typing, words } from "./page.js";
import * as socket from "./socket.js";
import { Column } from "./column.js";

const MOST = Number(desk.dataset.most);
const KEPT = `guichet:chats:${desk.dataset.user}`;
const byId = (id) => document.getElementById(id);
const place = byId("chats-columns");
const columns = [];
const on = (name, listener) => document.addEventListener(`desk:${name}`, (event) => listener(event.detail));
const find = (number) => columns.find((column) => column.number === String(number));

// Columns

function keep() {
  const numbers = columns.map((column) => column.number);
  try { localStorage.setItem(KEPT, JSON.stringify(numbers)); } catch { /* a browser that keeps nothing begins anew */ }
  place.dataset.count = columns.length;
  byId("chats-empty").hidden = columns.length > 0;
  socket.watch(columns.map((column) => column.ticket));
  showTabs();
  mark();
}

let current = null;

export function choose(column) {
  current = column;
  for (const each of columns) each.element.classList.toggle("is-current", each === column);
  showTabs();
}

async function open(number, { focus = true } = {}) {
  const known = find(number);
  if (known) { choose(known); known.element.scrollIntoView({ inline: "nearest", block: "nearest" }); if (focus) known.focus(); return known; }
  if (columns.length >= MOST) { say(words.full, "warning"); return null; }
  const response = await ask(`${root}chats/${number}/`);
  if (!response?.ok || find(number) || columns.length >= MOST) { if (response?.status === 404) say(words.gone, "warning"); return null; }
  const column = new Column(parse(await response.text()).querySelector("[data-chat]"), { close, choose, changed: linesSoon });
  columns.push(column);
  place.append(column.element);
  column.toEnd();
  choose(column);
  keep();
  linesSoon();
  if (focus) column.focus();
  return column;
}

function close(column) {
  columns.splice(columns.indexOf(column), 1);
  column.element.remove();
  if (current === column) choose(columns[0] ?? null);
  keep();
}

async function take(number) {
  const body = new FormData();
  body.set("seen", "0");  // a form without any field is no form
  const response = await ask(`${root}chats/${number}/do/take/`, { method: "POST", body });
  if (!response?.ok) { if (response) say(words.failed, "error"); return; }
  const column = await open(number);
  column?.refresh();
  lines();
}

function showTabs() {
  byId("chats-tabs").replaceChildren(...columns.map((column, index) => {
    const tab = document.createElement("button");
    tab.type = "button";
    tab.className = "chats-tab";
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-selected", String(column === current));
    tab.textContent = `${index + 1} ${column.element.dataset.name}`;
    tab.addEventListener("click", () => { desk.dataset.pane = "talk"; choose(column); column.focus(); });
    return tab;
  }));
  byId("chats-tabs").querySelector("[aria-selected=true]")?.scrollIntoView({ inline: "nearest", block: "nearest" });
  desk.dataset.pane = columns.length ? desk.dataset.pane ?? "talk" : "lines";
}

byId("chats-back").addEventListener("click", () => { desk.dataset.pane = "lines"; });

// The list beside them

async function lines() {
  const response = await ask(`${root}chats/list/`, { quiet: true });
  if (!response?.ok) return;
  const fresh = parse(await response.text());
  const focused = document.activeElement?.closest?.("[data-line]")?.dataset.line;  // after the wait: he may have gone on
  byId("chats-lines").replaceChildren(...fresh.childNodes);
  if (focused) byId("chats-lines").querySelector(`[data-line="${focused}"] a`)?.focus();
  mark();
}
const linesSoon = gather(lines, 700);

function mark() {
  for (const line of byId("chats-lines").querySelectorAll("[data-line]")) line.classList.toggle("is-open", Boolean(find(line.dataset.line)));
}

byId("chats-lines").addEventListener("click", (event) => {
  const link = event.target.closest("[data-chat-open]");
  const taking = event.target.closest("[data-chat-take]");
  if (link) { event.preventDefault(); desk.dataset.pane = "talk"; open(link.dataset.chatOpen); }
  else if (taking) { desk.dataset.pane = "talk"; take(taking.dataset.chatTake); }
});

// What the socket says

on("ticket", (what) => {
  const column = columns.find((each) => each.ticket === what.ticket);
  if (column && what.seq >= column.seq) column.refresh();
  if (column || what.live) linesSoon();
});
on("visitor", (what) => {
  columns.find((each) => each.ticket === what.ticket)?.sign(what);
  if (what.sign === "here" || what.sign === "gone") linesSoon();
});
on("person", (what) => columns.find((each) => each.ticket === what.ticket)?.person(what));
on("refused", (what) => columns.find((each) => each.ticket === what.ticket)?.refresh());

function catchUp() {
  for (const column of columns) column.refresh();
  lines();
}

function showState() {
  byId("live").dataset.state = socket.state;
  byId("live").querySelector("[data-live-text]").textContent = words[socket.state];
}
on("socket", ({ state }) => { showState(); if (state === "live") catchUp(); });
setInterval(() => { if (socket.state !== "live" && document.visibilityState === "visible") catchUp(); }, 10_000);
setInterval(() => { if (document.visibilityState === "visible") lines(); }, 30_000);
document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") catchUp(); });
addEventListener("online", catchUp);

// Keys

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key === "Escape" && typing(event.target)) { event.target.blur(); return; }
  if (typing(event.target)) return;
  const at = ["chat1", "chat2", "chat3", "chat4"].findIndex((name) => keys[name] === event.key);
  if (at >= 0 && columns[at]) { event.preventDefault(); choose(columns[at]); columns[at].focus(); }
  else if (event.key === keys.back) location.assign(root);
});
addEventListener("hashchange", () => openHash());

const openHash = () => { const number = location.hash.match(/^#(\d+)$/); return number ? open(number[1]) : null; };

async function start() {
  showState();
  let kept = [];
  try { kept = JSON.parse(localStorage.getItem(KEPT) ?? "[]"); } catch { /* unreadable: none */ }
  const own = [...byId("chats-lines").querySelectorAll("[data-own]")].map((line) => line.dataset.line);
  const asked = location.hash.match(/^#(\d+)$/)?.[1];
  const wanted = [...new Set([asked, ...kept.filter((number) => own.includes(number)), ...own].filter(Boolean))].slice(0, MOST);
  for (const number of wanted) await open(number, { focus: number === asked });
  keep();
}

start();

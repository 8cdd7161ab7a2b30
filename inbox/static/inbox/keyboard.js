// Single keys outside of input fields, and the palette.

import { desk, keys, parse, root, typing, words } from "./page.js";
import * as list from "./list.js";
import * as ticket from "./ticket.js";
import * as choices from "./choices.js";
import * as dialog from "./dialog.js";
import * as composer from "./composer.js";
import * as ways from "./ways.js";

let byKey = {};
export function use(chosen) {
  byKey = Object.fromEntries(Object.entries(chosen).map(([name, key]) => [key, name]));
}
use(keys);

const open = () => ticket.current() && (desk.dataset.pane === "ticket" || document.getElementById("ticket").offsetParent);

const actions = {
  next: () => list.openRow(list.neighbour(1)),
  previous: () => list.openRow(list.neighbour(-1)),
  open: () => list.openRow(list.neighbour(0) ?? list.rows()[0]),
  back: () => ticket.close(),
  reply: () => open() && composer.focus("reply"),
  note: () => open() && composer.focus("note"),
  way: () => open() && (composer.focus("reply"), ways.open()),
  assign: () => (list.selected().length ? choices.open(document.querySelector("[data-bulk-menu=assign]")) : open() && ticket.menu("assign")),
  mine: () => (list.selected().length ? list.bulk("assign", "me") : open() && ticket.deed("assign", "me")),
  resolve: () => (list.selected().length ? list.bulk("status", "resolved") : open() && ticket.deed("status", "resolved")),
  snooze: () => open() && ticket.menu("snooze"),
  merge: () => (list.selected().length > 1 ? dialog.choose("merge", (value) => list.bulk("merge", value)) : open() && dialog.choose("merge", (value) => ticket.deed("merge", value))),
  tag: () => (list.selected().length ? dialog.choose("tag", (value) => list.bulk("tag", value)) : open() && ticket.menu("tag")),
  priority: () => open() && ticket.menu("priority"),
  macro: () => open() && dialog.choose("macro", (value) => ticket.deed("macro", value)),
  select: () => list.toggle(list.neighbour(0) ?? document.activeElement.closest("[data-row]")),
  call: () => document.dispatchEvent(new CustomEvent("desk:log-call", { detail: { ticket: open() ? ticket.current().number : "" } })),
  chats: () => location.assign(`${root}chats/`),
  compose: () => location.assign(`${root}new/`),
  search: () => document.getElementById("search")?.focus(),
  copy: () => ticket.copyNumber(),
  help: () => dialog.load(`${root}shortcuts/`),
};

const MOVES = new Set(["next", "previous"]);
let waiting = false;

addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    event.stopPropagation();
    openPalette();
    return;
  }
  if (event.key === "Escape") {
    // Who closes what is suggested goes on typing: his next letters must not become the page's keys.
    const closes = document.querySelector("dialog[open], .desk-suggest:not([hidden])");
    if (typing(event.target) && !closes) event.target.blur();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || document.querySelector("dialog[open]")) return;
  if (event.target.closest?.("details[open]")) return;
  const action = actions[byKey[event.key]];
  if (!action) return;
  event.preventDefault();
  event.stopPropagation();
  if (waiting) return;
  if (MOVES.has(byKey[event.key])) { action(); return; }
  waiting = true;
  ticket.settled().finally(() => { waiting = false; action(); });
}, true);

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-key]");
  if (!button || button.closest("form[data-deed]")) return;
  for (const menu of document.querySelectorAll("details.g-menu[open]")) menu.open = false;
  actions[button.dataset.key]?.();
});

// Palette

const palette = document.getElementById("palette");
const input = document.getElementById("palette-input");
const lines = document.getElementById("palette-list");
let commands = null;
let at = 0;
let turn = 0;

function openPalette() {
  if (document.querySelector("dialog[open]")) return;
  commands ??= loadCommands();
  input.value = "";
  palette.showModal();
  fillPalette();
}

async function loadCommands() {
  const response = await fetch(`${root}shortcuts/`, { headers: { "HX-Request": "true" } });
  const sheet = parse(await response.text());
  return [...sheet.querySelectorAll("label.desk-keys__row")].map((row) => ({ name: row.querySelector("input").name, key: row.querySelector("input").value, label: row.querySelector("span").textContent }));
}

function line(label, more) {
  const item = document.createElement("li");
  item.className = "desk-found";
  item.setAttribute("role", "option");
  const text = document.createElement("span");
  text.textContent = label;
  item.append(text);
  if (more) {
    const key = document.createElement("kbd");
    key.className = "g-kbd";
    key.textContent = more;
    item.append(key);
  }
  return item;
}

async function fillPalette() {
  const mine = ++turn;
  if (input.value) await new Promise((resolve) => { setTimeout(resolve, 120); });
  if (mine !== turn) return;
  const wanted = input.value.trim().toLowerCase();
  const known = (await commands).filter((one) => one.label.toLowerCase().includes(wanted)).slice(0, wanted ? 4 : 12);
  const views = [...document.querySelectorAll("a.desk-view")].filter((one) => wanted && one.textContent.toLowerCase().includes(wanted)).slice(0, 4);
  const tickets = await dialog.findTickets(input.value);
  if (mine !== turn) return;
  const shown = [
    ...tickets.map((item) => dialog.foundLine(item)),
    ...views.map((view) => Object.assign(line(view.querySelector(".g-grow").textContent, ""), { view: new URL(view.href).search })),
    ...known.map((one) => Object.assign(line(one.label, one.key), { command: one.name })),
  ];
  lines.replaceChildren(...(shown.length ? shown : [line(words.none, "")]));
  at = 0;
  point();
}

function point() {
  [...lines.children].forEach((item, index) => {
    item.id = `palette-${index}`;
    item.setAttribute("aria-selected", String(index === at));
    if (index === at) item.scrollIntoView({ block: "nearest" });
  });
  input.setAttribute("aria-activedescendant", `palette-${at}`);
}

function pick(item) {
  if (!item) return;
  palette.close();
  if (item.dataset.url) ticket.open(item.dataset.url);
  else if (item.view) list.show(item.view);
  else if (item.command) actions[item.command]?.();
}

input.addEventListener("input", fillPalette);
input.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    at = (at + (event.key === "ArrowDown" ? 1 : -1) + lines.children.length) % lines.children.length;
    point();
  } else if (event.key === "Enter") {
    event.preventDefault();
    pick(lines.children[at]);
  }
});
lines.addEventListener("click", (event) => pick(event.target.closest("li")));
palette.addEventListener("click", (event) => { if (event.target === palette) palette.close(); });

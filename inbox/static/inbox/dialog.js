// The one dialog, and choosing a ticket.

import { ask, desk, parse, root, say, words } from "./page.js";
import * as choices from "./choices.js";
import * as ticket from "./ticket.js";
import * as keyboard from "./keyboard.js";

const dialog = document.getElementById("dialog");

// Dialog

export function show(...nodes) {
  dialog.replaceChildren(...nodes);
  if (!dialog.open) dialog.showModal();
}

export const close = () => dialog.close();

export async function load(url) {
  const response = await ask(url);
  if (response?.ok) show(...parse(await response.text()).childNodes);
}

function element(tag, cls, text = "") {
  const made = document.createElement(tag);
  if (cls) made.className = cls;
  if (text) made.textContent = text;
  return made;
}

function frame(title, body) {
  const head = element("div", "g-dialog__head");
  const name = element("span", "", title);
  name.id = "dialog-title";
  const shut = element("button", "g-button g-button--quiet g-button--small", words.close);
  shut.type = "button";
  shut.dataset.dialogClose = "";
  head.append(name, shut);
  const inner = element("div", "g-dialog__body g-stack g-stack--tight");
  inner.append(...body);
  show(head, inner);
}

/** Nine o'clock of the next day, as a field of date and time takes it. */
function tomorrow() {
  const day = new Date(Date.now() + 86_400_000);
  day.setHours(9, 0, 0, 0);
  return new Date(day - day.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** Ask for one value; `done` gets it. */
function field(title, type, value, done) {
  const form = element("form", "g-stack g-stack--tight");
  const input = element("input", "g-input");
  input.type = type;
  input.value = value;
  input.required = true;
  input.setAttribute("aria-label", title);
  const save = element("button", "g-button g-button--primary", words.save);
  form.append(input, save);
  form.addEventListener("submit", (event) => { event.preventDefault(); close(); done(input.value); });
  frame(title, [form]);
  input.focus();
}

/** Choose one of the server's choices (queue, tag, macro) or a ticket; `done` gets its value. */
export function choose(what, done) {
  if (what === "merge") { findTicket(done); return; }
  const box = element("form", "g-menu__panel--plain");
  box.addEventListener("submit", (event) => {
    event.preventDefault();
    const value = event.submitter?.value;
    if (value) { close(); done(value); }
  });
  frame(words[what], [box]);
  choices.load(box, `${root}choices/${{ queue: "queues", tag: "tags", macro: "macros" }[what]}/`);
}

function findTicket(done) {
  const input = element("input", "g-input");
  input.type = "search";
  input.placeholder = words.search;
  input.setAttribute("aria-label", words.search);
  const found = element("ul", "g-list");
  let turn = 0;
  let at = 0;
  const options = () => [...found.children].filter((item) => item.dataset.number);
  const point = () => options().forEach((item, index) => item.setAttribute("aria-selected", String(index === at)));
  const pick = (item) => { close(); done(item.dataset.number); };
  input.addEventListener("input", async () => {
    const mine = ++turn;
    await new Promise((resolve) => { setTimeout(resolve, 120); });
    if (mine !== turn) return;
    const items = await findTickets(input.value);
    if (mine !== turn) return;
    const here = ticket.current()?.number;
    found.replaceChildren(...items.filter((item) => String(item.number) !== here).map((item) => foundLine(item)));
    at = 0;
    point();
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      at = Math.max(0, Math.min(options().length - 1, at + (event.key === "ArrowDown" ? 1 : -1)));
      point();
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (options()[at]) pick(options()[at]);
    }
  });
  found.addEventListener("click", (event) => { const item = event.target.closest("[data-number]"); if (item) pick(item); });
  frame(words.merge, [element("p", "g-small g-muted", words.mergeHelp), input, found]);
  input.focus();
}

export async function findTickets(text) {
  if (!text.trim()) return [];
  const response = await ask(`${root}find/?q=${encodeURIComponent(text)}`, { quiet: true });
  return response?.ok ? (await response.json()).items : [];
}

export function foundLine(item) {
  const line = element("li", "desk-found");
  line.setAttribute("role", "option");
  line.dataset.number = item.number;
  line.dataset.url = item.url;
  line.append(element("span", "", item.subject), element("small", "", item.contact), element("small", "", item.status), element("small", "", "#" + item.number));
  return line;
}

// A search field would take the first Escape to empty itself.
document.addEventListener("keydown", (event) => {
  const open = event.key === "Escape" && event.target.matches?.("input") && event.target.closest("dialog[open]");
  if (open) { event.preventDefault(); open.close(); }
}, true);

document.addEventListener("click", (event) => {
  const on = (selector) => event.target.closest(selector);
  if (on("[data-dialog-url]")) load(on("[data-dialog-url]").dataset.dialogUrl);
  else if (on("[data-dialog-close]")) close();
  else if (on("[data-dialog=snooze]")) field(words.snooze, "datetime-local", tomorrow(), (value) => ticket.deed("snooze", value));
  else if (on("[data-dialog=subject]")) field(words.subject, "text", document.querySelector(".desk-head__subject").textContent, (value) => ticket.deed("subject", value));
  else if (on("[data-pane-to]")) {
    if (on("[data-pane-to]").dataset.paneTo === "list") ticket.close();
    else desk.dataset.pane = on("[data-pane-to]").dataset.paneTo === desk.dataset.pane ? "list" : on("[data-pane-to]").dataset.paneTo;
  } else if (event.target === dialog) close();
});

document.addEventListener("error", (event) => {
  const picture = event.target;
  if (picture.matches?.("img.desk-look")) picture.replaceWith(element("p", "", picture.dataset.unavailable));
  else if (picture.matches?.(".desk-picture img")) picture.closest(".desk-picture").remove();
}, true);

dialog.addEventListener("submit", async (event) => {
  if (!event.target.matches("[data-shortcuts]")) return;
  event.preventDefault();
  const response = await ask(event.target.action, { method: "POST", body: new FormData(event.target, event.submitter) });
  if (response?.ok) { keyboard.use(await response.json()); close(); say(words.saved); }
  else if (response) show(...parse(await response.text()).childNodes);
});

// Menus whose choices are loaded, the one dialog, and choosing a ticket.

import { ask, desk, parse, root, say, words } from "./page.js";
import * as ticket from "./ticket.js";
import * as keyboard from "./keyboard.js";

const dialog = document.getElementById("dialog");

// Menus

document.addEventListener("toggle", async (event) => {
  const menu = event.target;
  if (!menu.matches?.("details[data-choices]") || !menu.open) return;
  const place = menu.querySelector("[data-choices-here]") ?? menu.querySelector(".g-menu__panel");
  if (!place.hasChildNodes()) {
    const response = await ask(menu.dataset.choices);
    if (response?.ok) place.replaceChildren(...parse(await response.text()).childNodes);
  }
  place.querySelector("[data-choices-find]")?.focus();
}, true);

document.addEventListener("input", (event) => {
  if (!event.target.matches("[data-choices-find]")) return;
  const wanted = event.target.value.trim().toLowerCase();
  for (const choice of event.target.parentElement.querySelectorAll("[data-choice]")) {
    choice.hidden = !choice.dataset.choice.toLowerCase().includes(wanted);
  }
});

document.addEventListener("keydown", (event) => {
  const panel = event.target.closest?.(".g-menu__panel");
  if (!panel || !["ArrowDown", "ArrowUp", "Enter"].includes(event.key)) return;
  const items = [...panel.querySelectorAll("button.g-menu__item")].filter((item) => item.offsetParent);
  const finding = event.target.matches("[data-choices-find]");
  if (event.key === "Enter") {
    if (!finding) return;
    const exact = items.find((item) => item.dataset.choice?.trim().toLowerCase() === event.target.value.trim().toLowerCase());
    const form = panel.closest("form");
    event.preventDefault();
    if (form && "newChoice" in form.dataset && !exact) {  // a tag that does not exist yet
      if (event.target.value.trim()) form.requestSubmit();
      return;
    }
    event.target.removeAttribute("name");
    (exact ?? items.find((item) => item.dataset.choice !== undefined))?.click();
    return;
  }
  event.preventDefault();
  const at = items.indexOf(document.activeElement);
  items[(at + (event.key === "ArrowDown" ? 1 : -1) + items.length) % items.length]?.focus();
});

// A click on a choice must not send the search word beside it.
document.addEventListener("click", (event) => {
  const choice = event.target.closest("button[data-choice]");
  choice?.closest("form")?.querySelector("[data-choices-find]")?.removeAttribute("name");
}, true);

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
export async function choose(what, done) {
  if (what === "merge") return findTicket(done);
  const response = await ask(`${root}choices/${{ queue: "queues", tag: "tags", macro: "macros" }[what]}/`);
  if (!response?.ok) return;
  const box = element("form", "g-menu__panel--plain");
  box.append(...parse(await response.text()).childNodes);
  if (what === "tag") box.dataset.newChoice = "";
  box.addEventListener("submit", (event) => {
    event.preventDefault();
    const value = event.submitter?.value || box.querySelector("[data-choices-find]").value;
    if (value) { close(); done(value); }
  });
  frame(words[what], [box]);
  box.querySelector("[data-choices-find]")?.focus();
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
  else if (on("[data-dialog=snooze]")) field(words.snooze, "datetime-local", "", (value) => ticket.deed("snooze", value));
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

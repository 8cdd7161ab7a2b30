// The open ticket: opening it, doing something to it, and bringing it up to date without losing anything.

import { ask, desk, parse, say, showPane, words } from "./page.js";
import * as choices from "./choices.js";
import * as list from "./list.js";
import { group } from "./grouping.js";

const place = document.getElementById("conversation");
const byId = (id) => document.getElementById(id);
const listeners = [];
const readers = [];

export const onOpen = (listener) => listeners.push(listener);
/** Called with every fragment of changes that was taken in. */
export const onFragment = (reader) => readers.push(reader);

export function current() {
  const ticket = byId("ticket");
  return ticket && { id: Number(ticket.dataset.ticket), number: ticket.dataset.number, seq: Number(ticket.dataset.seq), element: ticket };
}

let asked = 0;
let opening = Promise.resolve();

/** Resolves when no ticket is on its way any more: what is pressed meanwhile is meant for the one that comes. */
export const settled = () => opening;

/** Show a ticket. The address says which; the list keeps its place. */
export function open(url, options) {
  opening = load(url, options);
  return opening;
}

async function load(url, { push = true } = {}) {
  const turn = ++asked;
  const response = await ask(url);
  if (!response || turn !== asked) return;
  if (!response.ok) {
    if (response.status === 404) say(words.gone, "warning");
    return;
  }
  place.replaceChildren(...parse(await response.text()).childNodes);
  const landed = new URL(response.url);
  if (push) history.pushState({}, "", landed.pathname + new URL(url, location.href).search);
  showPane("ticket");
  opened();
}

export function close({ push = true } = {}) {
  asked += 1;
  if (push) history.pushState({}, "", desk.dataset.root + "?" + (list.query() || ""));
  showPane("list");
  list.mark(null);
  for (const listener of listeners) listener(null);
}

/** The ticket is not ours to see any more: nothing of it stays, and nobody asks for it again. */
function gone() {
  say(words.gone, "warning");
  place.replaceChildren(byId("nothing-open").content.cloneNode(true));
  close();
}

function opened() {
  const ticket = current();
  if (!ticket) return;
  document.title = ticket.element.dataset.title;
  toEnd();
  list.mark(ticket.id, true);
  for (const button of place.querySelectorAll("[data-open-frame] [data-frame]")) showFrame(button);
  loadAbout();
  for (const listener of listeners) listener(ticket);
}

function toEnd() {
  const talk = byId("talk");
  const unseen = talk?.querySelector(".is-unseen");
  if (unseen && talk.scrollHeight > talk.clientHeight) unseen.scrollIntoView({ block: "start" });
  else if (talk) talk.scrollTop = talk.scrollHeight;
}

/** The customer beside the conversation, as he is known now. */
export async function loadAbout() {
  const about = byId("about");
  if (!about) return;
  const response = await ask(about.dataset.url, { quiet: true });
  if (response?.ok && about.isConnected) about.replaceChildren(...parse(await response.text()).childNodes);
}

/** Take in a fragment of changes. Entries are known by their sequence number, so nothing appears twice or out of order. */
export function apply(html) {
  const fragment = parse(html).querySelector("[data-fragment]");
  const ticket = current();
  if (!fragment || !ticket || fragment.dataset.ticket !== String(ticket.id)) return;
  const talk = byId("talk");
  const atEnd = talk.scrollHeight - talk.scrollTop - talk.clientHeight < 160;
  const entries = byId("entries");
  let added = false;
  for (const entry of fragment.querySelectorAll("[data-part=entries] > [data-entry]")) {
    const known = byId(entry.id);
    if (known) {
      known.replaceWith(entry);
    } else {
      const seq = Number(entry.dataset.entry);
      const next = [...entries.children].find((other) => Number(other.dataset.entry) > seq);
      entries.insertBefore(entry, next ?? null);
      added = true;
    }
    for (const button of entry.querySelectorAll("[data-open-frame] [data-frame]")) showFrame(button);
  }
  group(entries);
  for (const delivery of fragment.querySelectorAll("[data-part=deliveries] > [data-delivery]")) {
    const known = byId(delivery.id);
    if (known && known.innerHTML !== delivery.innerHTML) known.replaceWith(delivery);
  }
  const head = byId("ticket-head");
  const renewed = fragment.querySelector("[data-part=head]");
  if (renewed && !head.querySelector("details[open]")) {
    head.replaceChildren(...renewed.childNodes);
    ticket.element.dataset.head = fragment.dataset.head;
  }
  for (const reader of readers) reader(fragment);
  ticket.element.dataset.seq = Math.max(ticket.seq, Number(fragment.dataset.seq));
  if (added && atEnd) talk.scrollTop = talk.scrollHeight;
  // Messages that went elsewhere are told by what took them, not by themselves.
  if (added && entries.querySelector("[data-what~=split]:last-child, [data-what~=merge-undone]:last-child")) reload();
}

let running = false;
let again = false;

/** Ask for everything after what is shown. Calls during a call make one more. */
export async function refresh() {
  if (running) { again = true; return; }
  running = true;
  do {
    again = false;
    const ticket = current();
    if (!ticket || desk.dataset.pane !== "ticket" && !ticket.element.offsetParent) break;
    const response = await ask(`${desk.dataset.root}${ticket.number}/after/${ticket.seq}/?head=${ticket.element.dataset.head}`, { quiet: true });
    if (response?.status === 404) {
      gone();
    } else if (response?.ok) {
      apply(await response.text());
    }
  } while (again);
  running = false;
}

export const reload = () => current() && open(location.pathname + location.search, { push: false });

/** Send a form that does something to the ticket, and show what came of it. */
export async function send(form, submitter = null) {
  const body = new FormData(form, submitter);
  const ticket = current();
  body.set("seen", ticket?.seq ?? 0);
  for (const menu of form.closest("details[open]") ? [form.closest("details[open]")] : []) menu.open = false;
  const response = await ask(form.action, { method: "POST", body });
  if (!response) return false;
  const elsewhere = response.headers.get("X-Ticket");
  if (response.status === 422) {
    const refused = parse(await response.text());
    say((elsewhere ? refused.querySelector("[data-refused]").firstChild : refused).textContent.trim(), "error");
    if (elsewhere) await open(`${desk.dataset.root}${elsewhere}/${location.search}`, { push: false });
    return false;
  }
  if (elsewhere === "gone") { gone(); list.refresh(); return true; }
  if (elsewhere) {
    const merge = response.headers.get("X-Merge");
    say(merge ? words.merged : words.split, "", merge && (() => undoMerge(elsewhere, merge)));
    await open(`${desk.dataset.root}${elsewhere}/${location.search}`);
    list.refresh();
    return true;
  }
  if (!response.ok) { say(words.failed, "error"); return false; }
  apply(await response.text());
  if ("reload" in form.dataset) { await reload(); }
  list.refresh();
  return true;
}

async function undoMerge(number, merge) {
  const body = new FormData();
  body.set("seen", "0");  // a form without any field is no form
  const response = await ask(`${desk.dataset.root}${number}/unmerge/${merge}/`, { method: "POST", body });
  if (response?.ok) await open(`${desk.dataset.root}${number}/${location.search}`, { push: false });
  list.refresh();
}

/** One deed without a form: from a key or the palette. */
export async function deed(name, value) {
  const ticket = current();
  if (!ticket) return;
  const form = document.createElement("form");
  form.action = `${desk.dataset.root}${ticket.number}/do/${name}/`;
  const input = document.createElement("input");
  input.name = "value";
  input.value = value;
  form.append(input);
  await send(form);
}

function showFrame(button) {
  const box = button.parentElement;
  const frame = box.querySelector("iframe");
  if (frame) {
    for (const part of box.querySelectorAll("iframe, [data-pictures]")) part.remove();
    button.setAttribute("aria-expanded", "false");
    button.lastChild.textContent = words.show;
    return;
  }
  const shown = document.createElement("iframe");
  shown.setAttribute("sandbox", "allow-popups allow-popups-to-escape-sandbox");
  shown.setAttribute("referrerpolicy", "no-referrer");
  shown.className = "g-message__frame";
  if (button.dataset.height) shown.classList.add(`g-message__frame--${button.dataset.height}`);
  shown.title = words.frame;
  shown.src = button.dataset.frame;
  const pictures = document.createElement("button");
  pictures.type = "button";
  pictures.className = "g-button g-button--quiet g-button--small";
  pictures.dataset.pictures = button.dataset.frame + "?pictures=1";
  pictures.textContent = words.pictures;
  box.append(pictures, shown);
  button.setAttribute("aria-expanded", "true");
  button.lastChild.textContent = words.hide;
}

place.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-deed]")) return;
  event.preventDefault();
  send(event.target, event.submitter);
});

place.addEventListener("click", async (event) => {
  const on = (selector) => event.target.closest(selector);
  if (on("[data-frame]")) showFrame(on("[data-frame]"));
  else if (on("[data-pictures]")) {
    on("[data-pictures]").parentElement.querySelector("iframe").src = on("[data-pictures]").dataset.pictures;
    on("[data-pictures]").remove();
  } else if (on("[data-about]")) byId("about").classList.toggle("is-open");
  else if (on("[data-copy]")) copyNumber();
  else if (on("[data-earlier]")) {
    event.preventDefault();
    const response = await ask(on("[data-earlier]").href);
    if (!response?.ok) return;
    const found = parse(await response.text()).querySelector("[data-earlier-fragment]");
    const talk = byId("talk");
    const below = talk.scrollHeight - talk.scrollTop;
    byId("earlier").remove();
    byId("entries").prepend(...found.querySelector("ol").children);
    group(byId("entries"));
    const more = found.querySelector("#earlier");
    if (more) talk.prepend(more);
    talk.scrollTop = talk.scrollHeight - below;
  }
});

// The menu of the last message would end below what is seen of the conversation.
place.addEventListener("toggle", (event) => {
  if (event.target.matches(".desk-message__menu[open]")) event.target.querySelector(".g-menu__panel").scrollIntoView({ block: "nearest" });
}, true);

export function copyNumber() {
  const ticket = current();
  if (ticket) navigator.clipboard?.writeText(ticket.number).then(() => say(words.copied), () => say("#" + ticket.number));
}

export function menu(name) {
  const found = place.querySelector(`details[data-menu="${name}"]`);
  if (!found) return;
  if ("choices" in found.dataset) { choices.open(found); return; }  // at once: its event comes later than the next letter
  found.open = true;
  (found.querySelector("button[aria-current]") ?? found.querySelector("button")).focus();
}

export function start() {
  if (current()) opened();
}

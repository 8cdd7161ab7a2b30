// The way an answer takes: which channel, and to whom. What is shown is what is sent.

import { ask, parse, words } from "./page.js";
import * as ticket from "./ticket.js";
import * as dialog from "./dialog.js";

const byId = (id) => document.getElementById(id);
const place = document.getElementById("conversation");
const listeners = [];
let chosen = false;

/** Called with every change that the colleague made. */
export const onChoice = (listener) => listeners.push(listener);

const current = () => byId("way")?.querySelector("[data-way]");

/** The choice of the colleague as a draft keeps it; null while the customer's own way stands. */
export function draft() {
  const way = current();
  if (!chosen || !way) return null;
  const { channel, to, previewUrl } = way.dataset;
  return { channel, to, previewUrl, copies: "copies" in way.dataset, name: way.querySelector(".desk-way__name").textContent, title: way.title, icon: way.querySelector("use").getAttribute("href").split("#")[1] };
}

/** Show a way that a draft kept; without one, the customer's own. */
export function restore(kept) {
  chosen = false;
  if (!kept?.channel) {
    if (!current()) findOut();
    return;
  }
  const way = current()?.cloneNode(true) ?? template();
  Object.assign(way.dataset, { channel: kept.channel, to: kept.to });
  delete way.dataset.copies;
  delete way.dataset.previewUrl;
  if (kept.copies) way.dataset.copies = "";
  if (kept.previewUrl?.startsWith("/")) way.dataset.previewUrl = kept.previewUrl;
  way.title = kept.title;
  way.querySelector(".desk-way__name").textContent = kept.name;
  const use = way.querySelector("use");
  use.setAttribute("href", `${use.getAttribute("href").split("#")[0]}#${kept.icon}`);
  show(way);
  chosen = true;
}

function show(way) {
  const composer = byId("composer");
  way.querySelector(".desk-way__channel")?.remove();
  byId("way").replaceChildren(way);
  composer.elements.channel.value = way.dataset.channel;
  composer.elements.to.value = way.dataset.to;
  const copies = "copies" in way.dataset;
  composer.querySelector("[data-cc]").hidden = !copies;
  composer.elements.cc.disabled = !copies;
  if (!copies) byId("cc").hidden = true;
  composer.querySelector("[data-preview]").hidden = !way.dataset.previewUrl;
  const summary = byId("ways").querySelector("summary");
  summary.setAttribute("aria-label", `${byId("ways").querySelector(".desk-ways").getAttribute("aria-label")}: ${way.querySelector(".desk-way__name").textContent}`);
}

function template() {
  const way = parse('<span class="desk-way" data-way><svg class="g-icon g-icon--small" viewBox="0 0 20 20" aria-hidden="true"><use></use></svg><bdi class="g-truncate desk-way__name"></bdi></span>').firstElementChild;
  way.querySelector("use").setAttribute("href", byId("ways").querySelector("use").getAttribute("href"));
  return way;
}

/** The customer wrote by another way: follow him, unless the colleague has chosen for himself. */
function follow(part) {
  if (!part || chosen || !byId("way")) return;
  if (part.firstElementChild) show(part.firstElementChild);
  else findOut();
}

/** The page could not tell by which way the answer goes: the first of the list is it. */
async function findOut() {
  const place = byId("way");
  const response = await ask(byId("ways").dataset.ways, { quiet: true });
  if (!response?.ok || !place.isConnected || chosen) return;
  const first = parse(await response.text()).querySelector("[data-way]");
  if (first) show(first);
  else place.textContent = words.nobody;
}

export function open() {
  const menu = byId("ways");
  if (!menu) return;
  menu.open = true;
  begin(menu.querySelector("[data-ways-find]"));
}

/** The find field is emptied before it has the focus: whoever types at once loses no letter. */
function begin(find) {
  find.value = wanted;
  load(wanted);
  wanted = "";
  find.focus();
}

function choose(button) {
  const way = button.querySelector("[data-way]").cloneNode(true);
  show(way);
  chosen = true;
  byId("ways").open = false;
  byId("text").focus();
  for (const listener of listeners) listener();
}

/** An answer is away: the next one goes the customer's own way again. */
export function reset() {
  if (!chosen) return;
  chosen = false;
  findOut();
}

const choices = () => [...byId("ways-list").querySelectorAll("[data-way-choice]")];

let wanted = "";
let turn = 0;
async function load(text) {
  const mine = ++turn;
  const response = await ask(`${byId("ways").dataset.ways}?q=${encodeURIComponent(text)}`, { quiet: true });
  const found = response?.ok && parse(await response.text());
  if (mine !== turn || !found || !byId("ways-list")) return;
  const at = choices().indexOf(document.activeElement);
  byId("ways-list").replaceChildren(...found.childNodes);
  choices()[at]?.focus();  // whoever is in the list already stays there
}

async function preview() {
  const composer = byId("composer");
  const response = await ask(current().dataset.previewUrl, { method: "POST", body: new FormData(composer) });
  if (response) dialog.show(...parse(await response.text()).childNodes);
}

place.addEventListener("toggle", (event) => {
  if (event.target.id !== "ways" || !event.target.open) return;
  const find = event.target.querySelector("[data-ways-find]");
  // The event comes some time after the menu has opened; a key that opened it has begun already.
  if (find !== document.activeElement) begin(find);
}, true);

let soon = 0;
place.addEventListener("input", (event) => {
  if (!event.target.matches("[data-ways-find]")) return;
  clearTimeout(soon);
  const text = event.target.value;
  soon = setTimeout(() => load(text), 150);
});

place.addEventListener("keydown", async (event) => {
  if (!event.target.matches("[data-ways-find]") || event.key !== "Enter" || event.isComposing) return;
  event.preventDefault();  // it stands in the composer, and must not send
  clearTimeout(soon);
  await load(event.target.value);
  const [first] = choices();
  if (first) choose(first);
});

place.addEventListener("click", (event) => {
  const button = event.target.closest("[data-way-choice]");
  if (button) choose(button);
  else if (event.target.closest("#ways-list a")) byId("ways").open = false;
  else if (event.target.closest("[data-preview]")) preview();
});

// `#way=ADDRESS`: somebody wants to answer by another way than here, as from a chat by mail.
ticket.onOpen((opened) => {
  if (!opened || !location.hash.startsWith("#way=")) return;
  wanted = decodeURIComponent(location.hash.slice(5));
  history.replaceState(history.state, "", location.pathname + location.search);
  open();
});

ticket.onFragment((fragment) => follow(fragment.querySelector("[data-part=way]")));

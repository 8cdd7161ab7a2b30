// Writing: drafts that survive, canned replies, text modules, mentions, files, and the guard against unseen messages.

import { ask, desk, parse, say, words } from "./page.js";
import * as list from "./list.js";
import * as socket from "./socket.js";
import * as ticket from "./ticket.js";
import * as ways from "./ways.js";
import { Suggestions } from "./suggest.js";
import { mark } from "./once.js";

const byId = (id) => document.getElementById(id);

const draftKey = (form) => `guichet:draft:${desk.dataset.user}:${ticket.current()?.id}:${form.dataset.mode}`;
const form = () => byId("composer");

function mode(name) {
  const composer = form();
  if (!composer || composer.dataset.mode === name) return;
  keepDraft();
  composer.dataset.mode = name;
  composer.action = composer.dataset[name];
  for (const tab of composer.querySelectorAll("[data-mode-to]")) tab.setAttribute("aria-selected", String(tab.dataset.modeTo === name));
  const text = byId("text");
  text.dataset.placeholderReply ??= text.placeholder;
  text.placeholder = name === "note" ? text.dataset.placeholderNote : text.dataset.placeholderReply;
  restoreDraft();
}

export function focus(name) {
  mode(name);
  byId("text").focus();
}

function keepDraft() {
  const composer = form();
  if (!composer || !ticket.current()) return;
  const text = byId("text").value;
  const cc = composer.elements.cc.value;
  const way = composer.dataset.mode === "reply" ? ways.draft() : null;
  try {
    if (text.trim() || cc || way) localStorage.setItem(draftKey(composer), JSON.stringify({ text, cc, way, id: composer.elements.client_id.value }));
    else localStorage.removeItem(draftKey(composer));
  } catch { /* a browser that keeps nothing still writes */ }
}

function restoreDraft() {
  const composer = form();
  let draft = null;
  try { draft = JSON.parse(localStorage.getItem(draftKey(composer)) ?? "null"); } catch { /* unreadable: none */ }
  if (composer.dataset.mode === "reply") ways.restore(draft?.way);
  byId("text").value = draft?.text ?? "";
  composer.elements.cc.value = draft?.cc ?? "";
  mark(composer, draft?.id);
  if (draft?.cc) byId("cc").hidden = false;
  byId("draft-note").textContent = draft?.text ? words.draft : "";
}

function forgetDraft() {
  try { localStorage.removeItem(draftKey(form())); } catch { /* nothing kept */ }
}

ticket.onOpen((opened) => { if (opened) restoreDraft(); });
ways.onChoice(() => { mark(form()); keepDraft(); });

// Sending

async function send(override = false) {
  const composer = form();
  const button = byId("send");
  if (button.disabled) return;
  const body = new FormData(composer);
  body.set("seen", ticket.current().seq);
  if (override) body.set("override", "1");
  button.disabled = true;
  error("");
  const response = await ask(composer.action, { method: "POST", body });
  button.disabled = false;
  if (!response) return;
  if (response.status === 413) { error(words.unsaved); return; }
  const html = await response.text();
  if (response.status === 409) {
    ticket.apply(html);
    byId("held").hidden = false;
    byId("talk").scrollTop = byId("talk").scrollHeight;  // the notice has taken the place of what is new
    byId("held").querySelector("[data-override]").focus();
    return;
  }
  if (response.status === 422) {
    const refused = parse(html);
    error(refused.textContent.trim());
    // A link in it leads to where a merged ticket went.
    byId("composer-error").replaceChildren(...(refused.querySelector("[data-refused]") ?? refused).childNodes);
    return;
  }
  if (!response.ok) { say(words.failed, "error"); return; }
  const noted = composer.dataset.mode === "note";
  forgetDraft();
  lastTold = 0;
  socket.typed();
  byId("text").value = "";
  composer.elements.cc.value = "";
  composer.elements.files.value = "";
  mark(composer);
  for (const mention of composer.querySelectorAll("[name=mention]")) mention.remove();
  showFiles();
  byId("held").hidden = true;
  byId("cc").hidden = true;
  byId("draft-note").textContent = "";
  if (!noted) ways.reset();
  ticket.apply(html);
  byId("talk").scrollTop = byId("talk").scrollHeight;
  say(noted ? words.noted : words.sent);
  byId("text").blur();
  if (noted) mode("reply");
  list.refresh();
}

function error(text) {
  byId("composer-error").textContent = text;
  byId("composer-error").hidden = !text;
}

function showFiles() {
  const composer = form();
  byId("chosen").replaceChildren(...[...composer.elements.files.files].map((file) => {
    const item = document.createElement("li");
    item.className = "g-file";
    item.textContent = `${file.name} · ${Math.ceil(file.size / 1024)} kB`;
    return item;
  }));
}

// Suggestions

const TRIGGERS = [
  { pattern: /(?:^|\n)\/([^\s/]{0,30})$/, source: (composer) => composer.dataset.texts, cut: 1, only: "reply" },
  { pattern: /::([^\s:]{0,30})$/, source: (composer) => composer.dataset.modules, cut: 2 },
  { pattern: /(?:^|\s)@([^\s@]{0,30})$/, source: (composer) => composer.dataset.people, cut: 1, only: "note" },
];

const suggestions = new Suggestions({
  text: () => byId("text"),
  list: () => byId("suggest"),
  triggers: () => TRIGGERS.filter((one) => !one.only || one.only === form().dataset.mode).map((one) => ({ ...one, source: one.source(form()) })),
  taken(item) {
    if (item.id) {
      const mention = document.createElement("input");
      mention.type = "hidden";
      mention.name = "mention";
      mention.value = item.id;
      form().append(mention);
    }
    mark(form());
    keepDraft();
  },
});

// Events

const place = document.getElementById("conversation");
let saver = 0;
let lastTold = 0;

place.addEventListener("input", (event) => {
  if (event.target.closest("#composer") && event.target.name) mark(form());
  if (!event.target.matches("#text, #composer [name=cc]")) return;
  clearTimeout(saver);
  saver = setTimeout(() => { keepDraft(); if (byId("draft-note")) byId("draft-note").textContent = byId("text").value ? words.kept : ""; }, 400);
  if (event.target.id !== "text") return;
  suggestions.look();
  if (Date.now() - lastTold > 3000) { lastTold = Date.now(); socket.type(ticket.current().id, form().dataset.mode === "reply"); }
});

place.addEventListener("change", (event) => { if (event.target.matches("#composer [type=file]")) showFiles(); });

place.addEventListener("keydown", (event) => {
  if (event.target.id !== "text" || event.isComposing) return;
  if (suggestions.press(event)) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); send(); }
});

place.addEventListener("submit", (event) => {
  if (event.target.id !== "composer") return;
  event.preventDefault();
  send();
});

place.addEventListener("click", (event) => {
  const on = (selector) => event.target.closest(selector);
  if (on("[data-mode-to]")) focus(on("[data-mode-to]").dataset.modeTo);
  else if (on("[data-cc]")) { byId("cc").hidden = !byId("cc").hidden; if (!byId("cc").hidden) form().elements.cc.focus(); }
  else if (on("[data-override]")) send(true);
  else if (on("[data-held-close]")) { byId("held").hidden = true; byId("text").focus(); }
  else if (on("#suggest [data-index]")) suggestions.take(Number(on("#suggest [data-index]").dataset.index));
});

place.addEventListener("dragover", (event) => { if (event.target.closest("#composer") && event.dataTransfer.types.includes("Files")) event.preventDefault(); });
place.addEventListener("drop", (event) => {
  if (!event.target.closest("#composer") || !event.dataTransfer.files.length) return;
  event.preventDefault();
  form().elements.files.files = event.dataTransfer.files;
  mark(form());
  showFiles();
});

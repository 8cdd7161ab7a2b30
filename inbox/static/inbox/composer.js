// Writing: drafts that survive, canned replies, text modules, mentions, files, and the guard against unseen messages.

import { ask, desk, parse, say, words } from "./page.js";
import * as list from "./list.js";
import * as ticket from "./ticket.js";

const byId = (id) => document.getElementById(id);
const typists = [];
export const onTyping = (listener) => typists.push(listener);

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
  try {
    if (text.trim() || cc) localStorage.setItem(draftKey(composer), JSON.stringify({ text, cc }));
    else localStorage.removeItem(draftKey(composer));
  } catch { /* a browser that keeps nothing still writes */ }
}

function restoreDraft() {
  const composer = form();
  let draft = null;
  try { draft = JSON.parse(localStorage.getItem(draftKey(composer)) ?? "null"); } catch { /* unreadable: none */ }
  byId("text").value = draft?.text ?? "";
  composer.elements.cc.value = draft?.cc ?? "";
  if (draft?.cc) byId("cc").hidden = false;
  byId("draft-note").textContent = draft?.text ? words.draft : "";
}

function forgetDraft() {
  try { localStorage.removeItem(draftKey(form())); } catch { /* nothing kept */ }
}

ticket.onOpen((opened) => { if (opened) restoreDraft(); });

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
    byId("held").querySelector("[data-override]").focus();
    return;
  }
  if (response.status === 422) { error(parse(html).textContent.trim()); return; }
  if (!response.ok) { say(words.failed, "error"); return; }
  const noted = composer.dataset.mode === "note";
  forgetDraft();
  byId("text").value = "";
  composer.elements.cc.value = "";
  composer.elements.files.value = "";
  for (const mention of composer.querySelectorAll("[name=mention]")) mention.remove();
  showFiles();
  byId("held").hidden = true;
  byId("cc").hidden = true;
  byId("draft-note").textContent = "";
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
let suggestion = null;
let turn = 0;

async function suggest() {
  const composer = form();
  const text = byId("text");
  const before = text.value.slice(0, text.selectionStart);
  const mine = ++turn;
  for (const trigger of TRIGGERS) {
    const found = before.match(trigger.pattern);
    if (!found || (trigger.only && trigger.only !== composer.dataset.mode)) continue;
    const response = await ask(`${trigger.source(composer)}?q=${encodeURIComponent(found[1])}`, { quiet: true });
    if (mine !== turn || !response?.ok) return;
    const { items } = await response.json();
    if (mine !== turn) return;
    return showSuggestions(items, text.selectionStart - found[1].length - trigger.cut);
  }
  closeSuggestions();
}

function showSuggestions(items, from) {
  if (!items.length) return closeSuggestions();
  suggestion = { items, from, at: 0 };
  byId("suggest").hidden = false;
  byId("suggest").replaceChildren(...items.map((item, index) => {
    const line = document.createElement("button");
    line.type = "button";
    line.className = "g-menu__item";
    line.setAttribute("role", "option");
    line.dataset.index = index;
    const name = document.createElement("strong");
    name.textContent = item.name;
    const more = document.createElement("span");
    more.className = "desk-suggest__more";
    more.textContent = item.text ? item.text.slice(0, 120) : item.email;
    line.append(name, more);
    return line;
  }));
  point();
}

function point() {
  [...byId("suggest").children].forEach((line, index) => line.setAttribute("aria-selected", String(index === suggestion.at)));
}

function closeSuggestions() {
  suggestion = null;
  if (byId("suggest")) byId("suggest").hidden = true;
}

function take(index) {
  const item = suggestion.items[index];
  const text = byId("text");
  const inserted = item.text ?? `@${item.name} `;
  text.setRangeText(inserted, suggestion.from, text.selectionStart, "end");
  if (item.id) {
    const mention = document.createElement("input");
    mention.type = "hidden";
    mention.name = "mention";
    mention.value = item.id;
    form().append(mention);
  }
  closeSuggestions();
  text.focus();
  keepDraft();
}

// Events

const place = document.getElementById("conversation");
let saver = 0;
let lastTold = 0;

place.addEventListener("input", (event) => {
  if (!event.target.matches("#text, #composer [name=cc]")) return;
  clearTimeout(saver);
  saver = setTimeout(() => { keepDraft(); if (byId("draft-note")) byId("draft-note").textContent = byId("text").value ? words.kept : ""; }, 400);
  if (event.target.id !== "text") return;
  suggest();
  if (Date.now() - lastTold > 3000) { lastTold = Date.now(); for (const listener of typists) listener(); }
});

place.addEventListener("change", (event) => { if (event.target.matches("#composer [type=file]")) showFiles(); });

place.addEventListener("keydown", (event) => {
  if (event.target.id !== "text" || event.isComposing) return;
  if (suggestion) {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      suggestion.at = (suggestion.at + (event.key === "ArrowDown" ? 1 : -1) + suggestion.items.length) % suggestion.items.length;
      return point();
    }
    if ((event.key === "Enter" && !event.ctrlKey && !event.metaKey) || event.key === "Tab") { event.preventDefault(); return take(suggestion.at); }
    if (event.key === "Escape") { event.stopPropagation(); return closeSuggestions(); }
  }
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
  else if (on("#suggest [data-index]")) take(Number(on("#suggest [data-index]").dataset.index));
});

place.addEventListener("dragover", (event) => { if (event.target.closest("#composer") && event.dataTransfer.types.includes("Files")) event.preventDefault(); });
place.addEventListener("drop", (event) => {
  if (!event.target.closest("#composer") || !event.dataTransfer.files.length) return;
  event.preventDefault();
  form().elements.files.files = event.dataTransfer.files;
  showFiles();
});

// One talk in its column: what was said, what the visitor is doing, and writing to him.

import { ask, parse, say, words } from "./page.js";
import * as socket from "./socket.js";
import { Suggestions } from "./suggest.js";
import { group } from "./grouping.js";
import { mark } from "./once.js";

const TYPING = 6_000;

export class Column {
  constructor(element, { close, choose, changed }) {
    this.element = element;
    this.close = close;
    this.changed = changed;
    this.number = element.dataset.chat;
    this.ticket = Number(element.dataset.ticket);
    this.signs = { visitor: 0 };
    this.people = new Map();
    this.composer = this.part("form.chat__composer");
    this.text = this.composer.elements.text;
    this.suggestions = new Suggestions({
      text: () => this.text,
      list: () => this.part(".desk-suggest"),
      triggers: () => [
        { pattern: /(?:^|\n)\/([^\s/]{0,30})$/, source: this.composer.dataset.texts, cut: 1 },
        { pattern: /::([^\s:]{0,30})$/, source: this.composer.dataset.modules, cut: 2 },
      ],
      taken: () => { mark(this.composer); this.keep(); },
    });
    this.restore();
    this.listen();
    this.showState();
    element.addEventListener("focusin", () => choose(this));
  }

  get seq() { return Number(this.element.dataset.seq); }

  part(selector) { return this.element.querySelector(selector); }

  focus() {
    if (this.element.dataset.own === "1" && this.element.dataset.on === "1") this.text.focus();
    else (this.part(".chat__bar button") ?? this.part(".chat__talk")).focus();
  }

  toEnd() {
    const talk = this.part(".chat__talk");
    talk.scrollTop = talk.scrollHeight;
  }

  // Bringing it up to date

  /** Take in a fragment of changes: by their numbers nothing appears twice or out of order. */
  apply(html) {
    const fragment = parse(html).querySelector("[data-fragment]");
    if (!fragment || fragment.dataset.ticket !== String(this.ticket)) return;
    const talk = this.part(".chat__talk");
    const atEnd = talk.scrollHeight - talk.scrollTop - talk.clientHeight < 120;
    const entries = this.part(".chat__entries");
    for (const entry of fragment.querySelectorAll("[data-part=entries] > [data-entry]")) {
      const seq = Number(entry.dataset.entry);
      const all = [...entries.children];
      const known = all.find((other) => Number(other.dataset.entry) === seq);
      if (known) known.replaceWith(entry);
      else entries.insertBefore(entry, all.find((other) => Number(other.dataset.entry) > seq) ?? null);
      if (entry.matches(".chat-said--inbound")) this.signs.visitor = 0;
    }
    group(entries);
    const head = this.part("[data-part=head]");
    const facts = head.querySelector(".chat__facts").open;
    if (!head.querySelector(".g-menu[open], .chat-claim details[open]")) {
      head.replaceChildren(...fragment.querySelector("[data-part=head]").childNodes);
      head.querySelector(".chat__facts").open = facts;
    }
    this.part("[data-part=bar]").replaceChildren(...fragment.querySelector("[data-part=bar]").childNodes);
    const { seq, seen, own, on, name } = fragment.dataset;
    const taken = this.element.dataset.own === "1" && own === "0" && !this.acting;
    Object.assign(this.element.dataset, { seq: Math.max(this.seq, Number(seq)), seen: Math.max(Number(this.element.dataset.seen), Number(seen)), own, on, name });
    // Who was writing keeps the focus, or his next letters would be taken for the page's keys.
    this.text.readOnly = own !== "1" || on !== "1";
    if (taken) say(this.part("[data-part=bar] span").textContent, "warning");
    this.showState();
    if (atEnd) this.toEnd();
  }

  async refresh() {
    if (this.running) { this.again = true; return; }
    this.running = true;
    do {
      this.again = false;
      const response = await ask(`${this.element.dataset.root}after/${this.seq}/`, { quiet: true });
      if (response?.status === 404) { say(words.gone, "warning"); this.close(this); break; }
      if (response?.ok) this.apply(await response.text());
    } while (this.again);
    this.running = false;
  }

  /** What the visitor's browser does. */
  sign({ sign, on, seq }) {
    if (sign === "typing") this.signs.visitor = on === false ? 0 : Date.now() + TYPING;
    else if (sign === "seen") this.element.dataset.seen = Math.max(Number(this.element.dataset.seen), Number(seq) || 0);
    else this.refresh();  // he came, went, or is on another page: the head says it
    this.showState();
    if (sign === "typing") setTimeout(() => this.showState(), TYPING + 100);
  }

  /** A colleague who looks at the same talk. */
  person({ user, name, state }) {
    if (state === "gone") this.people.delete(user);
    else this.people.set(user, { name, state, until: Date.now() + 25_000 });
    this.showState();
  }

  showState() {
    const now = Date.now();
    const place = this.part("[data-part=state]");
    for (const [user, person] of this.people) if (person.until < now) this.people.delete(user);
    const said = [];
    if (this.signs.visitor > now) said.push(`${this.element.dataset.name} ${words.visitorTyping}`);
    for (const person of this.people.values()) said.push(words[person.state === "typing" ? "typing" : "looking"].replace("%s", person.name));
    const last = [...this.element.querySelectorAll(".chat-said")].pop();
    if (!said.length && last?.matches(".chat-said--outbound")) said.push(Number(last.dataset.entry) <= Number(this.element.dataset.seen) ? words.read : words.sentTo);
    place.textContent = said.join(" · ");
    place.classList.toggle("is-typing", this.signs.visitor > now);
  }

  // Writing

  get draftKey() { return `guichet:draft:${document.getElementById("desk").dataset.user}:${this.ticket}:reply`; }

  keep() {
    try {
      if (this.text.value.trim()) localStorage.setItem(this.draftKey, JSON.stringify({ text: this.text.value, cc: "", way: null, id: this.composer.elements.client_id.value }));
      else localStorage.removeItem(this.draftKey);
    } catch { /* a browser that keeps nothing still writes */ }
  }

  restore() {
    let draft = null;
    try { draft = JSON.parse(localStorage.getItem(this.draftKey) ?? "null"); } catch { /* unreadable: none */ }
    this.text.value = draft?.text ?? "";
    mark(this.composer, draft?.id);
  }

  error(text) {
    this.part(".chat__error").textContent = text;
    this.part(".chat__error").hidden = !text;
  }

  async send() {
    if (this.sending || this.text.readOnly || (!this.text.value.trim() && !this.composer.elements.files.files.length)) return;
    this.sending = true;
    this.error("");
    const body = new FormData(this.composer);
    body.set("seen", this.seq);
    const response = await ask(this.composer.action, { method: "POST", body });
    this.sending = false;
    if (!response) { this.error(words.failed); return; }
    const html = await response.text();
    if (response.status === 409) { this.apply(html); this.toEnd(); this.error(words.held); return; }
    if (response.status === 413) { this.error(words.unsaved); return; }
    if (!response.ok) { this.error(response.status === 422 ? parse(html).textContent.trim() : words.failed); return; }
    this.told = 0;
    socket.typed();
    this.text.value = "";
    this.composer.elements.files.value = "";
    mark(this.composer);
    this.part(".chat__files").textContent = "";
    this.keep();
    this.apply(html);
    this.toEnd();
    this.changed();
  }

  async act(deed, value = "") {
    const body = new FormData();
    body.set("value", value);
    body.set("seen", this.seq);
    this.acting = true;
    const response = await ask(`${this.element.dataset.root}do/${deed}/`, { method: "POST", body });
    if (!response) { this.acting = false; return; }
    for (const menu of this.element.querySelectorAll("details[open]")) menu.open = false;
    if (response.status === 422) say(parse(await response.text()).textContent.trim(), "error");
    else if (response.status === 204) { say(words.done); this.close(this); }
    else if (response.ok) { this.apply(await response.text()); this.focus(); }
    else say(words.failed, "error");
    this.acting = false;
    this.changed();
  }

  listen() {
    this.composer.addEventListener("submit", (event) => { event.preventDefault(); this.send(); });
    this.composer.addEventListener("change", (event) => {
      mark(this.composer);
      if (event.target.type === "file") this.part(".chat__files").textContent = [...event.target.files].map((file) => file.name).join(", ");
    });
    this.text.addEventListener("input", () => {
      mark(this.composer);
      this.keep();
      this.suggestions.look();
      if (!(Date.now() - this.told < 3000)) { this.told = Date.now(); socket.type(this.ticket, true); }
    });
    this.text.addEventListener("keydown", (event) => {
      if (event.isComposing || this.suggestions.press(event)) return;
      if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); this.send(); }
    });
    this.text.addEventListener("paste", (event) => {
      if (!event.clipboardData?.files.length) return;
      event.preventDefault();
      this.composer.elements.files.files = event.clipboardData.files;
      this.composer.elements.files.dispatchEvent(new Event("change", { bubbles: true }));
    });
    this.element.addEventListener("click", (event) => {
      const hit = (selector) => event.target.closest(selector);
      if (hit("[data-chat-close]")) this.close(this);
      else if (hit("[data-chat-act]")) this.act(hit("[data-chat-act]").dataset.chatAct);
      else if (hit(".desk-suggest [data-index]")) this.suggestions.take(Number(hit("[data-index]").dataset.index));
    });
    this.element.addEventListener("submit", (event) => {
      if (!event.target.matches("[data-chat-form]")) return;
      event.preventDefault();
      if (event.submitter?.value) this.act(event.target.dataset.chatForm, event.submitter.value);
    });
  }
}

// What a composer offers while one types: canned replies, text modules, colleagues.

import { ask } from "./page.js";

export class Suggestions {
  /** `triggers()` gives `{pattern, source, cut}`: what begins a suggestion, where it is asked for, signs to replace. */
  constructor({ text, list, triggers, taken = () => {} }) {
    Object.assign(this, { text, list, triggers, taken, open: null, turn: 0 });
  }

  async look() {
    const text = this.text();
    const before = text.value.slice(0, text.selectionStart);
    const mine = ++this.turn;
    for (const trigger of this.triggers()) {
      const found = before.match(trigger.pattern);
      if (!found) continue;
      const response = await ask(`${trigger.source}?q=${encodeURIComponent(found[1])}`, { quiet: true });
      if (mine !== this.turn || !response?.ok) return;
      const { items } = await response.json();
      if (mine === this.turn) this.show(items, text.selectionStart - found[1].length - trigger.cut);
      return;
    }
    this.close();
  }

  show(items, from) {
    if (!items.length) { this.close(); return; }
    this.open = { items, from, at: 0 };
    this.list().hidden = false;
    this.list().replaceChildren(...items.map((item, index) => {
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
    this.point();
  }

  point() {
    [...this.list().children].forEach((line, index) => {
      line.setAttribute("aria-selected", String(index === this.open.at));
      if (index === this.open.at) line.scrollIntoView({ block: "nearest" });
    });
  }

  close() {
    this.open = null;
    if (this.list()) this.list().hidden = true;
  }

  /** A key in the text; true when it was for the list. */
  press(event) {
    if (!this.open) return false;
    const { items } = this.open;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      this.open.at = (this.open.at + (event.key === "ArrowDown" ? 1 : -1) + items.length) % items.length;
      this.point();
    } else if ((event.key === "Enter" && !event.ctrlKey && !event.metaKey && !event.shiftKey) || event.key === "Tab") {
      this.take(this.open.at);
    } else if (event.key === "Escape") {
      event.stopPropagation();
      this.close();
    } else return false;
    event.preventDefault();
    return true;
  }

  take(index) {
    const item = this.open.items[index];
    const text = this.text();
    text.setRangeText(item.text ?? `@${item.name} `, this.open.from, text.selectionStart, "end");
    this.close();
    text.focus();
    this.taken(item);
  }
}

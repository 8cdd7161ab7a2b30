/** The talk as a list that only grows at its end, so that a screen reader hears what is new and nothing else. */

import { base } from "./page.js";
import { button, CHAT, el, icon, linked } from "./dom.js";
import { clock, day, t } from "./words.js";
import { sorted, state } from "./state.js";
import { again } from "./outbox.js";
import { fileNode } from "./files.js";
import { look } from "./look.js";

/** Picture or initials of who answers. */
export const face = (agent) => {
  const node = el("span.face", { "aria-hidden": true }, agent?.initials || icon(CHAT));
  if (agent?.picture) {
    const picture = el("img", { alt: "", src: new URL(agent.picture, base) });
    picture.onload = () => node.replaceChildren(picture);
  }
  return node;
};

/** One event; `first` begins a group of one author. */
const row = ({ kind, text, at, agent, files = [], item }, first, drawn) => {
  if (kind === "note") return el("p.line", text);
  const mine = kind === "said";
  const name = mine ? t("you") : agent?.name || t("automatic");
  const time = at && clock(at);
  return el(
    "div." + (mine ? "mine" : "theirs") + (first ? " first" : ""),
    !mine && first && face(agent),
    el("p.by" + (first && !mine ? "" : " unseen"), name, time && " · " + time),
    text && el("div.bubble", { dir: "auto", title: time }, ...linked(text)),
    ...files.map((file) => fileNode(file, drawn)),
    item?.late && el("p.bad", item.words || t("unsent"), " ", button(".link", () => again(item), t("again"))),
  );
};

const rows = (drawn) => {
  const found = [];
  const { title, welcome } = look();
  if (welcome && !state.more) found.push(["welcome", () => row({ text: welcome, agent: { name: title } }, true)]);
  const waiting = state.outbox.map((item) => ({ ...item, kind: "said", at: item.born, files: item.file && [item.file], item }));
  let date;
  let author;
  let last;
  for (const event of [...sorted(), ...waiting]) {
    const today = day(event.at);
    const by = event.kind + event.agent?.name;
    const first = by !== author;
    const { item, files } = event;
    if (today !== date) found.push([today, () => el("p.line", today)]);
    found.push([
      event.id || event.seq,
      () => row(event, first, drawn),
      [first, item?.late, item?.words, files?.map((file) => file.id)],
    ]);
    date = today;
    author = by;
    if (event.kind !== "note") last = event;
  }
  if (last?.kind === "said" && !last.item?.late) {
    const words = t(!last.seq ? "sending" : last.seq <= state.seen ? "read" : "sent");
    found.push(["receipt", () => el("p.receipt", { "aria-live": "off" }, words), words]);
  }
  return found;
};

let nodes = {};

/** Bring `log` up to date; what has not changed is not touched. */
export const paintLog = (log, drawn) => {
  const wanted = rows(drawn);
  wanted.forEach(([key, make, shape], i) => {
    let node = nodes[key];
    if (node?.shape !== "" + shape) {
      const made = make();
      made.shape = "" + shape;
      node?.replaceWith(made);
      nodes[key] = node = made;
    }
    if (log.children[i] !== node) log.insertBefore(node, log.children[i] || null);
  });
  while (log.children[wanted.length]) log.lastChild.remove();
};

/** Forget what was drawn: another visitor, or other words. */
export const clearLog = () => (nodes = {});

/**
 * Own messages on their way. One after the other, so their order holds; each with an id, so a repetition is stored once.
 * An item is `{id, text | file, born, next, tries}`, then `seq` when it is stored, `late` after 30 s, `refused` with words.
 */

import { tab } from "./memory.js";
import { place, tell } from "./page.js";
import { isRefusal } from "./http.js";
import { ask } from "./session.js";
import { changed, state } from "./state.js";
import { go, isUp, on, poll, send } from "./line.js";

/** RFC 9562. `crypto.randomUUID` is missing on pages without TLS; every object URL ends in one. */
export const uuid = () => {
  const url = URL.createObjectURL(new Blob());
  URL.revokeObjectURL(url);
  return url.slice(-36);
};

// Files are not kept: a page cannot store them, and the visitor has them still.
const keep = () => tab.save({ out: state.outbox.filter((item) => item.text && !item.seq) });

const stored = (id, seq) => {
  for (const item of state.outbox) if (item.id === id) Object.assign(item, { seq, late: false });
  settle();
};

const settle = () => {
  keep();
  changed();
  pump();
};

const refuse = (item, problem) => {
  if (problem.code === "too-many") item.next = Date.now() + (problem.retry || 5) * 1e3;
  else item.refused = true;
  item.late = true;
  item.words = problem.title;
  tell("error", problem);
  changed();
};

/** Send the oldest that is not stored yet. */
export const pump = async () => {
  const item = state.outbox.find((each) => !each.seq && !each.refused);
  if (!item || Date.now() < item.next) return;
  const { id, text, file } = item;
  item.next = Date.now() + (file ? 13e4 : 5e3);
  // The doors take turns: a socket may be up and deaf.
  if (!file && item.tries++ % 2 < 1 && send({ do: "say", id, text })) return;
  let body = { id, text, page: place() };
  if (file) {
    body = new FormData();
    body.append("id", id);
    body.append("file", file);
  }
  try {
    stored(id, (await ask(file ? "file" : "say", body)).seq);
    if (!isUp()) poll();
  } catch (problem) {
    if (isRefusal(problem)) refuse(item, problem);
    else item.next = Date.now() + 5e3;
    pump();
  }
};

/** Say a text, or send a file. */
export const say = (what, id = uuid()) => {
  state.outbox.push({ id, born: Date.now(), next: 0, tries: 0, ...what });
  go();
  settle();
};

/** Once more, because the visitor asked for it. */
export const again = (item) => {
  Object.assign(item, { born: Date.now(), next: 0, tries: 0, late: false, refused: false });
  settle();
};

on("said", ({ id, seq }) => stored(id, seq));
on("refused", ({ id, code, text }) => {
  for (const item of state.outbox) if (item.id === id) refuse(item, { code, title: text });
});
on("ready", () => {
  for (const item of state.outbox) if (!item.file) item.next = 0;
  pump();
});
on("delivered", settle);
on("tick", (now) => {
  for (const item of state.outbox)
    if (!item.seq && !item.late && now - item.born > 3e4) {
      item.late = true;
      changed();
    }
  pump();
});

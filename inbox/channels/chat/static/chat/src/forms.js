/** Forms of the panel: a message when nobody is there, a call, an address, a rating. Each calls `done(words)` at its end. */

import { el } from "./dom.js";
import { moment, t, why } from "./words.js";
import { settings } from "./page.js";
import { ask } from "./session.js";
import { state } from "./state.js";
import { uuid } from "./outbox.js";

/** A form that says below what went wrong; `send(values)` may throw a problem. */
const form = (fields, action, send) => {
  const error = el("p.bad", { role: "alert" });
  const node = el("form", ...fields, error, el("button.main", t(action)));
  let busy;
  node.onsubmit = async (event) => {
    event.preventDefault();
    // Not by disabling the button: that would take the focus from whoever pressed it.
    if (busy) return;
    busy = true;
    error.textContent = "";
    try {
      await send(Object.fromEntries(new FormData(node)));
    } catch (problem) {
      error.textContent = why(problem);
    }
    busy = false;
  };
  return node;
};

const field = (name, required, tag = "input", ...options) => {
  const type = name === "phone" ? "tel" : name; // a type that there is not is that of a text
  const value = [settings.user?.[name], state.person[name]].find((each) => typeof each === "string");
  const input = tag === "input" && { type, autocomplete: type, value, maxlength: 200 };
  const area = tag === "textarea" && { rows: 3, maxlength: state.limits.text, dir: "auto" };
  return el(
    "label",
    el("span", t(name), !required && el("small", ` (${t("optional")})`)),
    el(tag, { name, required, ...input, ...area }, ...options),
  );
};

/** Write to us while nobody is there. */
export const messageForm = (done) => {
  const id = uuid();
  return form([field("name", true), field("email", true), field("phone"), field("text", true, "textarea")], "send", async (values) =>
    done(t("form_" + (await ask("form", { id, ...values })).done)),
  );
};

/** Ask to be called, at once or at one of the times that the server proposes. */
export const callForm = (done) => {
  const id = uuid();
  const choice = (value, words) => el("option", { value }, words);
  const time = field("at", true, "select", choice("", t("soon")));
  time.lastChild.required = false;
  ask("callback").then(
    ({ times }) => time.lastChild.append(...times.map((at) => choice(at, moment(at)))),
    () => {},
  );
  return form([field("name", true), field("phone", true), time, field("topic", false, "textarea")], "call", async (values) => {
    const { at } = await ask("callback", { id, ...values, at: values.at || null });
    done(t("agreed", { time: at ? moment(at) : t("soon") }));
  });
};

/** Leave an address for answers that come later, or to have what was said sent there. */
export const addressForm = (done, path = "person") =>
  form([field("email", true)], path === "person" ? "save" : "send", async (values) => {
    const sent = await ask(path, values);
    state.person.email = true;
    done(t(path === "person" ? "kept" : "transcript_" + sent.done));
  });

/** One to five stars, and a word. */
export const ratingForm = (done) => {
  const star = (value) =>
    el(
      "label",
      { title: t("score_" + value) },
      el("input", { type: "radio", name: "score", value, required: true, "aria-label": t("score_" + value) }),
    );
  const stars = el("fieldset", el("legend", t("rate")), ...[..."12345"].map(star));
  return form([stars, field("comment", false, "textarea")], "send", async ({ score, comment }) => {
    await ask("rating", { score: +score, comment });
    done(t("thanks"));
  });
};

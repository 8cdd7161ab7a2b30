/** `window.guichet`, and the start. */

import { channel, settings, tell } from "./page.js";
import { kept, onOtherTab, tab } from "./memory.js";
import { changed, state } from "./state.js";
import { ask, begin, start } from "./session.js";
import { go, hurry, stop } from "./line.js";
import { say } from "./outbox.js";
import { build, close, mount, open } from "./panel.js";

let there = false;
let onMounted;
const mounted = new Promise((then) => (onMounted = then));

const renew = async () => {
  if (!there) return;
  try {
    await begin();
    build();
    changed();
  } catch (problem) {
    tell("error", problem);
  }
};

const api = {
  open: () => mounted.then(open),
  close: () => mounted.then(close),
  /** `{identifier, identifier_hash, name, email, attributes}`; the hash is made on the host's server. */
  identify(user) {
    settings.user = user;
    return renew();
  },
  /** Any of the settings, while the page lives. */
  set(change) {
    Object.assign(settings, change);
    return mounted.then(changed);
  },
  setLocale(locale) {
    settings.locale = locale;
    return renew();
  },
  /** At logout: nothing of this visitor stays in the browser. */
  async reset() {
    await mounted;
    close();
    stop();
    await ask("leave", {}).catch(() => {});
    delete settings.user;
    state.outbox = [];
    kept.save({ token: "", read: 0, rated: 0 });
    tab.save({ out: [], draft: "" });
    return renew();
  },
};

const run = async () => {
  const queue = window.guichet;
  window.guichet = { ...api, push: ([name, ...values]) => api[name]?.(...values) };
  if (Array.isArray(queue)) queue.forEach(window.guichet.push);
  if (!(await start())) return;
  there = true;
  mount();
  onMounted();
  const stored = new Set([...state.events.values()].map((event) => event.id));
  for (const { id, text } of tab.all.out || []) if (!stored.has(id)) say({ text }, id);
  if (state.status === "open") go();
  addEventListener("online", hurry);
  document.addEventListener("visibilitychange", () => {
    hurry();
    changed();
  });
  // No token: the other tab is about to have one.
  onOtherTab(({ token }) => (token && token !== state.token ? renew() : changed()));
  tell("ready", { duty: state.duty });
};

// Twice on a page is a mistake that must not show two of them.
if (/^[\w-]{8,64}$/.test(channel) && !window.guichet?.open) run();

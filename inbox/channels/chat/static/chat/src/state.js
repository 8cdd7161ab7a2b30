/** All that the screen shows, and who wants to know when it changes. */

/** A visitor's talk before its first word. */
const nothing = () => ({
  /** Events by number, and the number up to which all have been had. */
  events: new Map(),
  seq: 0,
  more: false,
  agent: null,
  /** Since when the agent types, as far as is known. */
  typing: 0,
  /** The agents have read up to here. */
  seen: 0,
  /** "open", or "ended", which it also is before the first message. */
  status: "",
  /** Place in line. */
  wait: 0,
});

/** Beside these all that came with the session: `duty`, `look`, `can`, `limits`, `person`. */
export const state = {
  ...nothing(),
  /** Own messages on their way; outbox.js says how. */
  outbox: [],
  /** Neither door answers. */
  lost: false,
  /** The panel is. */
  open: false,
};

/** Whether the panel is before somebody's eyes. */
export const looked = () => state.open && !document.hidden;

export const forget = () => Object.assign(state, nothing());

const watchers = [];
export const watch = (then) => watchers.push(then);
export const changed = () => watchers.forEach((then) => then());

/** Merge what either door delivered. Gives the events that are new here. */
export const take = (data) => {
  const { events, seq, ...rest } = data;
  const fresh = (events || []).filter((event) => !state.events.has(event.seq));
  for (const event of fresh) state.events.set(event.seq, event);
  state.outbox = state.outbox.filter((item) => !fresh.some((event) => event.id === item.id));
  Object.assign(state, "duty" in data && { wait: 0 }, rest);
  // A frame of the socket may be older than what polling has brought.
  if (events) state.seq = Math.max(state.seq, seq);
  return fresh;
};

/** The events in order. */
export const sorted = () => [...state.events.values()].sort((a, b) => a.seq - b.seq);

/** Words, times and sizes in the visitor's language. */

let texts;
export let locale;

/** Take over the words that came with the session. */
export const speak = (given, language) => {
  texts = given;
  locale = language;
};

/** The text of this name, with `values` in its braces. A server of another version may lack it: then its name speaks. */
export const t = (name, values = {}) =>
  (texts[name] || name.replace(/_/g, " ")).replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);

/** What went wrong, in the server's words if it had any. */
export const why = (problem) => problem.title || t("failed");

const format = (value, options) => new Date(value).toLocaleString(locale, options);

export const clock = (at) => format(at, { timeStyle: "short" });
export const day = (at) => format(at, { dateStyle: "medium" });
export const moment = (at) => format(at, { dateStyle: "medium", timeStyle: "short" });

export const size = (bytes) => (bytes < 1e6 ? Math.ceil(bytes / 1e3) + " kB" : Math.ceil(bytes / 1e5) / 10 + " MB");

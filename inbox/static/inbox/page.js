// What every script of the workspace stands on: the page, its words, and asking the server.

export const desk = document.getElementById("desk");
const read = (id) => JSON.parse(document.getElementById(id).textContent);
export const words = read("desk-words");
export const keys = read("desk-keys");
export const root = desk.dataset.root;

export const fill = (text, value) => text.replace("%s", value);

/** Ask the server for a fragment. Network trouble is answered with null, and said. */
export async function ask(url, { method = "GET", body = null, quiet = false } = {}) {
  const headers = { "HX-Request": "true", "X-CSRFToken": desk.dataset.csrf };
  try {
    const response = await fetch(url, { method, body, headers, credentials: "same-origin" });
    if (response.redirected && new URL(response.url).pathname.startsWith("/accounts/")) {
      location.reload();
      return null;
    }
    return response;
  } catch {
    if (!quiet) say(words.failed, "error");
    return null;
  }
}

/** Markup of ours as nodes. Nothing in it runs: scripts of a parsed document are dead, and our policy forbids them. */
export function parse(html) {
  return new DOMParser().parseFromString(html, "text/html").body;
}

export function say(text, tone = "", undo = null) {
  const toast = document.createElement("div");
  toast.className = "g-toast" + (tone ? ` g-tone-${tone === "error" ? "danger" : tone}` : "");
  toast.textContent = text;
  if (undo) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "g-button g-button--link";
    button.textContent = words.undo;
    button.addEventListener("click", () => { toast.remove(); undo(); });
    toast.append(button);
  }
  const place = document.getElementById("toasts");
  place.append(toast);
  while (place.children.length > 3) place.firstElementChild.remove();
  setTimeout(() => toast.remove(), undo || tone === "error" ? 8000 : 3500);
}

export const typing = (element) => element?.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable]");

export function showPane(name) {
  desk.dataset.pane = name;
}

/** The first call of a burst works at once, the others together when `wait` milliseconds have passed since. */
export function gather(work, wait) {
  let timer = 0;
  let last = -Infinity;
  return () => {
    if (timer) return;
    // A little chance, so that a hundred browsers do not ask in the same moment.
    const rest = Math.max(0, last + wait - performance.now()) + 50 * Math.random();
    timer = setTimeout(() => { timer = 0; last = performance.now(); work(); }, rest);
  };
}

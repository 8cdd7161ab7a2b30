// Views and the list: switching, more rows, keeping up to date, selecting several.

import { ask, desk, fill, gather, parse, root, say, showPane, words } from "./page.js";
import * as ticket from "./ticket.js";
import * as dialog from "./dialog.js";

const panes = document.getElementById("panes");
const byId = (id) => document.getElementById(id);
const MOST = 100;

export const query = () => byId("list")?.dataset.query ?? "";
export const rows = () => [...panes.querySelectorAll("[data-row]")];

// Where j and k go: the order in which the list stood when the walk began. An answered ticket goes to the top and a
// resolved one leaves, which must not throw the walker back to where he has been.
let walk = [];
const order = () => rows().map((row) => row.dataset.row);

async function load(search) {
  const response = await ask(`${root}panes/${search}`);
  if (!response?.ok) { if (response) say(words.failed, "error"); return false; }
  panes.replaceChildren(...parse(await response.text()).childNodes);
  walk = order();
  document.dispatchEvent(new CustomEvent("desk:list"));
  mark(desk.dataset.pane === "ticket" ? ticket.current()?.id ?? null : null, true);
  watchEnd();
  return true;
}

/** Show another list: a view, a search, a filter. */
export async function show(search, { push = true } = {}) {
  if (desk.dataset.pane === "ticket") desk.dataset.pane = "list";
  if (!(await load(search))) return;
  if (push) history.pushState({}, "", root + search);
  showPane("list");
}

export function mark(id, scroll = false) {
  for (const row of rows()) {
    const here = id !== null && row.dataset.row === String(id);
    row.classList.toggle("is-current", here);
    if (here) {
      row.classList.remove("is-unread");
      if (scroll) row.scrollIntoView({ block: "nearest" });
    }
  }
}

/** Rows as they are now, as many as are shown; scroll, selection and focus stay. */
export async function refresh() {
  const place = byId("rows");
  const shown = rows().length;
  refreshCounts();
  if (!place || shown > MOST) return;
  const before = query();
  const response = await ask(`${root}rows/?${before}&size=${Math.max(20, shown)}`, { quiet: true });
  const fresh = response?.ok ? parse(await response.text()) : null;
  if (!fresh || before !== query()) return;
  const chosen = new Set(selected());
  const known = new Set(rows().map((row) => row.dataset.row));
  const focused = document.activeElement?.closest?.("[data-row]")?.dataset.row;
  const scroll = place.scrollTop;
  place.replaceChildren(...fresh.childNodes);
  place.scrollTop = scroll;
  for (const row of rows()) {
    if (chosen.has(row.dataset.number)) row.querySelector("[type=checkbox]").checked = true;
    if (shown && !known.has(row.dataset.row)) row.classList.add("is-new");
    if (row.dataset.row === focused) row.querySelector("a").focus({ preventScroll: true });
  }
  mark(desk.dataset.pane === "ticket" || place.offsetParent ? ticket.current()?.id ?? null : null);
  showSelection();
  watchEnd();
}

export const refreshSoon = gather(refresh, 900);

async function refreshCounts() {
  const response = await ask(`${root}counts/?view=${byId("list")?.dataset.view ?? ""}`, { quiet: true });
  if (!response?.ok) return;
  for (const [key, count] of Object.entries(await response.json())) {
    const place = panes.querySelector(`[data-count="${CSS.escape(key)}"]`);
    if (place) place.textContent = count >= 100 ? "99+" : count || "";
  }
}

async function more(link) {
  if (link.dataset.busy) return;
  link.dataset.busy = "1";
  const response = await ask(link.dataset.more);
  if (!response?.ok) { delete link.dataset.busy; return; }
  const found = parse(await response.text());
  const next = found.querySelector("[data-more]");
  const known = new Set(rows().map((row) => row.dataset.row));
  const fresh = [...found.querySelectorAll("[data-row]")].filter((row) => !known.has(row.dataset.row));
  panes.querySelector(".desk-rows").append(...fresh);
  walk.push(...fresh.map((row) => row.dataset.row));
  if (next) link.closest(".desk-more").replaceWith(next.closest(".desk-more"));
  else link.closest(".desk-more").remove();
  watchEnd();
}

let observer = null;
function watchEnd() {
  observer?.disconnect();
  const link = panes.querySelector("[data-more]");
  if (!link) return;
  observer = new IntersectionObserver((seen) => { if (seen.some((one) => one.isIntersecting)) more(link); }, { root: byId("rows"), rootMargin: "300px" });
  observer.observe(link);
}

/** The row after or before the open (or focused) one. */
export function neighbour(step) {
  const all = rows();
  const here = all.findIndex((row) => row.classList.contains("is-current"));
  const left = ticket.current() && desk.dataset.pane === "ticket" ? String(ticket.current().id) : "";
  let at = walk.indexOf(all[here]?.dataset.row ?? left);
  if (at < 0) return all[here < 0 ? (step > 0 ? 0 : all.length - 1) : here + step];
  if (!step) return all[here];
  for (at += step; walk[at]; at += step) {
    const next = all.find((row) => row.dataset.row === walk[at]);
    if (next) return next;
  }
  return step < 0 ? all.filter((row) => !walk.includes(row.dataset.row)).at(-1) : undefined;
}

export function openRow(row) {
  if (!row) return;
  mark(row.dataset.row, true);  // at once, so that the next key goes on from here
  ticket.open(row.querySelector("[data-open]").href);
}

// Selection

export const selected = () => [...panes.querySelectorAll("[data-row] [type=checkbox]:checked")].map((box) => box.value);

function showSelection() {
  const chosen = selected();
  const bar = byId("bulk");
  bar.hidden = !chosen.length;
  byId("list").classList.toggle("has-selection", chosen.length > 0);
  bar.querySelector("[data-bulk-count]").textContent = fill(words.selected, chosen.length);
}

export function clearSelection() {
  for (const box of panes.querySelectorAll("[data-row] [type=checkbox]:checked")) box.checked = false;
  showSelection();
}

export function toggle(row) {
  const box = row?.querySelector("[type=checkbox]");
  if (box) { box.checked = !box.checked; showSelection(); }
}

let lastBox = null;
function range(box, event) {
  const boxes = [...panes.querySelectorAll("[data-row] [type=checkbox]")];
  if (event.shiftKey && lastBox && boxes.includes(lastBox)) {
    const [from, to] = [boxes.indexOf(lastBox), boxes.indexOf(box)].sort((a, b) => a - b);
    for (const one of boxes.slice(from, to + 1)) one.checked = box.checked;
  }
  lastBox = box;
}

export async function bulk(name, value) {
  const body = new FormData();
  body.set("deed", name);
  body.set("value", value);
  for (const number of selected()) body.append("ticket", number);
  for (const menu of byId("bulk").querySelectorAll("details[open]")) menu.open = false;
  const response = await ask(byId("bulk").action, { method: "POST", body });
  if (!response) return;
  const text = parse(await response.text()).textContent.trim();
  if (response.ok) say(words.done);
  else say(response.status === 422 ? text : words.failed, "error");
  clearSelection();
  await refresh();
  ticket.refresh();
}

panes.addEventListener("change", (event) => { if (event.target.matches("[data-row] [type=checkbox]")) showSelection(); });

panes.addEventListener("click", (event) => {
  const on = (selector) => event.target.closest(selector);
  const plain = !event.metaKey && !event.ctrlKey && !event.shiftKey && event.button === 0;
  if (event.target.matches("[data-row] [type=checkbox]")) range(event.target, event);
  else if (on("a[data-view]") && plain) {
    event.preventDefault();
    show(new URL(on("a[data-view]").href).search);
  } else if (on("[data-more]") && plain) {
    event.preventDefault();
    more(on("[data-more]"));
  } else if (on("[data-bulk]")) bulk(on("[data-bulk]").dataset.bulk, on("[data-bulk]").dataset.value);
  else if (on("[data-bulk-dialog]")) dialog.choose(on("[data-bulk-dialog]").dataset.bulkDialog, (value) => bulk(on("[data-bulk-dialog]").dataset.bulkDialog, value));
  else if (on("[data-bulk-menu] button[value]")) bulk(on("[data-bulk-menu]").dataset.bulkMenu, on("button[value]").value);
  else if (on("[data-bulk-clear]")) clearSelection();
});

panes.addEventListener("submit", (event) => {
  if (event.target.matches("#bulk")) event.preventDefault();
  if (!event.target.matches("[data-search], [data-filter]")) return;
  event.preventDefault();
  const fields = new URLSearchParams();
  for (const [name, value] of new FormData(event.target)) if (value) fields.append(name, value);
  if (event.target.matches("[data-search]") && !fields.get("q")) fields.set("view", byId("list").dataset.view);
  show("?" + fields);
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-open]");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  walk = order();
  ticket.open(link.href);
});

addEventListener("popstate", () => {
  const number = location.pathname.slice(root.length).match(/^(\d+)\/$/);
  if (number) ticket.open(location.pathname + location.search, { push: false });
  else { ticket.close({ push: false }); show(location.search, { push: false }); }
});

export function start() {
  if (panes.dataset.load) { load(panes.dataset.load); return; }
  walk = order();
  watchEnd();
}

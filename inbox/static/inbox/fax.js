// Pages of faxes: loaded when their message comes into sight, turned, and read in the viewer with the keyboard.

import { ask, parse } from "./page.js";
import * as dialog from "./dialog.js";

const AGAIN = 1500;  // while pages are being drawn
const PATIENCE = 80;  // so often
const ZOOMS = [0.5, 0.75, 1, 1.25, 1.5, 2, 3];
const place = document.getElementById("conversation");
const box = document.getElementById("dialog");

// In the conversation

const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    seen.unobserve(entry.target);
    load(entry.target);
  }
}, { rootMargin: "300px" });

function scan() {
  for (const fax of place.querySelectorAll("[data-fax]:not([data-watched])")) {
    fax.dataset.watched = "";
    seen.observe(fax);
  }
}

async function load(fax, turn = 0) {
  const response = await ask(fax.dataset.fax, { quiet: true });
  if (!response?.ok || !fax.isConnected) return;
  fax.replaceChildren(...parse(await response.text()).childNodes);
  if (fax.querySelector("[data-waiting]") && turn < PATIENCE) setTimeout(() => fax.isConnected && load(fax, turn + 1), AGAIN);
}

new MutationObserver(scan).observe(place, { childList: true, subtree: true });
scan();

// The viewer

const viewer = () => box.querySelector("[data-fax-viewer]");
const sheets = () => [...box.querySelectorAll("[data-sheet]")];
let zoom = ZOOMS.indexOf(1);

function at() {
  const top = viewer().scrollTop + viewer().clientHeight / 3;
  const passed = sheets().filter((sheet) => sheet.offsetTop - viewer().offsetTop <= top);
  return Math.max(0, passed.length - 1);
}

function tell() {
  const mark = box.querySelector("[data-fax-at]");
  const text = String(at() + 1);
  if (mark && mark.textContent !== text) mark.textContent = text;
}

function go(index) {
  const all = sheets();
  all[Math.min(Math.max(index, 0), all.length - 1)]?.scrollIntoView({ block: "start" });
}

function magnify(step) {
  const here = at();
  zoom = step ? Math.min(Math.max(zoom + step, 0), ZOOMS.length - 1) : ZOOMS.indexOf(1);
  viewer().style.setProperty("--fax-zoom", ZOOMS[zoom]);
  go(here);
}

async function open(url, page) {
  zoom = ZOOMS.indexOf(1);
  await dialog.load(url);
  begin();
  if (page) go(page - 1);
}

function begin() {
  const pages = viewer();
  if (!pages) return;
  pages.addEventListener("scroll", tell, { passive: true });
  pages.focus();
}

// The preview of an answer is shown by the composer.
new MutationObserver(() => { if (viewer() && document.activeElement?.closest("dialog") !== null) begin(); }).observe(box, { childList: true });

async function turn(button) {
  const body = new FormData();
  body.set("degrees", "90");
  const response = await ask(button.dataset.faxTurn, { method: "POST", body });
  if (!response?.ok) return;
  const now = (await response.json()).turn;
  for (const picture of box.querySelectorAll("[data-sheet] img")) {
    const address = new URL(picture.src);
    address.searchParams.set("turn", now);
    [picture.width, picture.height] = [Number(picture.getAttribute("height")), Number(picture.getAttribute("width"))];
    picture.src = address;
  }
  for (const fax of place.querySelectorAll("[data-fax]")) {
    if (fax.querySelector(`[data-fax-turn="${button.dataset.faxTurn}"]`)) load(fax);
  }
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-fax-open]");
  const turner = event.target.closest("[data-fax-turn]");
  const stepper = event.target.closest("[data-fax-step]");
  const magnifier = event.target.closest("[data-fax-zoom]");
  if (opener) {
    event.preventDefault();
    open(opener.dataset.faxOpen || opener.href, Number(opener.dataset.page));
  } else if (turner) turn(turner);
  else if (stepper) go(at() + Number(stepper.dataset.faxStep));
  else if (magnifier) magnify(Number(magnifier.dataset.faxZoom));
});

const KEYS = {
  ArrowRight: () => go(at() + 1), n: () => go(at() + 1), j: () => go(at() + 1), PageDown: () => go(at() + 1),
  ArrowLeft: () => go(at() - 1), p: () => go(at() - 1), k: () => go(at() - 1), PageUp: () => go(at() - 1),
  Home: () => go(0), End: () => go(Infinity),
  "+": () => magnify(1), "=": () => magnify(1), "-": () => magnify(-1), 0: () => magnify(0),
  r: () => box.querySelector("[data-fax-turn]")?.click(),
};

document.addEventListener("keydown", (event) => {
  if (!box.open || !viewer() || event.ctrlKey || event.metaKey || event.altKey) return;
  const action = KEYS[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});

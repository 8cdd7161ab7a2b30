// Menus whose choices are loaded when they open.

import { ask, parse, words } from "./page.js";

/** Put choices into `place`. The field to find one is there at once: who types faster than they come loses nothing. */
export async function load(place, url) {
  const field = document.createElement("input");
  Object.assign(field, { type: "search", className: "g-input desk-choices__find", autocomplete: "off" });
  field.placeholder = url.includes("/tags/") ? words.findOrAdd : words.find;
  field.setAttribute("aria-label", words.find);
  field.dataset.choicesFind = "";
  place.replaceChildren(field);
  field.focus();
  const response = await ask(url);
  if (!response?.ok) { place.replaceChildren(); return; }
  place.append(...parse(await response.text()).childNodes);
  find(field);
  if ("entered" in field.dataset) place.querySelector(".is-pointed")?.click();
}

/** Open a menu; its field takes the focus, and its choices are fetched the first time. */
export function open(menu) {
  menu.open = true;
  const place = menu.querySelector("[data-choices-here]") ?? menu.querySelector(".g-menu__panel");
  if (place.hasChildNodes()) place.querySelector("[data-choices-find]")?.focus();
  else load(place, menu.dataset.choices);
}

document.addEventListener("toggle", (event) => {
  if (event.target.matches?.("details[data-choices]") && event.target.open) open(event.target);
}, true);

document.addEventListener("input", (event) => {
  if (event.target.matches("[data-choices-find]")) find(event.target);
});

/** Show what holds the word, and point at what Enter takes: nothing before a word was typed. */
function find(field) {
  const place = field.parentElement;
  const word = field.value.trim();
  const wanted = word.toLowerCase();
  const said = (choice) => choice.dataset.choice.trim().toLowerCase();
  const choices = [...place.querySelectorAll("[data-choice]")];
  for (const choice of choices) choice.hidden = !said(choice).includes(wanted);
  const shown = choices.filter((choice) => !choice.hidden);
  const exact = shown.find((choice) => said(choice) === wanted);
  const begins = shown.find((choice) => ` ${said(choice)}`.includes(` ${wanted}`));
  const fresh = place.querySelector("[data-choice-new]");  // of what may be added, such as tags
  if (fresh) {
    fresh.hidden = !wanted || Boolean(exact);
    fresh.value = fresh.querySelector("b").textContent = word;
  }
  const pointed = wanted ? exact ?? begins ?? fresh ?? shown[0] : null;
  for (const choice of [...choices, fresh]) choice?.classList.toggle("is-pointed", choice === pointed);
  pointed?.scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  const panel = event.target.closest?.(".g-menu__panel, .g-menu__panel--plain");
  if (!panel || !["ArrowDown", "ArrowUp", "Enter"].includes(event.key)) return;
  const items = [...panel.querySelectorAll("button.g-menu__item")].filter((item) => item.offsetParent);
  const finding = event.target.matches("[data-choices-find]");
  if (event.key === "Enter") {
    if (!finding) return;
    event.preventDefault();
    if (panel.querySelector(".desk-choices")) panel.querySelector(".is-pointed")?.click();
    else event.target.dataset.entered = "";
    return;
  }
  event.preventDefault();
  const at = items.indexOf(document.activeElement);
  items[(at + (event.key === "ArrowDown" ? 1 : -1) + items.length) % items.length]?.focus();
});

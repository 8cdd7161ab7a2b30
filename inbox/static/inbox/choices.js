// Menus whose choices are loaded when they open.

import { ask, parse } from "./page.js";

document.addEventListener("toggle", async (event) => {
  const menu = event.target;
  if (!menu.matches?.("details[data-choices]") || !menu.open) return;
  const place = menu.querySelector("[data-choices-here]") ?? menu.querySelector(".g-menu__panel");
  if (!place.hasChildNodes()) {
    const response = await ask(menu.dataset.choices);
    if (response?.ok) place.replaceChildren(...parse(await response.text()).childNodes);
  }
  place.querySelector("[data-choices-find]")?.focus();
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
    panel.querySelector(".is-pointed")?.click();
    return;
  }
  event.preventDefault();
  const at = items.indexOf(document.activeElement);
  items[(at + (event.key === "ArrowDown" ? 1 : -1) + items.length) % items.length]?.focus();
});

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
  if (!event.target.matches("[data-choices-find]")) return;
  const wanted = event.target.value.trim().toLowerCase();
  for (const choice of event.target.parentElement.querySelectorAll("[data-choice]")) {
    choice.hidden = !choice.dataset.choice.toLowerCase().includes(wanted);
  }
});

document.addEventListener("keydown", (event) => {
  const panel = event.target.closest?.(".g-menu__panel");
  if (!panel || !["ArrowDown", "ArrowUp", "Enter"].includes(event.key)) return;
  const items = [...panel.querySelectorAll("button.g-menu__item")].filter((item) => item.offsetParent);
  const finding = event.target.matches("[data-choices-find]");
  if (event.key === "Enter") {
    if (!finding) return;
    const exact = items.find((item) => item.dataset.choice?.trim().toLowerCase() === event.target.value.trim().toLowerCase());
    const form = panel.closest("form");
    event.preventDefault();
    if (form && "newChoice" in form.dataset && !exact) {  // a tag that does not exist yet
      if (event.target.value.trim()) form.requestSubmit();
      return;
    }
    event.target.removeAttribute("name");
    (exact ?? items.find((item) => item.dataset.choice !== undefined))?.click();
    return;
  }
  event.preventDefault();
  const at = items.indexOf(document.activeElement);
  items[(at + (event.key === "ArrowDown" ? 1 : -1) + items.length) % items.length]?.focus();
});

// A click on a choice must not send the search word beside it.
document.addEventListener("click", (event) => {
  const choice = event.target.closest("button[data-choice]");
  choice?.closest("form")?.querySelector("[data-choices-find]")?.removeAttribute("name");
}, true);

// Menus are <details class="g-menu"> and open without this file. It adds what people expect: Escape and a click
// outside close the menu, only one is open, the focus returns to where it came from, and a panel that would reach
// beyond the edge of the window begins at the other side of its button.

const openMenus = () => document.querySelectorAll("details.g-menu[open]");

document.addEventListener("click", (event) => {
  for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of openMenus()) {
    menu.open = false;
    if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
  }
});

// A panel grows when its choices have been fetched.
const sizes = new ResizeObserver((entries) => entries.forEach((entry) => turn(entry.target)));

document.addEventListener("toggle", (event) => {
  const panel = event.target.matches("details.g-menu") && event.target.querySelector(".g-menu__panel--start");
  if (!panel) return;
  if (event.target.open) sizes.observe(panel);
  else sizes.unobserve(panel);
}, true);

function turn(panel) {
  panel.classList.remove("g-menu__panel--end");
  if (panel.getBoundingClientRect().right <= document.documentElement.clientWidth) return;
  panel.classList.add("g-menu__panel--end");
  if (panel.getBoundingClientRect().left < 0) panel.classList.remove("g-menu__panel--end");
}

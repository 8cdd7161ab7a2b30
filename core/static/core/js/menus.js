// Menus are <details class="g-menu"> and open without this file. It adds what people expect: Escape and a click
// outside close the menu, only one is open, and the focus returns to where it came from.

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

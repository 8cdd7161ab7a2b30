// The week of business hours: add, remove and copy stretches, and draw each day while it is typed.
// Without this file every day has one spare stretch, and emptying both times removes one.
const svg = "http://www.w3.org/2000/svg";
const minutes = (text) => (/^\d\d:\d\d/.test(text) ? Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5)) : null);

for (const day of document.querySelectorAll("[data-week] [data-day]")) {
  const spare = day.querySelector("[data-spare]");
  const blank = spare.firstElementChild;
  spare.remove();
  day.blank = blank;
  day.querySelector("[data-tools]").hidden = false;
  for (const button of day.querySelectorAll("[data-remove-stretch]")) button.hidden = false;
  blank.querySelector("[data-remove-stretch]").hidden = false;
  draw(day);
}

function draw(day) {
  const stretches = [...day.querySelectorAll("[data-stretch]")];
  day.querySelector("[data-closed]").hidden = stretches.length > 0;
  const bar = day.querySelector("svg.r-day__bar");
  for (const old of bar.querySelectorAll(".r-bar__open")) old.remove();
  for (const stretch of stretches) {
    const [opens, closes] = [...stretch.querySelectorAll("input")].map((input) => minutes(input.value));
    const end = closes === 0 ? 1440 : closes;
    if (opens === null || end === null || end <= opens) continue;
    const rect = document.createElementNS(svg, "rect");
    for (const [name, value] of Object.entries({ class: "r-bar__open", x: opens, width: end - opens, height: 24 })) {
      rect.setAttribute(name, value);
    }
    bar.querySelector(".r-bar__ground").after(rect);
  }
}

function add(day, opens = "", closes = "") {
  const stretch = day.blank.cloneNode(true);
  [...stretch.querySelectorAll("input")].forEach((input, number) => { input.value = [opens, closes][number]; });
  day.querySelector("[data-closed]").before(stretch);
  draw(day);
  return stretch;
}

document.querySelector("[data-week]")?.addEventListener("click", (event) => {
  const day = event.target.closest("[data-day]");
  if (!day) return;
  if (event.target.closest("[data-add-stretch]")) {
    const last = [...day.querySelectorAll("[data-stretch]")].at(-1);
    add(day, last ? "" : "09:00", last ? "" : "17:00").querySelector("input").focus();
  } else if (event.target.closest("[data-remove-stretch]")) {
    event.target.closest("[data-stretch]").remove();
    draw(day);
    day.querySelector("[data-add-stretch]").focus();
  } else if (event.target.closest("[data-copy]")) {
    const next = document.querySelector(`[data-week] [data-day="${Number(day.dataset.day) + 1}"]`);
    for (const old of next.querySelectorAll("[data-stretch]")) old.remove();
    for (const stretch of day.querySelectorAll("[data-stretch]")) {
      add(next, ...[...stretch.querySelectorAll("input")].map((input) => input.value));
    }
    draw(next);
    (next.querySelector("[data-copy]") ?? next.querySelector("[data-add-stretch]")).focus();
  } else return;
  document.querySelector("[data-edit-form]")?.dispatchEvent(new Event("change", { bubbles: true }));
});

document.querySelector("[data-week]")?.addEventListener("input", (event) => {
  const day = event.target.closest("[data-day]");
  if (day) draw(day);
});

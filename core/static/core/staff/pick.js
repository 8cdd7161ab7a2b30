// A text field that finds one record while typing. What comes back is only ever set as text.
(() => {
  const start = (box) => {
    const [hidden, field] = box.querySelectorAll("input");
    const list = box.querySelector("[role=listbox]");
    let chosen = field.value, timer = 0, asked = 0, at = -1;

    const close = () => { list.hidden = true; at = -1; field.setAttribute("aria-expanded", "false"); field.removeAttribute("aria-activedescendant"); };
    const mark = (next) => {
      const rows = list.querySelectorAll("[role=option]");
      rows[at]?.setAttribute("aria-selected", "false");
      at = rows.length ? (next + rows.length) % rows.length : -1;
      rows[at]?.setAttribute("aria-selected", "true");
      rows[at]?.scrollIntoView({ block: "nearest" });
      if (at >= 0) field.setAttribute("aria-activedescendant", rows[at].id);
    };
    const take = (row) => { hidden.value = row.dataset.id; chosen = field.value = row.dataset.label; close(); };
    const show = (results) => {
      list.replaceChildren(...results.map((each, n) => {
        const row = document.createElement("li");
        row.id = `${list.id}_${n}`;
        row.setAttribute("role", "option");
        row.dataset.id = each.id;
        row.dataset.label = each.label;
        const label = document.createElement("span"), hint = document.createElement("small");
        label.textContent = each.label;
        hint.textContent = each.hint;
        row.append(label, hint);
        row.addEventListener("mousedown", (event) => { event.preventDefault(); take(row); });
        return row;
      }));
      if (!results.length) {
        const none = document.createElement("li");
        none.textContent = list.dataset.none;
        list.append(none);
      }
      list.hidden = false;
      at = -1;
      field.setAttribute("aria-expanded", "true");
    };
    const find = async () => {
      const mine = ++asked;
      const answer = await fetch(`${box.dataset.pick}?q=${encodeURIComponent(field.value)}`, { headers: { "X-Requested-With": "XMLHttpRequest" } });
      if (answer.ok && mine === asked) show((await answer.json()).results);
    };
    // What is shown belongs to what was typed before: Enter must not take it.
    field.addEventListener("input", () => { hidden.value = ""; asked++; close(); clearTimeout(timer); timer = setTimeout(find, 180); });
    field.addEventListener("focus", () => { if (!hidden.value) find(); });
    field.addEventListener("blur", () => {
      close();
      if (!field.value) { chosen = hidden.value = ""; } else if (!hidden.value) { field.value = ""; chosen = ""; }
    });
    field.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown") { event.preventDefault(); list.hidden ? find() : mark(at + 1); }
      else if (event.key === "ArrowUp") { event.preventDefault(); mark(at - 1); }
      else if (event.key === "Enter" && !list.hidden) { event.preventDefault(); const row = list.querySelectorAll("[role=option]")[Math.max(at, 0)]; if (row) take(row); }
      else if (event.key === "Escape" && !list.hidden) { event.stopPropagation(); field.value = chosen; close(); }
    });
  };
  const all = () => document.querySelectorAll("[data-pick]").forEach(start);
  // The shell puts its scripts before the page's content.
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", all); else all();
})();

// Rows of a form that can be added to: the empty row in the <template> is copied with the next number.
for (const section of document.querySelectorAll("[data-rows]")) {
  const total = section.querySelector(`[name="${section.dataset.rows}-TOTAL_FORMS"]`);
  const empty = section.querySelector("[data-rows-empty]");
  section.querySelector("[data-rows-add]")?.addEventListener("click", () => {
    const row = empty.content.cloneNode(true);
    for (const element of row.querySelectorAll("*")) {
      for (const { name, value } of [...element.attributes]) {
        if (value.includes("__prefix__")) element.setAttribute(name, value.replaceAll("__prefix__", total.value));
      }
    }
    section.querySelector("[data-rows-list]").append(row);
    total.value = Number(total.value) + 1;
    section.querySelector("[data-row]:last-child :is(input, select, textarea):not([type=hidden])")?.focus();
  });
}

// Ctrl or Command with Enter sends; what is sent has an id, so that a double click sends it once.

import { mark } from "./once.js";

const compose = document.getElementById("compose");
compose?.addEventListener("input", () => mark(compose));
compose?.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) event.currentTarget.requestSubmit();
});

// The rows of the rule editor. The server draws them; this file only presses its buttons without leaving the page.
// Without it the same buttons submit the form, and the page comes back with the change.
const form = document.querySelector("[data-edit-form]");

async function change(what, from) {
  const editor = form.querySelector("[data-editor]");
  const body = new FormData(form);
  body.set("do", what);
  editor.inert = true;
  try {
    const answer = await fetch(form.action || location.href, { method: "POST", body, credentials: "same-origin" });
    if (!answer.ok || answer.redirected) throw new Error(`answer ${answer.status}`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("[data-editor]");
    if (!fresh) throw new Error("no editor in the answer");
    editor.replaceWith(document.adoptNode(fresh));
    focus(fresh, what, from);
    const said = form.querySelector("[data-said]");
    if (said) said.textContent = what === "try" ? fresh.querySelector("[data-outcome]")?.textContent ?? "" : "";
  } catch {
    // Let the browser do it: its own page says what is wrong.
    editor.inert = false;
    const button = Object.assign(document.createElement("button"), { name: "do", value: what, hidden: true });
    form.append(button);
    form.requestSubmit(button);
  }
}

function focus(editor, what, from) {
  const [verb] = what.split(" ");
  let next = null;
  if (verb === "refresh") next = document.getElementById(from?.id ?? "");
  else if (verb === "try") next = editor.querySelector("#trial [name=do]");
  else if (verb === "up" || verb === "down") {
    next = editor.querySelector(`[name=do][value="${what}"]:not(:disabled)`)
      ?? editor.querySelector(`[name=do][value$=" ${what.split(" ")[1]}"]:not(:disabled)`);
  } else next = editor.querySelector("[data-focus] select") ?? editor.querySelector("[name=do]");
  next?.focus();
}

form?.addEventListener("click", (event) => {
  const button = event.target.closest("[data-editor] button[name=do]");
  if (!button) return;
  event.preventDefault();
  change(button.value, button);
});

form?.addEventListener("change", (event) => {
  const field = event.target;
  if (field.matches("[data-editor] [data-refresh]") || field.name === "event") change("refresh", field);
});

// Return in a text field saves the form; it must not press the first button of the editor.
form?.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches("input:not([type=checkbox])")) return;
  event.preventDefault();
  form.requestSubmit(form.querySelector("footer button[type=submit]"));
});

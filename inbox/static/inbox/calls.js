// Calls on every page of the desk: the card that shows while it rings, numbers that dial, and the form that logs.
// The socket only hints; what is shown comes from the server, and asking again brings back whatever was missed.

const own = document.querySelector("script[data-calls]").dataset;
const root = own.root;
const token = () => JSON.parse(document.getElementById("wagtail-config").textContent).CSRF_TOKEN;

const POLL = 15_000;
const closed = new Set(JSON.parse(sessionStorage.getItem("calls-closed") || "[]"));

async function ask(url, options = {}) {
  try {
    const response = await fetch(url, { credentials: "same-origin", ...options, headers: { "HX-Request": "true", "X-CSRFToken": token(), ...options.headers } });
    return response.redirected && new URL(response.url).pathname.startsWith("/accounts/") ? null : response;
  } catch {
    if (options.method) say(own.failed, true);
    return null;
  }
}

const nodes = (html) => [...new DOMParser().parseFromString(html, "text/html").body.childNodes];

export function say(text, bad = false) {
  if (!text) return;
  let place = document.getElementById("toasts");
  if (!place) {
    place = document.createElement("div");
    place.id = "toasts";
    place.className = "g-toasts";
    place.setAttribute("role", "status");
    document.body.append(place);
  }
  const toast = document.createElement("div");
  toast.className = bad ? "g-toast g-tone-danger" : "g-toast";
  toast.textContent = text;
  place.append(toast);
  setTimeout(() => toast.remove(), bad ? 8000 : 3500);
}

// Cards

const region = () => document.getElementById("calls");

const cardOf = (call) => document.querySelector(`.call-card[data-call="${Number(call)}"]`);

function place(call, html) {
  const [made] = nodes(html).filter((node) => node.nodeType === Node.ELEMENT_NODE);
  const old = cardOf(call);
  if (!old) { region().append(made); return; }
  // What somebody is just writing is not taken from under his hands.
  const written = old.querySelector("[name=note]");
  const field = made.querySelector("[name=note]");
  const focused = written === document.activeElement;
  if (written && field && written.value !== written.defaultValue) field.value = written.value;
  old.replaceWith(made);
  if (focused) field?.focus();
}

const turns = new Map();

async function show(call) {
  if (closed.has(call)) return;
  const turn = (turns.get(call) ?? 0) + 1;
  turns.set(call, turn);
  const response = await ask(`${root}${Number(call)}/card/`);
  if (!response || turns.get(call) !== turn) return;
  if (response.status === 200) place(call, await response.text());
  else if (response.status === 204 || response.status === 404) await remove(call);
}

async function remove(call) {
  const card = cardOf(call);
  if (!card) return;
  const field = card.querySelector("[name=note]");
  if (field && field.value !== field.defaultValue) await send(field.form);  // the call is over, his notes are not lost
  card.remove();
}

async function showAll() {
  const response = await ask(`${root}ringing/`);
  if (!response?.ok) return;
  const { calls } = await response.json();
  for (const card of document.querySelectorAll(".call-card")) if (!calls.includes(Number(card.dataset.call))) show(Number(card.dataset.call));
  for (const call of calls) if (!cardOf(call)) show(call);
}

async function send(form, submitter = null) {
  const response = await ask(form.action, { method: "POST", body: new FormData(form, submitter) });
  if (!response) return null;
  if (!(response.headers.get("Content-Type") ?? "").includes("json")) return { status: response.status, html: response.status === 200 ? await response.text() : "" };
  const answer = { status: response.status, ...(await response.json()) };
  say(answer.said, !response.ok);
  return answer;
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("[data-call-form]")) return;
  event.preventDefault();
  const card = form.closest(".call-card");
  const call = Number(card?.dataset.call);
  const notes = card?.querySelector("[data-call-notes]");
  const field = notes?.querySelector("[name=note]");
  if (notes && notes !== form && field.value !== field.defaultValue) await send(notes);
  const answer = await send(form, event.submitter);
  if (!answer) return;
  if (form === notes && answer.status === 200) {
    field.defaultValue = field.value;
    if (card.dataset.state === "ended") { shut(call); return; }
  }
  if (answer.html) place(call, answer.html);
  else if (form.matches("[data-call-renew]")) remove(call);
  else if (answer.open && event.submitter?.name !== "ticket") location.assign(answer.open);
  else if (card && answer.status === 200) show(call);
});

function shut(call) {
  closed.add(call);
  sessionStorage.setItem("calls-closed", JSON.stringify([...closed].slice(-50)));
  remove(call);
}

document.addEventListener("click", (event) => {
  const card = event.target.closest?.("[data-call-close]")?.closest(".call-card");
  if (card) shut(Number(card.dataset.call));
});

// Numbers

// However it is clicked: the middle button or a key held with it would dial past the check whether he may be called.
async function dial(event) {
  const link = event.target.closest?.("a[data-dial]");
  if (!link || event.defaultPrevented || event.button > 1) return;
  event.preventDefault();
  const form = new FormData();
  form.set("number", link.dataset.dial);
  form.set("entry", link.closest("[data-entry-key]")?.dataset.entryKey ?? "");
  const response = await ask(`${root}dial/`, { method: "POST", body: form });
  if (!response) return;
  const answer = await response.json();
  say(answer.said, !response.ok);
  if (answer.open) location.assign(answer.open);
  if (response.ok && link.dataset.log) openForm(link.dataset.log);
}

document.addEventListener("click", dial);
document.addEventListener("auxclick", dial);

// Only from here on is a number a link: until somebody asks whether it may be called, it is text.
function link() {
  for (const number of document.querySelectorAll("a[data-dial]:not([href])")) {
    number.href = `tel:${number.dataset.dial}`;
    if (number.autofocus) number.focus();
  }
}
link();
new MutationObserver(link).observe(document.body, { childList: true, subtree: true });

// Working a list with the keyboard: Enter dials, a digit says how it ended, Enter goes on to the next person.

document.addEventListener("keydown", (event) => {
  const form = document.querySelector("[data-outcomes]");
  if (!form || event.isComposing || event.altKey) return;
  const writes = event.target.matches("input:not([type=radio]), textarea, select");
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && form.contains(event.target)) form.requestSubmit();
  const outcome = !writes && !event.ctrlKey && !event.metaKey && form.outcome[Number(event.key) - 1];
  if (!outcome) return;
  outcome.checked = true;
  outcome.focus();
});

// The form

let asked = 0;

function startForm(form) {
  const who = form.querySelector("[name=who]");
  const contact = form.querySelector("[name=contact]");
  const name = form.querySelector("[name=name]");
  const found = form.querySelector("[role=listbox]");
  const person = form.querySelector("[data-person]");
  let at = -1;
  let timer = 0;
  const options = () => [...found.querySelectorAll("[role=option]")];
  const shut = () => { found.hidden = true; at = -1; who.setAttribute("aria-expanded", "false"); who.removeAttribute("aria-activedescendant"); };
  const point = (next) => {
    const all = options();
    at = all.length ? (next + all.length) % all.length : -1;
    all.forEach((item, index) => item.setAttribute("aria-selected", String(index === at)));
    if (at >= 0) who.setAttribute("aria-activedescendant", all[at].id);
  };
  const named = () => /\p{L}/u.test(who.value);
  const take = (item) => {
    contact.value = item.dataset.id;
    name.value = item.dataset.id ? "" : who.value.trim();
    if (item.dataset.id && !/\d{4}/.test(who.value)) who.value = item.dataset.number || item.dataset.label;
    person.textContent = [item.dataset.label, item.dataset.hint].filter(Boolean).join(" · ");
    person.hidden = false;
    who.removeAttribute("aria-invalid");
    for (const error of person.parentElement.querySelectorAll(".g-field__error")) error.remove();
    shut();
    form.querySelector("[name=note]").focus();
  };
  const find = async () => {
    const mine = ++asked;
    const response = await ask(`${form.dataset.find}?q=${encodeURIComponent(who.value)}`);
    if (!response?.ok || mine !== asked) return;
    const { results } = await response.json();
    if (results.length && named()) results.push({ id: "", label: form.dataset.new, hint: who.value.trim(), number: "" });
    found.replaceChildren(...results.map((each, index) => {
      const item = document.createElement("li");
      item.id = `call-found-${index}`;
      item.setAttribute("role", "option");
      Object.assign(item.dataset, { id: each.id, label: each.label, hint: each.hint, number: each.number });
      const label = document.createElement("span");
      const hint = document.createElement("small");
      label.textContent = each.label;
      hint.textContent = [each.hint, each.number].filter(Boolean).join(" · ");
      item.append(label, hint);
      item.addEventListener("mousedown", (event) => { event.preventDefault(); take(item); });
      return item;
    }));
    found.hidden = !results.length;
    who.setAttribute("aria-expanded", String(Boolean(results.length)));
    // A number goes as it was typed; a name means somebody we know, as a rule the first of them.
    point(named() ? 0 : -1);
  };
  who.addEventListener("input", () => {
    contact.value = name.value = "";
    person.hidden = true;
    asked += 1;
    shut();
    clearTimeout(timer);
    if (who.value.trim().length > 1) timer = setTimeout(find, 160);
  });
  who.addEventListener("blur", shut);
  who.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (found.hidden) find(); else point(at + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Enter" && !found.hidden && at >= 0) {
      event.preventDefault();
      take(options()[at]);
    } else if (event.key === "Escape" && !found.hidden) {
      event.stopPropagation();
      shut();
    }
  });
  form.querySelector("[name=note]").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  const kinds = () => {
    const [kind] = form.querySelector("[name=what]:checked").value.split("-");
    for (const part of form.querySelectorAll("[data-for]")) part.hidden = !part.dataset.for.split(" ").includes(kind);
  };
  form.addEventListener("change", kinds);
  kinds();
  form.querySelector("[autofocus]")?.focus();
  if (who.getAttribute("aria-invalid") && named()) find();
}

const started = new WeakSet();
const startForms = () => {
  for (const form of document.querySelectorAll("[data-call-log]")) if (!started.has(form)) { started.add(form); startForm(form); }
};
new MutationObserver(startForms).observe(document.body, { childList: true, subtree: true });
startForms();

document.addEventListener("submit", async (event) => {
  const form = event.target;
  const dialog = form.closest("dialog");
  if (!form.matches("[data-call-log]") || !dialog) return;
  event.preventDefault();
  const button = form.querySelector("button.g-button--primary");
  if (button.disabled) return;
  button.disabled = true;
  const response = await ask(form.action, { method: "POST", body: new FormData(form, event.submitter) });
  button.disabled = false;
  if (!response) return;
  if (response.ok) {
    const answer = await response.json();
    dialog.close();
    say(answer.said);
    document.dispatchEvent(new CustomEvent("calls:logged", { detail: answer }));
  } else {
    dialog.replaceChildren(...nodes(await response.text()));
  }
});

/** The form in the dialog of the page. */
async function openForm(ticket) {
  const dialog = document.getElementById("dialog");
  const response = await ask(`${root}new/${ticket ? `?ticket=${encodeURIComponent(ticket)}` : ""}`);
  if (!dialog || !response?.ok) return;
  dialog.replaceChildren(...nodes(await response.text()));
  if (!dialog.open) dialog.showModal();
  dialog.querySelector("[autofocus]")?.focus();
}

// What we hear

const on = (name, listener) => document.addEventListener(`desk:${name}`, (event) => listener(event.detail));
let live = false;
on("log-call", ({ ticket }) => openForm(ticket));
on("call", (what) => show(what.call));
on("socket", ({ state }) => { live = state === "live"; if (live) showAll(); });
setInterval(() => { if (!live && document.visibilityState === "visible") showAll(); }, POLL);
document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") showAll(); });
// A card whose end was never told goes by itself.
setInterval(() => { for (const card of document.querySelectorAll(".call-card")) show(Number(card.dataset.call)); }, 20_000);
showAll();

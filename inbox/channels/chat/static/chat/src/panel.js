/** The frame: launcher, panel, head, menu, and the foot where one writes. */

import { markTitle, settings } from "./page.js";
import { kept, tab } from "./memory.js";
import { ATTACH, button, CHAT, CLOSE, el, icon, MORE, SEND } from "./dom.js";
import { locale, t, why } from "./words.js";
import { changed, looked, sorted, state, watch } from "./state.js";
import { ask } from "./session.js";
import { go, hurry, send } from "./line.js";
import { say } from "./outbox.js";
import { darkness, dress, look, style } from "./look.js";
import { sendFiles } from "./files.js";
import { clearLog, face, paintLog } from "./log.js";
import { addressForm, callForm, messageForm, ratingForm } from "./forms.js";

const host = el("guichet-chat");
const shadow = host.attachShadow({ mode: "closed" });
const root = el("div", { role: "region" });
let ui;

/** The screen over the talk: a form's name, or words that are the last of one. */
let chosen = "";
let typedAt = 0;
let focusBack;

/** Set a text; not when it is there already, for screen readers would say it again. */
const write = (node, words) => node.textContent !== words && (node.textContent = words);
const notice = (words) => write(ui.notice, words);
const failed = (problem) => notice(why(problem));
const thank = (words) => {
  changed();
  notice(words);
};
const toEnd = () => (ui.body.scrollTop = ui.body.scrollHeight);
const stick = () => ui.sticks && toEnd();

/** Move the focus in. A field would bring up the keyboard of a touch screen, over half of the talk. */
const enter = () => {
  ui.panel.focus();
  if (ui.shown) ui.heading.focus();
  else if (!matchMedia("(pointer:coarse)").matches) ui.text.focus();
};

const visit = (name = "") => {
  chosen = name;
  changed();
  enter();
};

const SCREENS = {
  leave: () => messageForm(visit),
  call: () => callForm(visit),
  transcript: () => addressForm(visit, "transcript"),
};

/** What is on the screen has been read; the agents may know. */
const markRead = () => {
  const { seq } = state;
  if (!looked() || ui.shown || !(seq > kept.all.read)) return;
  kept.save({ read: seq });
  send({ do: "seen", seq }) || ask("seen", { seq }).catch(() => {});
};

const earlier = async () => {
  const { body } = ui;
  const height = body.scrollHeight;
  const { events, more } = await ask("events?before=" + sorted()[0].seq);
  for (const event of events) state.events.set(event.seq, event);
  state.more = more;
  changed();
  body.scrollTop = body.scrollHeight - height;
};

const typed = () => {
  const { style, value } = ui.text;
  style.height = "auto";
  style.height = ui.text.scrollHeight + "px";
  tab.save({ draft: value });
  if (value && Date.now() - typedAt > 3e3 && send({ do: "typing" })) typedAt = Date.now();
};

const submit = (event) => {
  event.preventDefault();
  const text = ui.text.value.trim();
  if (!text) return;
  ui.text.value = "";
  typed();
  notice("");
  ui.sticks = true;
  say({ text });
};

const attach = (event, { files }) => {
  if (!files.length) return;
  // Also where none are taken: the browser would leave the page to show a file that was dropped.
  event.preventDefault();
  if (ui.attach.hidden || ui.composer.hidden) return;
  ui.sticks = true;
  notice(sendFiles(files));
};

export const open = (quiet) => {
  if (state.open) return;
  focusBack = document.activeElement;
  state.open = ui.sticks = true;
  tab.save({ open: true });
  go();
  hurry();
  changed();
  if (!quiet) enter();
};

export const close = () => {
  const had = shadow.activeElement;
  state.open = false;
  tab.save({ open: false });
  changed();
  if (had) (focusBack === host || focusBack === document.body ? ui.launcher : focusBack).focus();
};

const shutMenu = () => {
  if (!ui.menu.open) return false;
  ui.menu.open = false;
  ui.menu.firstChild.focus();
  return true;
};

const onkeydown = (event) => {
  // The page's own keys are not for what is typed here.
  event.stopPropagation();
  if (event.key !== "Escape" || event.isComposing || shutMenu()) return;
  if (chosen) visit();
  else close();
};

/** Build everything in the words of the session. */
export const build = () => {
  chosen = "";
  clearLog();
  ui = {};
  const entry = (name, then = () => visit(name)) => (ui[name] = button("", () => shutMenu() && then(), t(name)));
  const picker = el("input", { type: "file", multiple: true, hidden: true });
  picker.onchange = (event) => {
    attach(event, picker);
    picker.value = "";
  };
  ui.launcher = button(
    ".launcher",
    () => (state.open ? close() : open()),
    icon(CHAT),
    (ui.label = el("span")),
    (ui.count = el("b")),
  );
  ui.menu = el(
    "details",
    el("summary.key", { "aria-label": t("menu") }, icon(MORE)),
    el(
      "div.menu",
      entry("call"),
      entry("transcript", () =>
        state.person.email ? ask("transcript", {}).then(({ done }) => notice(t("transcript_" + done)), failed) : visit("transcript"),
      ),
      entry("end", () => ask("end", {}).catch(failed)),
    ),
  );
  ui.text = el("textarea", {
    rows: 1,
    dir: "auto",
    "aria-label": t("text"),
    placeholder: t("write"),
    maxlength: state.limits.text,
    enterkeyhint: "send",
    oninput: typed,
    // Enter also ends a word of an input method: that one does not send. Safari says so by the key code alone.
    onkeydown: (event) => {
      if (event.keyCode === 13 && !event.shiftKey && !event.isComposing) submit(event);
    },
    onpaste: (event) => attach(event, event.clipboardData),
  });
  ui.composer = el(
    "form.composer",
    { onsubmit: submit },
    picker,
    (ui.attach = button(".key", () => picker.click(), { "aria-label": t("attach") }, icon(ATTACH))),
    ui.text,
    el("button.key send", { "aria-label": t("send") }, icon(SEND)),
  );
  ui.body = el(
    "div.body",
    { onscroll: () => (ui.sticks = ui.body.scrollHeight - ui.body.scrollTop - ui.body.clientHeight < 80) },
    (ui.talk = el(
      "div",
      (ui.earlier = button(".link", () => earlier().catch(failed), t("earlier"))),
      (ui.log = el("div.log", { role: "log", "aria-label": t("messages"), tabindex: 0 })),
      (ui.typing = el("p.typing", { role: "status" })),
      (ui.rating = el("div")),
    )),
    (ui.over = el(
      "div",
      { oninput: () => (chosen = ui.shown) },
      (ui.heading = el("h3", { tabindex: -1 })),
      (ui.form = el("div")),
      (ui.back = button(".link", () => visit(), t("back"))),
    )),
  );
  ui.panel = el(
    "section.panel",
    {
      role: "dialog",
      tabindex: -1,
      "aria-labelledby": "title",
      onkeydown,
      ondragover: (event) => event.preventDefault(),
      ondrop: (event) => attach(event, event.dataTransfer),
    },
    el(
      "header",
      (ui.face = el("span")),
      el("div", (ui.title = el("h2", { id: "title" })), (ui.duty = el("p", { role: "status" }))),
      ui.menu,
      button(".key", close, { "aria-label": t("close") }, icon(CLOSE)),
    ),
    ui.body,
    // Articles can be suggested here: children of <guichet-chat slot="articles"> show between the talk and the foot.
    el("slot", { name: "articles" }),
    (ui.foot = el(
      "div.foot",
      (ui.address = el("details", { ontoggle: stick }, el("summary", t("keep")), addressForm(thank))),
      (ui.notice = el("p.notice", { role: "status" })),
      ui.composer,
      (ui.next = button(".main", () => visit("leave"), t("leave"))),
    )),
  );
  ui.sticks = true;
  ui.text.value = tab.all.draft || "";
  root.ariaLabel = t("chat");
  root.lang = locale;
  root.replaceChildren(ui.panel, ui.launcher, (ui.news = el("p.unseen", { role: "status" })));
};

const paint = () => {
  const had = shadow.activeElement;
  const { agent, can, duty, gone, lost, open, person, seq, status, wait } = state;
  const { title, launcher } = look();
  const idle = !state.outbox.length;
  const talked = state.events.size;
  const closed = duty === "closed" && status !== "open" && idle;
  const show = (node, wanted) => (node.hidden = !wanted);
  if (gone) {
    markTitle(0);
    return host.remove();
  }
  dress(root);

  // Written into by hand, a form stays until it is sent or left, whatever else changes.
  const home = closed && !talked ? "leave" : "";
  const shown = chosen || home;
  if (shown !== ui.shown) {
    const content = SCREENS[shown];
    ui.shown = shown;
    write(ui.heading, content ? t(shown) : shown);
    ui.form.replaceChildren(content ? content() : "");
  }
  show(ui.back, shown !== home);
  show(ui.over, shown);
  show(ui.talk, !shown);
  show(ui.foot, !shown);

  markRead();
  const answers = sorted().filter((event) => event.kind === "answer");
  const n = answers.filter((event) => event.seq > kept.all.read).length;
  markTitle(settings.title !== false && n);
  const words = [t(open ? "close" : "open"), launcher, n && t("unread", { n })];
  ui.launcher.ariaExpanded = open;
  ui.launcher.querySelector("path").setAttribute("d", open ? CLOSE : CHAT);
  ui.launcher.ariaLabel = words.filter(Boolean).join(", ");
  show(ui.launcher, settings.launcher !== false);
  write(ui.label, launcher);
  write(ui.count, n || "");
  show(ui.panel, open);
  write(ui.news, !open && n ? t("unread", { n }) : "");

  const who = agent?.name || title || t("chat");
  if (ui.who !== who) {
    const made = face(agent);
    ui.face.replaceWith(made);
    ui.face = made;
    write(ui.title, (ui.who = who));
  }
  write(ui.duty, lost ? t("lost") : wait ? t("position", { n: wait }) : t(duty === "open" ? "online" : duty));
  ui.duty.className = lost ? "lost" : duty;
  show(ui.call, can.callback);
  show(ui.transcript, can.transcript && talked);
  show(ui.end, status === "open");
  show(ui.menu, can.callback || talked);

  show(ui.earlier, state.more);
  paintLog(ui.log, stick);
  write(ui.typing, state.typing ? t("typing", { name: who }) : "");
  const rate = answers[0] && status === "ended" && idle && can.rating && kept.all.rated !== seq;
  if (rate !== ui.rate) {
    ui.rate = rate;
    ui.rating.replaceChildren(
      rate
        ? ratingForm((words) => {
            kept.save({ rated: seq });
            thank(words);
          })
        : "",
    );
  }

  show(ui.address, !person.email && status === "open");
  show(ui.attach, can.files);
  show(ui.composer, !closed);
  show(ui.next, closed);
  stick();
  // What had the focus may be gone or hidden.
  if (open && had && !had.getClientRects()[0]) enter();
};

/** Put it on the page, beside the body: styles and scripts of the page reach for what is inside the body. */
export const mount = () => {
  style(shadow);
  build();
  shadow.append(root);
  document.documentElement.append(host);
  watch(paint);
  changed();
  darkness.onchange = changed;
  if (tab.all.open && innerWidth > 480) open(true);
};

// The one socket of a page. It carries hints, never content: whoever listens asks the server what has changed.
//
// Every message `{about: NAME, …}` is given out as the event `desk:NAME` of the document; `desk:socket` tells whether
// the socket is up. A script of another room listens to these events and needs nothing else.

const SILENCE = 30_000;
const SHOW = 10_000;
const FORBIDDEN = 4403;

let socket = null;
let tries = 0;
let retry = 0;
let heard = 0;
/** Keys of the tickets that this page shows. */
export let watched = [];
let typing = { until: 0 };

/** `connecting`, `live`, or `polling`: the socket is away, and pages ask by themselves. */
export let state = "connecting";

function tell(what) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(what));
}

function give(name, detail) {
  document.dispatchEvent(new CustomEvent(`desk:${name}`, { detail }));
}

function setState(name, again = false) {
  state = name;
  give("socket", { state, again });
}

/** Hear exactly these tickets, by their keys, and be shown to whoever else looks at them. */
export function watch(tickets) {
  watched = tickets;
  if (state === "live") tell({ do: "watch", tickets });
}

/** Be shown as typing in this ticket for some seconds; `aloud`: what is typed is for the customer. */
export function type(ticket, aloud) {
  typing = { ticket, aloud, until: Date.now() + 6_000 };
  show();
}

/** What was typed is sent: he types no more. */
export function typed() {
  typing = { until: 0 };
  show();
}

function show() {
  const on = Date.now() < typing.until;
  tell(on ? { do: "show", typing: typing.ticket, aloud: typing.aloud } : { do: "show" });
}

function connect() {
  clearTimeout(retry);
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const line = socket = new WebSocket(`${scheme}//${location.host}/ws/desk/`);
  line.addEventListener("message", (event) => {
    if (line !== socket) return;
    heard = Date.now();
    const what = JSON.parse(event.data);
    if (what.about === "ready") {
      setState("live", tries > 0);
      tries = 0;
      watch(watched);
    } else if (typeof what.about === "string") give(what.about, what);
  });
  line.addEventListener("close", (event) => { if (line === socket) lost(event.code); });
}

/** Go on by asking, and try again later. A line that nobody answers on takes a minute to close: that is not waited for. */
function lost(code) {
  socket.close();
  socket = null;
  setState("polling");
  tries += 1;
  // Who may not listen is told so; he may have logged in again meanwhile, so it is tried now and then.
  const wait = code === FORBIDDEN ? 60_000 : Math.min(30_000, 500 * 2 ** Math.min(tries, 6));
  retry = setTimeout(connect, wait * (0.5 + Math.random()));
}

setInterval(() => {
  if (state === "live" && Date.now() - heard > SILENCE) lost();  // half-open: nobody would tell us
  if (document.visibilityState === "visible" || Date.now() - heard > SILENCE / 2) show();
}, SHOW);
addEventListener("online", () => { if (!socket) connect(); });

connect();

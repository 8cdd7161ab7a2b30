/** What the host page says (its script tag and settings), and what it is told by events. */

const tag = document.currentScript || document.querySelector("script[data-channel]");

export const base = tag.src.replace(/\/widget\.js.*/, "");
export const channel = tag.dataset.channel;

/** The host's settings; a script may change them while the page lives. Each value is checked where it is used. */
export const settings = { ...window.guichetSettings };

let plain;
let marked;
const title = () => (document.title === marked ? plain : document.title);

/** Write a number before the page's title; 0 takes ours away, and never one of the page itself. */
export const markTitle = (n) => {
  plain = title();
  marked = n ? `(${n}) ${plain}` : plain;
  if (document.title !== marked) document.title = marked;
};

/** The page as the other side sees it. The fragment stays here: it is where applications keep tokens. */
export const place = () => ({ url: location.href.split("#")[0], title: title(), referrer: document.referrer });

/** Tell the host page, as `guichet:NAME` on its document. */
export const tell = (name, detail) => document.dispatchEvent(new CustomEvent("guichet:" + name, { detail }));

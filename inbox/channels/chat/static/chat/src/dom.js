/** Elements from names and texts. Nothing is ever parsed as HTML. */

/**
 * An element: `el("p.note", {title}, child …)`, the properties may be left out. Functions among them become handlers;
 * `null` and `false` are left out, among children too.
 */
export const el = (what, ...rest) => {
  const [tag, kind] = what.split(".");
  const node = document.createElement(tag);
  const props = rest[0]?.constructor === Object ? rest.shift() : {};
  if (kind) node.className = kind;
  for (const name in props) {
    const value = props[name];
    if (typeof value === "function") node[name] = value;
    else if (value != null && value !== false) node.setAttribute(name, value);
  }
  node.append(...rest.filter(Boolean));
  return node;
};

export const button = (kind, onclick, ...rest) => {
  const node = el("button" + kind, ...rest);
  node.type = "button";
  node.onclick = onclick;
  return node;
};

/** An own drawing on 20 × 20 px with a line of 1.5, as core's icons. */
export const icon = (path) => {
  const make = (tag) => document.createElementNS("http://www.w3.org/2000/svg", tag);
  const svg = make("svg");
  svg.setAttribute("aria-hidden", true);
  svg.append(make("path"));
  svg.firstChild.setAttribute("d", path);
  return svg;
};

export const CHAT = "M3 4h14v10H9.5L6 17v-3H3zM7 8h6M7 10.5h4";
export const CLOSE = "M5 5l10 10M15 5 5 15";
export const MORE = "M4.5 10h.01M10 10h.01M15.5 10h.01";
export const ATTACH = "M14 6v7a4 4 0 0 1-8 0V6a2.5 2.5 0 0 1 5 0v7a1 1 0 0 1-2 0V7";
export const SEND = "M10 16V4M5 9l5-5 5 5";
export const FILE = "M5 3h6l4 4v10H5zM11 3v4h4";

const LINK = /(https?:\/\/|mailto:|tel:)[^\s<>"'\u3000-\u303f\uff00-\uffef]+/gi;

/** Text as nodes: addresses of the web, of mail and telephone become links, all else stays what it is. */
export const linked = (text) => {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(LINK)) {
    const href = match[0].replace(/[.,;:!?)\]]+$/, "");
    nodes.push(
      text.slice(end, match.index),
      el("a", { href, target: "_blank", rel: "noreferrer nofollow ugc" }, href),
    );
    end = match.index + href.length;
  }
  return [...nodes, text.slice(end)];
};

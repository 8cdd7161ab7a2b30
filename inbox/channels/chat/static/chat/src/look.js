/** Colour, side and theme: what the host asks for, if it is valid, else what the channel says. */

import { settings } from "./page.js";
import { state } from "./state.js";
import css from "./widget.css";

/** The first of these values that is valid. */
const pick = (pattern, ...values) => values.find((value) => pattern.test(value));

// Of WCAG, with the one exponent that comes nearest to its curve.
const luminance = (colour) =>
  [0.2126, 0.7152, 0.0722].reduce(
    (sum, share, i) => sum + share * (parseInt(colour.substr(1 + 2 * i, 2), 16) / 255) ** 2.2,
    0,
  );

/** The channel's look with the valid settings of the host over it. */
export const look = () => {
  const { colour, position, theme, launcherLabel } = settings;
  const given = state.look;
  return {
    ...given,
    colour: pick(/^#[0-9a-f]{6}$/, colour, given.colour),
    side: pick(/^(left|right)$/, position, given.position),
    theme: pick(/^(light|dark|auto)$/, theme, given.theme),
    launcher: launcherLabel ?? given.launcher,
  };
};

export const darkness = matchMedia("(prefers-color-scheme:dark)");

/** Dress the root. Black or white on the colour, whichever is easier to read: no colour leaves less than 4.5 : 1. */
export const dress = (root) => {
  const { colour, side, theme } = look();
  root.className = `g ${side} ${theme === "auto" && darkness.matches ? "dark" : theme}`;
  root.style.setProperty("--c", colour);
  root.style.setProperty("--o", luminance(colour) > 0.179 ? "#000" : "#fff");
};

/** Give the shadow root its styles, in a way that a page's policy against inline styles does not touch. */
export const style = (shadow) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  shadow.adoptedStyleSheets = [sheet];
};

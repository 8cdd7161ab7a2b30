/** Files: sent by picker, drop or paste; shown, and fetched with the visitor's token. */

import { button, el, FILE, icon } from "./dom.js";
import { size, t } from "./words.js";
import { ask } from "./session.js";
import { state } from "./state.js";
import { say } from "./outbox.js";

/** Send these; gives the words when some cannot be sent. */
export const sendFiles = (list) => {
  const { file: most, files: n } = state.limits;
  let words = list[n] ? t("many", { n }) : "";
  for (const file of [...list].slice(0, n))
    if (file.size > most) words = t("large", { name: file.name, size: size(most) });
    else say({ file });
  return words;
};

const pictures = {};

// Drawn, not linked: a page's policy has no say over a canvas.
const draw = async (id) => {
  const bitmap = await createImageBitmap(await ask(`file/${id}?small=1`));
  const { width, height } = bitmap;
  const canvas = el("canvas", { width, height });
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
  return canvas;
};

const fetchFile = async ({ id, name }) => {
  const href = URL.createObjectURL(await ask("file/" + id));
  el("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 6e4);
};

/** A file in the talk; `drawn` is called when its picture is there. */
export const fileNode = (file, drawn) => {
  const { id, name } = file;
  const node = button(
    ".file",
    () => fetchFile(file).catch(() => {}),
    { disabled: !id, "aria-label": t("download", { name }) },
    icon(FILE),
    el("span", name, " ", el("small", size(file.size))),
  );
  if (file.image)
    (pictures[id] ??= draw(id)).then(
      (picture) => {
        node.replaceChildren(picture);
        drawn();
      },
      () => delete pictures[id],
    );
  return node;
};

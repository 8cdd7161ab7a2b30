// Lines of a chat that one person says one after the other stand together.

/** Mark each entry of `list` that goes on from the one before it. */
export function group(list) {
  let who = "";
  for (const entry of list.children) {
    const now = entry.dataset.who ?? "";
    entry.classList.toggle("is-next", now !== "" && now === who);
    who = now;
  }
}

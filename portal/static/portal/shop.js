/** The buttons of the demo shop speak to the chat as any page may: before it is loaded, too. */

window.guichet ??= [];
document.addEventListener("click", (event) => {
  const { do: what, with: value } = event.target.dataset;
  if (what) window.guichet.push(value ? [what, JSON.parse(value)] : [what]);
});

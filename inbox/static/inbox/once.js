// The id of what is sent: the same again is stored once. It stays through a cut line, and is another for other words.

/** A fresh one. `crypto.randomUUID` is for pages behind TLS only. */
export const fresh = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** Give the form an id: the one that its draft was kept with, else a fresh one. */
export const mark = (form, id = fresh()) => { form.elements.client_id.value = id; };

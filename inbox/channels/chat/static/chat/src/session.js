/** Who the visitor is to the server: a token, renewed when it ends. */

import { place, settings, tell } from "./page.js";
import { alone, kept } from "./memory.js";
import { speak } from "./words.js";
import { call, isRefusal } from "./http.js";
import { changed, forget, state, take } from "./state.js";

/** Begin or renew the session. Throws as `call`. */
export const begin = () =>
  alone(async () => {
    const { user, locale } = settings;
    const { token } = kept.load();
    const { timeZone: zone } = Intl.DateTimeFormat().resolvedOptions();
    const data = await call("session", { token, user, locale: locale || navigator.language, zone, page: place() });
    const talk = data.conversation;
    if (data.token !== token || !talk) forget();
    kept.save({ token: data.token });
    speak(data.texts, data.locale);
    Object.assign(state, data);
    if (talk) take(talk);
    // A visitor who comes to another browser has read it all elsewhere, or never will.
    if (!(kept.all.read <= state.seq)) kept.save({ read: state.seq });
    changed();
  });

/** `call` for everything but the session itself: a token that has ended is renewed once, and the call repeated. */
export const ask = async (path, body) => {
  try {
    return await call(path, body);
  } catch (problem) {
    if (problem.status !== 401) throw problem;
  }
  await begin();
  return call(path, body);
};

/**
 * Begin, and try again until the server answers, in the end once an hour: where a browser keeps a refusal to itself, it looks
 * like no answer. False when this page has no chat: the server refused it.
 */
export const start = async () => {
  for (let wait = 2e3; ; wait = Math.min(wait * 2, 36e5)) {
    try {
      await begin();
      return true;
    } catch (problem) {
      tell("error", problem);
      if (isRefusal(problem) && problem.status !== 429) {
        if (!settings.user) return false;
        // An identity that cannot be proved does not cost the visitor his chat.
        delete settings.user;
      } else await new Promise((then) => setTimeout(then, Math.max(wait, (problem.retry || 0) * 1e3)));
    }
  }
};

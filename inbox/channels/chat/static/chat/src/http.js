/** The HTTP door: JSON across origins, without cookies. */

import { base, channel } from "./page.js";
import { kept } from "./memory.js";

/**
 * GET, or POST with a body (an object or FormData). Gives the answer's JSON, or the Blob of a file.
 * Throws the server's problem `{status, code, title, retry}`; `{}` when no server answered.
 */
export const call = async (path, body) => {
  const form = body instanceof FormData;
  let answer;
  try {
    answer = await fetch(`${base}/chat/v1/${channel}/${path}`, {
      method: body ? "POST" : "GET",
      body: body && !form ? JSON.stringify(body) : body,
      headers: { Authorization: "Bearer " + kept.all.token },
      credentials: "omit",
      signal: AbortSignal.timeout(form ? 12e4 : 15e3),
    });
  } catch {
    throw {};
  }
  const { ok, status } = answer;
  const data = await (ok && /^file\//.test(path) ? answer.blob() : answer.json()).catch(() => ({}));
  if (!ok) throw { ...data, status };
  return data;
};

/** Whether it was the server that said no: repeating would not help. */
export const isRefusal = (problem) => problem.status < 500;

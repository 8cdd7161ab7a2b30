/** What outlives a page: the visitor's token in local storage, the open panel and unsent words in that of the tab. */

import { channel } from "./page.js";

const key = "guichet:" + channel;

const store = (where) => {
  const all = {};
  return {
    all,
    /** Read again what another tab may have written. Storage may be blocked: then memory is all there is. */
    load() {
      try {
        Object.assign(all, JSON.parse(window[where].getItem(key)));
      } catch {}
      return all;
    },
    save(change) {
      Object.assign(this.load(), change);
      try {
        window[where].setItem(key, JSON.stringify(all));
      } catch {}
    },
  };
};

export const kept = store("localStorage");
export const tab = store("sessionStorage");
kept.load();
tab.load();

/** Do `job` while no other tab of this site does the same: two new tabs must not become two visitors. */
export const alone = (job) => (navigator.locks ? navigator.locks.request(key, job) : job());

/** Call `then(kept)` when another tab became another visitor, or read what was unread here. */
export const onOtherTab = (then) => addEventListener("storage", (event) => event.key === key && then(kept.load()));

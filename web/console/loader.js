// What a page shows and where it came from: read, read again when the change log says so, and say when it failed.
import { live } from './live.js';
import { redraw } from './m.js';

/** `read(signal)` gives the data; `concerns(change)` says whether a change makes it old (absent: each does). */
export class Loader {
  constructor(read, concerns = () => true) {
    Object.assign(this, { read, data: undefined, problem: undefined, busy: false });
    this.listener = (change) => { if (change === undefined || concerns(change)) this.soon(); };
    live.listeners.add(this.listener);
    this.load();
  }
  // Hundreds of changes in a second are one look.
  soon() {
    this.timer ??= setTimeout(() => { this.timer = undefined; this.load(); }, 250);
  }
  async load() {
    this.abort?.abort();
    const abort = this.abort = new AbortController();
    this.busy = true;
    try {
      const data = await this.read(abort.signal);
      if (!abort.signal.aborted) Object.assign(this, { data, problem: undefined });
    } catch (problem) {
      if (!abort.signal.aborted) this.problem = problem;
    }
    if (this.abort === abort) this.busy = false;
    redraw();
  }
  stop() {
    live.listeners.delete(this.listener);
    clearTimeout(this.timer);
    clearInterval(this.interval);
    this.abort?.abort();
  }
  /** Also every so often, while the page is seen. */
  every(milliseconds) {
    this.interval = setInterval(() => { if (!document.hidden && !this.busy) this.load(); }, milliseconds);
    return this;
  }
}

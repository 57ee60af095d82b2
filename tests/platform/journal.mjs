// What happened, for tests to read and for the command line to print.

import { setImmediate as turn } from 'node:timers/promises';
import { Watch } from './watch.mjs';

export class Journal {
  lines = [];
  events = [];
  calls = [];
  posts = [];
  #watch = new Watch();
  #notifying = false;
  #settings;

  constructor(settings) {
    this.#settings = settings;
  }

  line(source, line, stream) {
    this.lines.push({ source, line, stream, time: performance.now() });
    this.#settings.onLine?.(source, line, stream);
    this.changed();
  }

  event(event) {
    if (this.#settings.keepEvents) this.events.push(event);
    this.changed();
  }

  call(call) {
    this.calls.push(call);
    this.changed();
  }

  post(post) {
    this.posts.push(post);
    this.changed();
  }

  // Ten thousand events in one turn of the loop cost one look at the waiting conditions.
  async changed() {
    if (this.#notifying) return;
    this.#notifying = true;
    await turn();
    this.#notifying = false;
    this.#watch.notify();
  }

  until(condition, timeoutMs) {
    return this.#watch.when(
      condition,
      timeoutMs,
      () => new Error(`the awaited condition did not come true in ${timeoutMs} ms: ${condition}`),
    );
  }
}

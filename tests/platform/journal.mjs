// What happened, for tests to read and for the command line to print.

import { setImmediate as turn } from 'node:timers/promises';
import { Watch } from './watch.mjs';

export class Journal {
  lines = [];
  events = [];
  calls = [];
  posts = [];
  drops = [];
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

  // What a subscriber will never be told. events are kept as those of the journal are; how many there were of which
  // category ('function', 'extension', 'platform') always.
  drop({ extension, reason, events, bytes }) {
    const records = { function: 0, extension: 0, platform: 0 };
    for (const event of events) records[event.category] += 1;
    const kept = this.#settings.keepEvents ? events : [];
    this.drops.push({ extension, reason, events: kept, records, bytes, time: performance.now() });
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
      () => new Error(`the awaited condition did not come true in ${timeoutMs} ms: ${condition}`)
    );
  }
}

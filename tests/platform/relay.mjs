// The way of events to the subscribers, in order, and no faster than Lambda's own: a function writes into a pipe, which
// holds 64 KiB, and the platform reads it beside all else that it does. Without that pace a function that the caller
// plays would log megabytes in one turn of this process' loop, in which no answer to a POST can be heard.

const TICK_MS = 1;

export class Relay {
  #queue = [];
  #head = 0;
  #room;
  #timer = null;
  #paused = false;
  #waits = [];

  // hand(event)   what takes it at the far end.
  constructor(bytesPerTick, hand) {
    this.bytesPerTick = bytesPerTick;
    this.#room = bytesPerTick;
    this.hand = hand;
  }

  push(event) {
    this.#queue.push(event);
    this.#pump();
  }

  // Resolves when nothing is on the way; while paused, that is not before resume().
  drained() {
    if (this.#empty) return Promise.resolve();
    return new Promise((resolve) => this.#waits.push(resolve));
  }

  get #empty() {
    return this.#head === this.#queue.length;
  }

  #pump() {
    if (this.#paused) return;
    while (!this.#empty && this.#room > 0) {
      const event = this.#queue[this.#head];
      this.#head += 1;
      this.#room -= event.bytes.length;
      this.hand(event);
    }
    if (this.#empty) this.#nowEmpty();
    if (this.#room < this.bytesPerTick) this.#timer ??= setTimeout(() => this.#tick(), TICK_MS);
  }

  #tick() {
    this.#timer = null;
    // A long event takes the time of its own length.
    this.#room = Math.min(this.bytesPerTick, this.#room + this.bytesPerTick);
    this.#pump();
  }

  #nowEmpty() {
    this.#queue = [];
    this.#head = 0;
    for (const resolve of this.#waits.splice(0)) resolve();
  }

  pause() {
    this.#paused = true;
  }

  resume() {
    this.#paused = false;
    this.#pump();
  }

  // Nothing goes on any more.
  close() {
    this.#paused = true;
    clearTimeout(this.#timer);
    this.#nowEmpty();
  }
}

// Lines that come late, by a drawn time each, but in order among themselves: they have a pipe of their own, which
// another thread of the platform reads than the one that tells of its own events (2.5 (1)).
export class Delay {
  #queue = [];
  #timer = null;
  #waits = [];

  // least, most   milliseconds.
  // roll()        a number from 0 to 1.
  constructor([least, most = least], roll, hand) {
    this.drawMs = () => least + roll() * (most - least);
    this.hand = hand;
  }

  push(event) {
    this.#queue.push({ event, at: performance.now() + this.drawMs() });
    this.#wait();
  }

  #wait() {
    if (this.#queue.length === 0) {
      for (const resolve of this.#waits.splice(0)) resolve();
      return;
    }
    this.#timer ??= setTimeout(() => this.#hand(), this.#queue[0].at - performance.now());
  }

  #hand() {
    this.#timer = null;
    let count = 0;
    while (count < this.#queue.length && this.#queue[count].at <= performance.now()) count += 1;
    for (const { event } of this.#queue.splice(0, count)) this.hand(event);
    this.#wait();
  }

  drained() {
    if (this.#queue.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waits.push(resolve));
  }

  close() {
    clearTimeout(this.#timer);
    this.#queue = [];
    this.#wait();
  }
}

// One subscription: collects events into batches, posts them one at a time, and counts what it had to drop.
//
// One POST is outstanding at most. What happens to a batch that falls due meanwhile is a matter of deliver.busy:
//   'drop'   it is dropped whole, the platform's own events too, and platform.logsDropped takes its place, which
//            may be dropped in turn (2.2)
//   'keep'   it waits for its turn; past deliver.bufferBytes single events are dropped

import { setTimeout as sleep } from 'node:timers/promises';
import { takeBatch } from './batches.mjs';

const SLOW = 'Some logs were dropped because the downstream consumer is slower than the logs production rate';

export class Subscriber {
  #pending = []; // {event, bytes, recordStart, notice, at}: notice is a logsDropped, at is when it began to wait
  #pendingBytes = 0;
  #timer = null;
  #sending = false;
  #inFlight = 0;
  #flushing = false;
  #pausedAt = null;
  #closed = false;
  #idleWaits = [];
  #resumeWaits = [];
  #overflow = []; // items, with busy 'keep'

  // request      what readSubscription returned.
  // sink         HttpSink or TcpSink.
  // onPost       ({extension, bytes, events, status, error, ms, attempt})
  // onDropped    ({reason, items, bytes}) -> the platform.logsDropped event, for this subscriber alone.
  constructor({ name, request, sink, deliver, onPost, onDropped }) {
    Object.assign(this, { name, request, sink, deliver, onPost, onDropped });
    this.types = new Set(request.types);
  }

  // Events that it has not confirmed.
  get undelivered() {
    return this.#pending.length + this.#inFlight;
  }

  get #paused() {
    return this.#pausedAt !== null;
  }

  offer(event) {
    if (this.#closed || !this.types.has(event.category)) return;
    const item = { event, bytes: event.bytesFor(this.request.schemaVersion), recordStart: event.recordStart };
    const full = this.#pendingBytes + item.bytes.length > this.deliver.bufferBytes;
    if (this.deliver.busy === 'keep' && full) this.#overflow.push(item);
    else this.#append(item);
  }

  #append({ event, bytes, recordStart, notice = false }) {
    this.#pending.push({ event, bytes, recordStart, notice, at: performance.now() });
    this.#pendingBytes += bytes.length;
    this.#consider();
  }

  // Deals with a batch that is full, old enough or asked for; else waits for the oldest event's time.
  #consider() {
    if (this.#paused || this.#closed) return;
    if (this.#pending.length === 0) return this.#sending ? undefined : this.#nowIdle();
    const waitMs = this.#pending[0].at + this.request.buffering.timeoutMs - performance.now();
    const due = this.#full() || waitMs <= 0;
    if (this.#sending) {
      if (this.deliver.busy === 'keep' || this.#pending[0].rest) return;
      if (due) return this.#drop();
    } else if (due || this.#flushing) {
      return void this.#send();
    }
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#consider();
    }, waitMs);
  }

  #full() {
    const { maxItems, maxBytes } = this.request.buffering;
    return this.#pending.length >= maxItems || this.#pendingBytes >= maxBytes;
  }

  #take(cut) {
    clearTimeout(this.#timer);
    this.#timer = null;
    const batch = takeBatch(this.#pending, this.request.buffering, cut);
    this.#pendingBytes -= batch.bytes;
    return batch;
  }

  #drop() {
    const { items, bytes } = this.#take(false);
    this.#lost({ reason: SLOW, items, bytes });
  }

  async #send() {
    this.#sending = true;
    const batch = this.#take(this.deliver.cutLongRecords);
    this.#inFlight = batch.items.length;
    this.#consider(); // what is left may be due by itself
    const error = await this.#deliver(batch);
    this.#sending = false;
    if (this.#closed) return;
    this.#inFlight = 0;
    if (error !== null) this.#batchLost(batch, error);
    this.#reportOverflow();
    this.#consider();
  }

  // null when the batch was taken, else the last error.
  async #deliver(batch) {
    for (let attempt = 1; ; attempt += 1) {
      const result = await this.#attempt(batch, attempt);
      const error = result.error ?? (result.status >= 400 ? `http request failed with status ${result.status}` : null);
      if (error === null || this.#closed || !this.deliver.retry || attempt >= this.deliver.attempts) return error;
      await sleep(this.#backoffMs(attempt), undefined, { ref: false });
      await this.#resumed();
      if (this.#closed) return error;
    }
  }

  #backoffMs(attempt) {
    return Math.min(this.deliver.backoffMaxMs, this.deliver.backoffMs * 2 ** (attempt - 1));
  }

  async #attempt(batch, attempt) {
    const started = performance.now();
    const guard = this.#timeLimit();
    const result = await this.sink.send(batch);
    clearInterval(guard);
    const { status = null, error = null } = result;
    this.onPost({
      extension: this.name,
      bytes: batch.body.length,
      events: batch.items.length,
      status,
      error,
      ms: performance.now() - started,
      attempt
    });
    return result;
  }

  // Time that the sandbox spends frozen does not count: the sender would be frozen with it.
  #timeLimit() {
    const stepMs = this.deliver.timeoutMs / 10;
    let steps = 0;
    const guard = setInterval(() => {
      if (!this.#paused) steps += 1;
      if (steps >= 10) this.sink.abort(`no answer in ${this.deliver.timeoutMs} ms`);
    }, stepMs);
    guard.unref();
    return guard;
  }

  // A report that is lost is not reported: a listener that is gone would get reports of reports for ever.
  #batchLost({ items, bytes }, error) {
    const reported = !items.every((item) => item.notice);
    this.#lost({ reason: `could not send events: ${error}`, items, bytes, reported });
  }

  #lost({ reason, items, bytes, reported = true }) {
    const event = this.onDropped({ reason, items, bytes, reported });
    if (reported && this.types.has('platform')) {
      this.#append({ event, bytes: event.bytes, recordStart: event.recordStart, notice: true });
    }
  }

  #reportOverflow() {
    if (this.#overflow.length === 0) return;
    const items = this.#overflow.splice(0);
    this.#lost({ reason: SLOW, items, bytes: items.reduce((sum, item) => sum + item.bytes.length, 0) });
  }

  // Sends what is pending without waiting for more. Resolves when nothing is pending or in flight;
  // while paused, that is not before resume().
  flush() {
    if (this.#closed) return Promise.resolve();
    this.#flushing = true;
    return new Promise((resolve) => {
      this.#idleWaits.push(resolve);
      this.#consider();
    });
  }

  // The same, but what would have to wait for the POST outstanding is dropped.
  flushOrDrop() {
    if (this.#sending && this.#pending.length > 0) this.#drop();
    return this.flush();
  }

  #nowIdle() {
    this.#flushing = false;
    for (const resolve of this.#idleWaits.splice(0)) resolve();
  }

  // Frozen with the sandbox: nothing is sent until resume(), and nothing grows older. What is in flight stays so.
  pause() {
    this.#pausedAt ??= performance.now();
    this.sink.pause();
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  resume() {
    if (!this.#paused) return;
    const frozenMs = performance.now() - this.#pausedAt;
    this.#pausedAt = null;
    this.sink.resume();
    for (const item of this.#pending) item.at += frozenMs;
    for (const resolve of this.#resumeWaits.splice(0)) resolve();
    this.#consider();
  }

  #resumed() {
    if (!this.#paused || this.#closed) return Promise.resolve();
    return new Promise((resolve) => this.#resumeWaits.push(resolve));
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.sink.close();
    for (const resolve of [...this.#resumeWaits.splice(0), ...this.#idleWaits.splice(0)]) resolve();
  }
}

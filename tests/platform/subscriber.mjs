// One subscription: buffers events, posts them one batch at a time, tries again, counts what it had to drop.

import { setTimeout as sleep } from 'node:timers/promises';
import { takeBatch } from './batches.mjs';

const SLOW = 'Some logs were dropped because the downstream consumer is slower than the logs production rate';

export class Subscriber {
  #pending = []; // {bytes, recordStart, notice, at}: notice is a logsDropped, at is when it began to wait
  #pendingBytes = 0;
  #timer = null;
  #sending = false;
  #inFlight = 0;
  #flushing = false;
  #paused = false;
  #closed = false;
  #idleWaits = [];
  #resumeWaits = [];
  #dropped = { records: 0, bytes: 0 };

  // request      what readSubscription returned.
  // sink         HttpSink or TcpSink.
  // onPost       ({extension, bytes, events, status, error, ms, attempt})
  // onDropped    (reason, records, bytes) -> the platform.logsDropped event, for this subscriber alone.
  constructor({ name, request, sink, deliver, onPost, onDropped }) {
    Object.assign(this, { name, request, sink, deliver, onPost, onDropped });
    this.types = new Set(request.types);
  }

  // Events that it has not confirmed.
  get undelivered() {
    return this.#pending.length + this.#inFlight;
  }

  offer(event) {
    if (this.#closed || !this.types.has(event.category)) return;
    const bytes = event.bytesFor(this.request.schemaVersion);
    if (this.#pendingBytes + bytes.length > this.deliver.bufferBytes) {
      this.#dropped.records += 1;
      this.#dropped.bytes += bytes.length;
      return;
    }
    this.#append({ bytes, recordStart: event.recordStart });
  }

  #append({ bytes, recordStart, notice = false }) {
    this.#pending.push({ bytes, recordStart, notice, at: performance.now() });
    this.#pendingBytes += bytes.length;
    this.#consider();
  }

  // Sends if a batch is full, old enough or asked for; else waits for the oldest event's time.
  #consider() {
    if (this.#sending || this.#paused || this.#closed) return;
    if (this.#pending.length === 0) return this.#nowIdle();
    const waitMs = this.#pending[0].at + this.request.buffering.timeoutMs - performance.now();
    if (this.#flushing || this.#full() || waitMs <= 0) return void this.#send();
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#sendDue();
    }, waitMs);
  }

  #full() {
    const { maxItems, maxBytes } = this.request.buffering;
    return this.#pending.length >= maxItems || this.#pendingBytes >= maxBytes;
  }

  #sendDue() {
    if (!this.#sending && !this.#paused && !this.#closed && this.#pending.length > 0) this.#send();
  }

  async #send() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#sending = true;
    const batch = takeBatch(this.#pending, this.request.buffering, this.deliver.cutLongRecords);
    this.#pendingBytes -= batch.bytes;
    this.#inFlight = batch.items.length;
    const error = await this.#deliver(batch);
    this.#sending = false;
    if (this.#closed) return;
    this.#inFlight = 0;
    if (error !== null) this.#batchLost(batch, error);
    this.#reportDropped();
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
      attempt,
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
    if (items.every((item) => item.notice)) return;
    this.#lost(`could not send events: ${error}`, items.length, bytes);
  }

  #lost(reason, records, bytes) {
    const event = this.onDropped(reason, records, bytes);
    if (this.types.has('platform')) this.#append({ ...event, notice: true });
  }

  #reportDropped() {
    if (this.#dropped.records === 0) return;
    const { records, bytes } = this.#dropped;
    this.#dropped = { records: 0, bytes: 0 };
    this.#lost(SLOW, records, bytes);
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

  #nowIdle() {
    this.#flushing = false;
    for (const resolve of this.#idleWaits.splice(0)) resolve();
  }

  // Frozen with the sandbox: nothing is sent until resume(). What is in flight stays so.
  pause() {
    this.#paused = true;
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  resume() {
    this.#paused = false;
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

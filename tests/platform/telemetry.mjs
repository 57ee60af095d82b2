// Telemetry of one sandbox: events come in, subscribers get them; the Telemetry API 2022-07-01 in front (section 2).

import { refusal } from './control_server.mjs';
import { dice } from './dice.mjs';
import { TelemetryEvent } from './events.mjs';
import { goJson } from './json.mjs';
import { Delay, Relay } from './relay.mjs';
import { HttpSink, TcpSink } from './sinks.mjs';
import { Subscriber } from './subscriber.mjs';
import { readSubscription } from './subscription.mjs';

export class Telemetry {
  #settings;
  #journal;
  #extensions;
  #subscribers = new Map(); // by extension
  #history = []; // for those who subscribe during init; null afterwards
  #paused = false;
  #relay;
  #lateLines = null;

  constructor(settings, journal, extensions) {
    this.#relay = new Relay(settings.deliver.bytesPerMs, (event) => this.#offer(event));
    const delays = [settings.lineDelayMs].flat();
    if (delays.at(-1) > 0) {
      this.#lateLines = new Delay(delays, dice(settings.seed), (event) => this.#relay.push(event));
    }
    this.#settings = settings;
    this.#journal = journal;
    this.#extensions = extensions;
  }

  routes() {
    if (this.#settings.telemetry === 'absent') return [];
    return [
      {
        method: 'PUT',
        path: /^\/2022-07-01\/telemetry$/,
        name: 'subscribe',
        caller: (request) => this.#extensions.find(request.headers)?.name,
        listed: true,
        limit: 1024 * 1024,
        handle: (request) => this.#subscribe(request)
      }
    ];
  }

  async #subscribe({ headers, body }) {
    if (this.#settings.telemetry === 'unsupported') {
      return refusal(202, 'Telemetry.NotSupported', 'Telemetry API is not supported');
    }
    const problem = this.#extensions.identify(headers);
    if (problem) return problem;
    const request = readSubscription(body, this.#settings.managedInstances);
    if (request.problems) return refusal(400, 'ValidationError', request.problems.join('; '));
    if (this.#history === null) {
      return refusal(403, 'Telemetry.SubscriptionClosed', 'Telemetry API subscription is closed');
    }
    const { name } = this.#extensions.find(headers);
    if (this.#subscribers.has(name)) return refusal(500, 'InternalServerError', 'Internal Server Error');
    const sink = await this.#sink(request.destination);
    const nobody = `Invalid destination: nothing listens on port ${request.destination.port}`;
    if (sink === null) return refusal(400, 'ValidationError', nobody);
    this.#admit(name, request, sink);
    return { status: 200, body: '"OK"' };
  }

  async #sink(destination) {
    if (destination.protocol === 'HTTP') return new HttpSink(destination, this.#settings.deliver);
    return TcpSink.dial(destination.port).catch(() => null);
  }

  // 2.1: what was produced before is sent too.
  #admit(name, request, sink) {
    const subscriber = new Subscriber({
      name,
      request,
      sink,
      deliver: this.#settings.deliver,
      onPost: (post) => this.#journal.post({ ...post, time: performance.now() }),
      onDropped: (batch) => this.#dropped(name, batch)
    });
    if (this.#paused) subscriber.pause();
    this.#subscribers.set(name, subscriber);
    for (const event of this.#history ?? []) subscriber.offer(event);
    this.produce('platform.telemetrySubscription', { name, state: 'Subscribed', types: request.types });
  }

  // Returns the event that tells of it, or null where nothing does.
  #dropped(extension, { reason, items, bytes, reported }) {
    const dropped = items.map(({ event }) => event);
    this.#journal.drop({ extension, reason, events: dropped, bytes });
    if (!reported) return null;
    const record = { reason, droppedRecords: items.length, droppedBytes: bytes };
    const event = new TelemetryEvent('platform.logsDropped', JSON.stringify(record));
    this.#journal.event(event);
    return event;
  }

  produce(type, record) {
    const json = (this.#settings.goJson ? goJson : JSON.stringify)(record);
    if (json === undefined) throw new Error(`not a JSON value: ${String(record)}`);
    return this.produceRaw(type, json);
  }

  // recordJson: text, or bytes that need not even be JSON.
  produceRaw(type, recordJson) {
    if (!/^(function|extension|platform\.\w+)$/.test(type)) throw new Error(`no type of event: ${type}`);
    const event = new TelemetryEvent(type, recordJson);
    this.#journal.event(event);
    if (type === 'function' && this.#lateLines !== null) this.#lateLines.push(event);
    else this.#relay.push(event);
    return event;
  }

  #offer(event) {
    this.#history?.push(event);
    for (const subscriber of this.#subscribers.values()) subscriber.offer(event);
  }

  // Resolves when all that was produced so far has reached the subscribers' batches.
  relayed() {
    return this.#relay.drained();
  }

  // 2.1: the window closes with the init phase.
  closeSubscriptions() {
    this.#history = null;
  }

  async flush() {
    await this.#lateLines?.drained();
    await this.relayed();
    await Promise.all([...this.#subscribers.values()].map((subscriber) => subscriber.flush()));
  }

  // What a subscriber cannot be sent at once is dropped.
  async flushOrDrop() {
    await this.relayed();
    await Promise.all([...this.#subscribers.values()].map((subscriber) => subscriber.flushOrDrop()));
  }

  pause() {
    this.#paused = true;
    this.#relay.pause();
    for (const subscriber of this.#subscribers.values()) subscriber.pause();
  }

  resume() {
    this.#paused = false;
    for (const subscriber of this.#subscribers.values()) subscriber.resume();
    this.#relay.resume();
  }

  undelivered() {
    return [...this.#subscribers.values()].reduce((sum, subscriber) => sum + subscriber.undelivered, 0);
  }

  close() {
    this.#lateLines?.close();
    this.#relay.close();
    for (const subscriber of this.#subscribers.values()) subscriber.close();
  }
}

// The local Lambda platform: what tests and the command line use. It starts extensions and a function as Lambda
// does, and speaks the Runtime, Extensions and Telemetry APIs with them. Where things are:
//
//   settings                        options, defaults, environments of the processes
//   sandbox, invoker, shutdown      one execution environment: init; invocations; its end
//   processes, confinement          starting, lines, signals; CPU, user and limits
//   control_server, faults          HTTP; replies that a test scripts
//   extensions_api, runtime_api,
//   telemetry                       the three APIs
//   relay, subscription,
//   subscriber, batches, sinks      the way of an event to a subscriber; a subscription and its delivery
//   events, json, invocation        telemetry events, and how they are written; one invocation
//   journal, watch                  what happened; waiting for it

import { Faults } from './faults.mjs';
import { Invocation } from './invocation.mjs';
import { notStarted } from './invoker.mjs';
import { Journal } from './journal.mjs';
import { Sandbox } from './sandbox.mjs';
import { settingsFrom } from './settings.mjs';

export class Platform {
  #settings;
  #journal;
  #faults;
  #sandbox = null;
  #restarting = null;
  #over = false; // shut down or killed
  #queue = Promise.resolve(); // one invocation after the other, but on Managed Instances

  constructor(options) {
    this.#settings = settingsFrom(options);
    this.#journal = new Journal(this.#settings);
    this.#faults = new Faults(this.#settings.faults);
  }

  // Resolves when init is over. On failure everything has been stopped; error.platform has the lines and calls.
  // With the option initRetry it resolves all the same, and the first invocation tries again (1.6).
  static async start(options = {}) {
    const platform = new Platform(options);
    try {
      await platform.#begin('init');
    } catch (error) {
      if (platform.#settings.initRetry && platform.#sandbox.stopping) return platform;
      await platform.kill();
      throw Object.assign(error, { platform });
    }
    return platform;
  }

  async #begin(phase, deadlineMs) {
    this.#sandbox = new Sandbox(this.#settings, this.#journal, this.#faults);
    await this.#sandbox.init(phase, deadlineMs);
  }

  get lines() {
    return this.#journal.lines;
  }

  get events() {
    return this.#journal.events;
  }

  get calls() {
    return this.#journal.calls;
  }

  get posts() {
    return this.#journal.posts;
  }

  // What was dropped, batch by batch: {extension, reason, events, records, bytes, time}; records is how many there were
  // of {function, extension, platform}.
  get drops() {
    return this.#journal.drops;
  }

  // Of the extensions, by name.
  get pids() {
    return this.#perExtension((child) => child.pid);
  }

  // performance.now() just before each extension was started, by name.
  get startTimes() {
    return this.#perExtension((child) => child.startedAt);
  }

  get runtimePid() {
    return this.#sandbox.runtime?.pid ?? null;
  }

  // AWS_LAMBDA_RUNTIME_API of the running environment.
  get address() {
    return this.#sandbox.address;
  }

  // {name, exitCode, signal} of an extension that ended by itself, or null.
  get crash() {
    return this.#sandbox.crash;
  }

  // Repeats what is drawn, given as option.
  get seed() {
    return this.#settings.seed;
  }

  get frozen() {
    return this.#sandbox.frozen;
  }

  #perExtension(value) {
    return Object.fromEntries([...this.#sandbox.children.values()].map((child) => [child.name, value(child)]));
  }

  // One invocation. Resolves when runtime and extensions are through with it, with
  // {requestId, response, error, status, errorType, durationMs, endedAt, holdMs, shutdown?}.
  // holdMs: from platform.runtimeDone (endedAt, by performance.now()) to the last extension's next.
  // shutdown: the report of a reset (timeout, the function's process or an extension ended); the next invocation then
  // starts everything anew.
  // options: see invoker.mjs; of Invocation: requestId, traceId.
  invoke(payload = {}, options = {}) {
    if (this.#settings.managedInstances) return this.#invoke(payload, options);
    const turn = this.#queue.then(() => this.#invoke(payload, options));
    this.#queue = turn.catch(() => {});
    return turn;
  }

  async #invoke(payload, options) {
    if (this.#over) throw new Error('the platform is shut down');
    const invocation = new Invocation(this.#settings, payload, options);
    try {
      if (this.#sandbox.stopping || this.#restarting !== null) await this.#restart(invocation);
    } catch (error) {
      return notStarted(invocation, error);
    }
    return this.#sandbox.invoke(invocation, options);
  }

  // 1.6: after a reset the next invocation initialises anew, and that counts against the function's time; on Managed
  // Instances (1.8) the environment is replaced.
  #restart(invocation) {
    const { managedInstances } = this.#settings;
    const begin = () =>
      managedInstances ? this.#begin('init') : this.#begin('invoke', invocation.startedAt + invocation.timeoutMs);
    this.#restarting ??= begin().finally(() => {
      this.#restarting = null;
    });
    return this.#restarting;
  }

  // An event as if produced now: type 'function', 'extension' or 'platform.x', record any JSON value.
  emit(type, record) {
    return this.#sandbox.telemetry.produce(type, record);
  }

  // The record as JSON text or bytes, which are kept as they are.
  emitRaw(type, json) {
    return this.#sandbox.telemetry.produceRaw(type, json);
  }

  // Sends what is buffered without waiting for the buffering time; resolves when all of it has been taken
  // (while frozen: only once thawed).
  flush() {
    return this.#sandbox.telemetry.flush();
  }

  // Resolves when condition() holds; it is looked at after every line, event, call and post.
  until(condition, timeoutMs = 10000) {
    return this.#journal.until(condition, timeoutMs);
  }

  // By hand, at any moment; an invocation or a shutdown thaws.
  freeze() {
    this.#sandbox.freeze();
  }

  thaw() {
    this.#sandbox.thaw();
  }

  // {reason, deadlineMs, ms, extensions: [{name, pid, exitCode, signal, ms, late}], runtime, undelivered, crash}
  // After a reset without a further invocation, that of the reset.
  shutdown(reason = this.#settings.shutdownReason) {
    this.#over = true;
    return this.#sandbox.stop(reason);
  }

  // Ends whatever is left, at once.
  async kill() {
    this.#over = true;
    await this.#sandbox?.kill();
  }
}

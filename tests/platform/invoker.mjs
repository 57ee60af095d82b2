// Invocations of one environment: what happens around each, and in which order (1.6, 2.5).

import * as events from './events.mjs';
import { Invocation } from './invocation.mjs';
import { drain, exitText } from './processes.mjs';

export class Invoker {
  #sandbox;
  #initDurationMs; // for the first report only

  constructor(sandbox, initDurationMs) {
    this.#sandbox = sandbox;
    this.#initDurationMs = initDurationMs;
  }

  // options.during(emit)   runs while the function does; without a bootstrap it is the function.
  // options.runtimeDone    false: the platform.runtimeDone event is withheld (2.5 (5)).
  invoke(payload, options) {
    const invocation = new Invocation(this.#sandbox.settings, payload);
    if (this.#sandbox.settings.managedInstances) return this.#invokeManaged(invocation, options);
    return this.#invokeOne(invocation, options);
  }

  async #invokeOne(invocation, { during, runtimeDone = true }) {
    const { settings, telemetry, extensionsApi } = this.#sandbox;
    this.#sandbox.thaw();
    telemetry.produce('platform.start', events.start(settings, invocation));
    for (const agent of extensionsApi.listening('INVOKE')) agent.send(invokeEvent(invocation));
    const resetReason = await this.#runFunction(invocation, during);
    if (runtimeDone) telemetry.produce('platform.runtimeDone', events.runtimeDone(invocation));
    const handedAt = performance.now();
    if (resetReason !== null) return this.#reset(invocation, resetReason);
    if (!(await this.#extensionsDone(invocation))) return this.#reset(invocation, 'timeout');
    const holdMs = this.#lastNextAt(handedAt) - handedAt;
    this.#report(invocation);
    if (settings.freeze) this.#sandbox.freeze();
    await drain(); // what the extensions wrote before next is on record
    return result(invocation, { holdMs });
  }

  // Resolves when the function is done, with the reason for a reset, or null.
  async #runFunction(invocation, during) {
    const { runtime, runtimeApi, watch, telemetry } = this.#sandbox;
    const play = this.#play(during);
    if (runtime !== null) runtimeApi.offer(invocation);
    const exited = () => runtime !== null && runtime.exit !== null;
    const done = () => play.done && (runtime === null || invocation.doneAt !== null);
    const inTime = await watch.holds(() => exited() || play.error !== null || done(), msTo(invocation));
    if (play.error !== null) throw play.error;
    await drain(); // the function's lines come before its runtimeDone
    await telemetry.relayed(); // it writes to a pipe: once it has ended, its lines have gone through
    if (runtime === null && inTime) invocation.doneAt = performance.now();
    if (invocation.doneAt !== null) return null;
    return exited() ? runtimeExited(invocation, runtime.exit) : timedOut(invocation);
  }

  // The caller's part in the invocation.
  #play(during) {
    const { telemetry, watch } = this.#sandbox;
    const play = { done: false, error: null };
    const emit = (type, record) => telemetry.produce(type, record);
    emit.raw = (type, json) => telemetry.produceRaw(type, json);
    const settle = (outcome) => {
      Object.assign(play, outcome);
      watch.notify();
    };
    const played = (async () => during?.(emit))();
    played.then(
      () => settle({ done: true }),
      (error) => settle({ error }),
    );
    return play;
  }

  // 1.6: the function's timeout covers the extensions too.
  async #extensionsDone(invocation) {
    const { watch, extensionsApi } = this.#sandbox;
    const idle = () => extensionsApi.listening('INVOKE').every((agent) => agent.idle);
    const inTime = await watch.holds(idle, msTo(invocation));
    if (!inTime) timedOut(invocation);
    return inTime;
  }

  // An extension that called next before runtimeDone held nothing.
  #lastNextAt(handedAt) {
    const times = this.#sandbox.extensionsApi.listening('INVOKE').map((agent) => agent.nextAt);
    return Math.max(handedAt, ...times);
  }

  #report(invocation) {
    const { settings, telemetry } = this.#sandbox;
    telemetry.produce('platform.report', events.report(settings, invocation, this.#initDurationMs));
    this.#initDurationMs = undefined;
  }

  // 1.6: a reset acts as a shutdown; the next invocation starts the environment again.
  async #reset(invocation, reason) {
    this.#report(invocation);
    const shutdown = await this.#sandbox.stop(reason);
    return result(invocation, { holdMs: null, shutdown });
  }

  // 1.8: no INVOKE, no runtimeDone, several at once; a timeout ends the wait, not the code.
  async #invokeManaged(invocation, { during }) {
    const { settings, telemetry } = this.#sandbox;
    telemetry.produce('platform.start', events.start(settings, invocation));
    const resetReason = await this.#runFunction(invocation, during);
    telemetry.produce('platform.report', events.managedReport(invocation));
    const shutdown = resetReason === 'failure' ? await this.#sandbox.stop('failure') : undefined;
    return result(invocation, { holdMs: 0, shutdown });
  }
}

function invokeEvent({ deadlineMs, requestId, functionArn, tracing }) {
  return { eventType: 'INVOKE', deadlineMs, requestId, invokedFunctionArn: functionArn, tracing };
}

function msTo(invocation) {
  return invocation.deadlineMs - Date.now();
}

function runtimeExited(invocation, exit) {
  invocation.breakOff('error', 'Runtime.ExitError', `Error: Runtime exited: ${exitText(exit)}`);
  return 'failure';
}

function timedOut(invocation) {
  const seconds = (invocation.timeoutMs / 1000).toFixed(2);
  invocation.breakOff('timeout', undefined, `Error: Task timed out after ${seconds} seconds`);
  return 'timeout';
}

function result(invocation, more) {
  const { requestId, response, error, outcome } = invocation;
  return { requestId, response, error, status: outcome.status, durationMs: invocation.durationMs(), ...more };
}

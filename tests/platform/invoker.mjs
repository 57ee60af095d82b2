// Invocations of one environment: what happens around each, and in which order (1.6, 2.5).

import * as events from './events.mjs';
import { drain, exitText } from './processes.mjs';

export class Invoker {
  #sandbox;
  #initDurationMs; // for the first report only
  #restoreDurationMs;

  constructor(sandbox, initDurationMs) {
    this.#sandbox = sandbox;
    this.#initDurationMs = initDurationMs;
  }

  // options.during(emit)   runs while the function does; without a bootstrap it is the function.
  // options.ends           how the function ends once `during` is over, in place of well: a name of ENDS below.
  // options.start, options.runtimeDone, options.report, options.restore
  //                        false: that event, or those of a restoration, are withheld, as if they had been dropped
  //                        (2.2, 2.5 (5)).
  // options.runtimeDone    'twice': it comes a second time, behind the report.
  invoke(invocation, options) {
    const { ends = null } = options;
    if (ends !== null && !(ends in ENDS))
      throw new Error(`a function ends ${Object.keys(ENDS).join(', ')}, not ${ends}`);
    if (this.#sandbox.settings.managedInstances) return this.#invokeManaged(invocation, options);
    return this.#invokeOne(invocation, options);
  }

  async #invokeOne(invocation, options) {
    const { settings, telemetry, extensionsApi } = this.#sandbox;
    const { during, ends = null, runtimeDone = true, report = true } = options;
    const tell = {
      runtimeDone: () => this.#runtimeDone(invocation, runtimeDone),
      report: () => this.#report(invocation, report)
    };
    this.#restoreDurationMs = settings.snapStart ? await this.#sandbox.restore(options.restore !== false) : undefined;
    this.#sandbox.thaw();
    if (options.start !== false) telemetry.produce('platform.start', events.start(settings, invocation));
    for (const agent of extensionsApi.listening('INVOKE')) agent.send(invokeEvent(settings, invocation));
    const resetReason = await this.#runFunction(invocation, during, ends);
    tell.runtimeDone();
    const handedAt = performance.now();
    if (resetReason !== null) return this.#reset(invocation, resetReason, tell);
    const late = await this.#extensionsDone(invocation);
    if (late !== null) {
      if (settings.runtimeDoneAtReset) tell.runtimeDone();
      return this.#reset(invocation, late, tell);
    }
    const holdMs = this.#lastNextAt(handedAt) - handedAt;
    tell.report();
    if (runtimeDone === 'twice') tell.runtimeDone();
    this.#sandbox.rest();
    await drain(); // what the extensions wrote before next is on record
    return result(invocation, { holdMs, endedAt: handedAt });
  }

  // Resolves when the function is done, with the reason for a reset, or null.
  async #runFunction(invocation, during, ends) {
    const { runtime, runtimeApi, watch, telemetry } = this.#sandbox;
    const play = this.#play(during);
    if (runtime !== null) runtimeApi.offer(invocation);
    const exited = () => runtime !== null && runtime.exit !== null;
    const broken = () => this.#sandbox.failure !== null;
    const done = () =>
      play.done && ends !== 'timeout' && (ends !== null || runtime === null || invocation.doneAt !== null);
    const inTime = await watch.holds(() => exited() || broken() || play.error !== null || done(), msTo(invocation));
    if (play.error !== null) throw play.error;
    await drain(); // the function's lines come before its runtimeDone
    await telemetry.relayed(); // it writes to a pipe: once it has ended, its lines have gone through
    if (broken()) return extensionFailed(invocation, this.#sandbox.failure);
    if (inTime && ends !== null && !exited()) return endsBadly(invocation, ends);
    if (runtime === null && inTime) invocation.doneAt = performance.now();
    if (invocation.doneAt !== null) return null;
    return exited() ? runtimeExited(invocation, runtime.exit) : timedOut(invocation);
  }

  // The caller's part in the invocation.
  #play(during) {
    const { watch } = this.#sandbox;
    const play = { done: false, error: null };
    const emit = this.#sandbox.emitter();
    const settle = (outcome) => {
      Object.assign(play, outcome);
      watch.notify();
    };
    const played = (async () => during?.(emit))();
    played.then(
      () => settle({ done: true }),
      (error) => settle({ error })
    );
    return play;
  }

  // 1.6: the function's timeout covers the extensions too. Resolves with the reason for a reset, or null.
  async #extensionsDone(invocation) {
    const { watch, extensionsApi } = this.#sandbox;
    const idle = () => extensionsApi.listening('INVOKE').every((agent) => agent.idle);
    const broken = () => this.#sandbox.failure !== null;
    const inTime = await watch.holds(() => broken() || idle(), msTo(invocation));
    if (broken()) return extensionFailed(invocation, this.#sandbox.failure);
    return inTime ? null : timedOut(invocation);
  }

  // An extension that called next before runtimeDone held nothing.
  #lastNextAt(handedAt) {
    const times = this.#sandbox.extensionsApi.listening('INVOKE').map((agent) => agent.nextAt);
    return Math.max(handedAt, ...times);
  }

  #runtimeDone(invocation, told) {
    if (told)
      this.#sandbox.telemetry.produce('platform.runtimeDone', events.runtimeDone(this.#sandbox.settings, invocation));
  }

  #report(invocation, told) {
    const { settings, telemetry } = this.#sandbox;
    if (told)
      telemetry.produce(
        'platform.report',
        events.report(settings, invocation, this.#initDurationMs, this.#restoreDurationMs)
      );
    this.#initDurationMs = undefined;
  }

  // 1.6: a reset acts as a shutdown; the next invocation starts the environment again.
  async #reset(invocation, reason, tell) {
    tell.report();
    const shutdown = await this.#sandbox.stop(reason);
    return result(invocation, { holdMs: null, shutdown });
  }

  // 1.8: no INVOKE, no runtimeDone, several at once; a timeout ends the wait, not the code. An extension that ends
  // by itself ends the environment.
  async #invokeManaged(invocation, { during, ends = null, start = true, report = true }) {
    const { settings, telemetry } = this.#sandbox;
    if (start) telemetry.produce('platform.start', events.start(settings, invocation));
    const resetReason = await this.#runFunction(invocation, during, ends);
    if (report) telemetry.produce('platform.report', events.managedReport(settings, invocation));
    const shutdown = resetReason === 'failure' ? await this.#sandbox.stop('failure') : undefined;
    return result(invocation, { holdMs: 0, shutdown });
  }
}

// Ends of a function that are not well: the status and error type that the platform tells, and what it says.
const ENDS = {
  error: { status: 'error', errorType: 'Function.Unhandled', what: 'the function failed', resets: false },
  crash: { status: 'error', errorType: 'Runtime.ExitError', what: 'Error: Runtime exited with error: exit status 1' },
  outOfMemory: {
    status: 'error',
    errorType: 'Runtime.OutOfMemory',
    what: 'Error: Runtime exited with error: signal: killed'
  },
  failure: { status: 'failure', errorType: 'Sandbox.Failure', what: 'the environment failed' },
  timeout: {} // nothing ends it but its deadline
};

function endsBadly(invocation, ends) {
  const { status, errorType, what, resets = true } = ENDS[ends];
  invocation.breakOff(status, errorType, what);
  return resets ? 'failure' : null;
}

// What an invocation comes to whose environment could not be started anew.
export function notStarted(invocation, error) {
  if (error.errorType === 'Sandbox.Timedout') timedOut(invocation);
  else invocation.breakOff('error', error.errorType, error.message);
  return result(invocation, { holdMs: null, shutdown: error.shutdown });
}

function extensionFailed(invocation, { errorType, message }) {
  invocation.breakOff('error', errorType, `Error: ${message}`);
  return 'failure';
}

// 1.3: tracing may be absent.
function invokeEvent(settings, { deadlineMs, requestId, functionArn, tracing }) {
  const event = { eventType: 'INVOKE', deadlineMs, requestId, invokedFunctionArn: functionArn };
  return settings.tracing ? { ...event, tracing: { type: tracing.type, value: tracing.value } } : event;
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
  const { status, errorType } = outcome;
  return { requestId, response, error, status, errorType, durationMs: invocation.durationMs(), ...more };
}

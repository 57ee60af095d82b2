// One execution environment from init to its end: the order of things is that of sections 1.4 and 1.6.

import path from 'node:path';
import { CpuQuota, confined } from './confinement.mjs';
import { ControlServer } from './control_server.mjs';
import { Credentials } from './credentials.mjs';
import { dice } from './dice.mjs';
import * as events from './events.mjs';
import { ExtensionsApi, MAX_EXTENSIONS } from './extensions_api.mjs';
import { Invoker } from './invoker.mjs';
import { Child, assertExecutable, drain, exitText, extensionPaths } from './processes.mjs';
import { RuntimeApi } from './runtime_api.mjs';
import { credentialsFrom, extensionEnvironment, functionEnvironment } from './settings.mjs';
import { stopSandbox } from './shutdown.mjs';
import { Telemetry } from './telemetry.mjs';
import { Watch } from './watch.mjs';

const FREEZE_WITHIN_MS = 30;

export class Sandbox {
  children = new Map(); // external extensions, by name
  runtime = null; // the bootstrap's process
  frozen = false;
  stopping = false;
  crash = null; // {name, exitCode, signal} of an extension that ended outside SHUTDOWN
  failure = null; // what an extension did, once init is over: the invocation under way, or the next one, is reset
  watch = new Watch(); // of everything that calls to the APIs and ends of processes change
  #invoker = null;
  #quota = null;
  #resting = null; // the timer of a freeze to come
  #initTold = false; // its initRuntimeDone
  #restored = false;
  #stopped = null;

  constructor(settings, journal, faults) {
    this.settings = settings;
    this.journal = journal;
    const onChange = () => this.watch.notify();
    this.extensionsApi = new ExtensionsApi(settings, {
      onChange,
      onError: (agent, phase) => this.#agentFailed(agent, phase)
    });
    this.runtimeApi = new RuntimeApi(settings, { onChange });
    this.telemetry = new Telemetry(settings, journal, this.extensionsApi);
    this.credentials = settings.snapStart ? new Credentials(credentialsFrom(settings)) : null;
    const apis = [this.extensionsApi, this.runtimeApi, this.telemetry, this.credentials];
    const routes = apis.flatMap((api) => api?.routes() ?? []);
    this.server = new ControlServer(routes, journal, faults);
    this.roll = dice(settings.seed);
  }

  // phase        'init', or 'invoke' when an invocation had to start the environment anew.
  // deadlineMs   by performance.now(): when init is overdue. The error has the report of the end as `shutdown`.
  async init(phase, deadlineMs = performance.now() + this.settings.initTimeoutMs) {
    const startedAt = performance.now();
    this.initMs = deadlineMs - startedAt;
    this.address = await this.server.listen(this.settings.port);
    this.telemetry.produce('platform.initStart', events.initStart(this.settings, phase));
    let problem = null;
    if (this.settings.cpu !== null) this.#quota = new CpuQuota(this.settings.cpu, this.#stopAndGo());
    try {
      await this.#initAll(phase, deadlineMs);
    } catch (error) {
      problem = error;
    }
    await drain(); // so that what was written before next is on record
    this.#initOver(phase, problem, startedAt);
    if (problem === null) return;
    const reason = isTimeout(problem) && phase === 'invoke' ? 'timeout' : 'failure';
    problem.shutdown = await this.stop(reason);
    throw problem;
  }

  // 1.4: the runtime is started once every external extension has registered.
  async #initAll(phase, deadline) {
    await this.#launchExtensions();
    await this.#extensionsAre('register', (agent) => agent.registered, deadline);
    if (this.settings.bootstrap !== null) await this.#initRuntime(deadline);
    else await this.settings.duringInit?.(this.emitter(), this.journal);
    if (this.settings.initDoneFirst) this.#initRuntimeDone(phase, { status: 'success' });
    await this.#extensionsAre('call next', (agent) => agent.idle, deadline);
  }

  // The window for subscriptions closes; then the platform tells how init went, once the extensions are ready, too.
  // 2.3: an init that is overdue has no initRuntimeDone.
  #initOver(phase, problem, startedAt) {
    const { settings, telemetry, extensionsApi } = this;
    telemetry.closeSubscriptions();
    extensionsApi.open = false;
    const outcome = problem === null ? { status: 'success' } : initOutcome(problem);
    if (outcome.status !== 'timeout') this.#initRuntimeDone(phase, outcome);
    for (const agent of extensionsApi.list()) produceExtension(telemetry, agent);
    const durationMs = this.#initReport(phase, outcome, startedAt);
    if (problem !== null) return;
    this.#invoker = new Invoker(this, phase === 'init' ? durationMs : undefined);
    this.credentials?.withhold();
    if (settings.snapStart) this.freeze();
    else this.rest();
  }

  #initRuntimeDone(phase, outcome) {
    if (this.#initTold) return;
    this.#initTold = true;
    this.telemetry.produce('platform.initRuntimeDone', events.initRuntimeDone(this.settings, phase, outcome));
  }

  #initReport(phase, outcome, startedAt) {
    const durationMs = performance.now() - startedAt;
    this.telemetry.produce('platform.initReport', events.initReport(this.settings, phase, outcome, durationMs));
    return durationMs;
  }

  // One after the other: the first that cannot be started ends it, with those before it running. 1.4: ten at most.
  async #launchExtensions() {
    const paths = await extensionPaths(this.settings.extensions);
    for (const extension of paths.slice(0, MAX_EXTENSIONS)) this.extensionsApi.expect(path.basename(extension));
    for (const [index, extension] of paths.entries()) {
      const name = path.basename(extension);
      if (index === MAX_EXTENSIONS)
        throw fault('Extension.TooManyExtensions', `${name} is one more than ${MAX_EXTENSIONS}`);
      await assertExecutable(extension).catch((error) => this.#launchFailed(name, error));
      this.#launchExtension(extension);
      await this.children.get(name).launched.catch((error) => this.#launchFailed(name, error));
    }
  }

  #launchFailed(name, error) {
    const agent = this.extensionsApi.agents.get(name);
    Object.assign(agent, { state: 'LaunchError', errorType: 'Extension.LaunchError' });
    throw fault('Extension.LaunchError', `fork/exec ${name}: ${error.message}`);
  }

  #launchExtension(extension) {
    const name = path.basename(extension);
    const child = new Child({
      name,
      argv: [...this.#prefix(), ...(this.settings.confined ? confined() : []), extension],
      env: extensionEnvironment(this.settings, this.address, this.credentials?.token ?? null),
      cwd: this.settings.managedInstances ? (this.settings.taskRoot ?? '/') : '/', // 1.4, 2.6
      maxLineBytes: this.settings.maxLineBytes,
      onLine: (line, stream) => this.#line('extension', name, line, stream)
    });
    this.children.set(name, child);
    child.exited.then((exit) => this.#extensionExited(name, exit));
  }

  #prefix() {
    return this.#quota?.prefix ?? [];
  }

  // For a quota by signals; a freeze comes first.
  #stopAndGo() {
    const all = (signal) => () => {
      if (!this.frozen) for (const child of this.processes()) child.signal(signal);
    };
    return { stopAll: all('SIGSTOP'), continueAll: all('SIGCONT') };
  }

  async #extensionsAre(what, fact, deadline) {
    const missing = () => this.extensionsApi.list().filter((agent) => !fact(agent));
    const late = () =>
      this.#initLate(
        `${missing()
          .map(({ name }) => name)
          .join(', ')} did not ${what}`
      );
    await this.watch.when(() => missing().length === 0, deadline - performance.now(), late);
  }

  #initLate(what) {
    return fault('Sandbox.Timedout', `init: ${what} within ${Math.round(this.initMs)} ms`);
  }

  async #initRuntime(deadline) {
    this.#launchRuntime();
    await this.runtime.launched.catch((error) => {
      throw fault('Runtime.InvalidEntrypoint', `cannot start ${this.settings.bootstrap[0]}: ${error.message}`);
    });
    const { runtimeApi, runtime } = this;
    const settled = () => runtimeApi.ready || runtimeApi.initError !== null || runtime.exit !== null;
    const late = () => this.#initLate('the function did not ask for an event');
    await this.watch.when(settled, deadline - performance.now(), late);
    await drain();
    const problem = this.#runtimeInitProblem();
    if (problem !== null) throw problem;
  }

  #runtimeInitProblem() {
    const { initError, ready } = this.runtimeApi;
    if (initError !== null) return fault(initError.errorType, `init: the function failed: ${initError.body}`);
    if (this.runtime.exit === null && ready) return null;
    return fault('Runtime.ExitError', `init: the function failed: ${exitText(this.runtime.exit)}`);
  }

  #launchRuntime() {
    this.runtime = new Child({
      name: 'function',
      argv: [...this.#prefix(), ...this.settings.bootstrap],
      env: functionEnvironment(this.settings, this.address, this.credentials?.token ?? null),
      cwd: this.settings.taskRoot,
      maxLineBytes: this.settings.maxLineBytes,
      onLine: (line, stream) => this.#line('function', 'function', line, stream)
    });
    this.runtime.exited.then(() => this.watch.notify());
  }

  #line(type, source, line, stream) {
    this.journal.line(source, line.toString(), stream);
    this.telemetry.produceRaw(type, events.lineRecord(line, this.settings));
  }

  #agentFailed(agent, phase) {
    const type = phase === 'init' ? 'Extension.InitError' : 'Extension.ExitError';
    this.#fails(fault(type, `${agent.name} reported ${agent.errorType} ${agent.errorBody}`));
  }

  // 1.6: even with exit code 0.
  #extensionExited(name, exit) {
    if (this.stopping) return;
    this.crash ??= { name, exitCode: exit.exitCode, signal: exit.signal };
    this.journal.changed();
    this.#fails(fault('Extension.Crash', `${name} ended outside SHUTDOWN: ${exitText(exit)}`));
  }

  // During init it fails by that; later the invocation does.
  #fails(problem) {
    if (this.stopping) return;
    this.failure ??= problem;
    if (this.#invoker === null) this.watch.fail(problem);
    else this.watch.notify();
  }

  // See invoker.mjs.
  invoke(invocation, options) {
    if (this.watch.failure !== null) return Promise.reject(this.watch.failure);
    return this.#invoker.invoke(invocation, options);
  }

  // All is idle, so Lambda freezes the environment, if that is played.
  rest() {
    if (this.settings.freeze === true) this.freeze();
    if (this.settings.freeze !== 'drawn') return;
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => this.freeze(), this.roll() * FREEZE_WITHIN_MS);
  }

  // 1.7: the first invocation of a snapshot is preceded by its restoration. told: false: its events are lost.
  // Resolves with how long that took.
  async restore(told) {
    const { settings, telemetry } = this;
    if (!settings.snapStart || this.#restored) return undefined;
    this.#restored = true;
    const startedAt = performance.now();
    this.credentials.renew(settings.restoredCredentials ?? credentialsFrom(settings));
    this.thaw();
    if (told) telemetry.produce('platform.restoreStart', events.restoreStart(settings));
    await settings.duringRestore?.(this.emitter(), this.journal);
    const durationMs = performance.now() - startedAt;
    if (told) {
      telemetry.produce('platform.restoreRuntimeDone', { status: 'success' });
      telemetry.produce('platform.restoreReport', events.restoreReport(durationMs));
    }
    return durationMs;
  }

  // For whoever plays the function: emit(type, record), emit.raw(type, json).
  emitter() {
    const emit = (type, record) => this.telemetry.produce(type, record);
    emit.raw = (type, json) => this.telemetry.produceRaw(type, json);
    return emit;
  }

  freeze() {
    if (this.frozen || this.stopping) return;
    this.frozen = true;
    this.telemetry.pause();
    for (const child of this.processes()) child.signal('SIGSTOP');
  }

  thaw() {
    clearTimeout(this.#resting);
    if (!this.frozen) return;
    this.frozen = false;
    for (const child of this.processes()) child.signal('SIGCONT');
    this.telemetry.resume();
  }

  processes() {
    return [...this.children.values(), this.runtime].filter((child) => child !== null && child.pid !== null);
  }

  // Shuts down once; later callers get the same report.
  stop(reason) {
    this.stopping = true;
    this.watch.fail(new Error('the platform is shut down')); // nobody waits on
    this.#stopped ??= stopSandbox(this, reason);
    return this.#stopped;
  }

  async kill() {
    this.stopping = true;
    this.watch.fail(new Error('the platform was killed'));
    await Promise.all(this.processes().map((child) => child.kill()));
    clearTimeout(this.#resting);
    this.telemetry.close();
    await this.server.close();
    await this.#quota?.close();
  }
}

function produceExtension(telemetry, { name, state, events: registered, errorType }) {
  const record = { name, state, events: [...registered] };
  telemetry.produce('platform.extension', errorType === undefined ? record : { ...record, errorType });
}

const isTimeout = ({ errorType }) => errorType === 'Sandbox.Timedout';

function initOutcome(problem) {
  const errorType = problem.errorType ?? 'Sandbox.Failure';
  return { status: isTimeout(problem) ? 'timeout' : 'error', errorType };
}

function fault(errorType, message) {
  return Object.assign(new Error(`${errorType}: ${message}`), { errorType });
}

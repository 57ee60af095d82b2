// One execution environment from init to its end: the order of things is that of sections 1.4 and 1.6.

import path from 'node:path';
import { ControlServer } from './control_server.mjs';
import * as events from './events.mjs';
import { ExtensionsApi } from './extensions_api.mjs';
import { Invoker } from './invoker.mjs';
import { Child, assertExecutable, drain, exitText, extensionPaths } from './processes.mjs';
import { RuntimeApi } from './runtime_api.mjs';
import { extensionEnvironment, functionEnvironment } from './settings.mjs';
import { stopSandbox } from './shutdown.mjs';
import { Telemetry } from './telemetry.mjs';
import { Watch } from './watch.mjs';

export class Sandbox {
  children = new Map(); // external extensions, by name
  runtime = null; // the bootstrap's process
  frozen = false;
  stopping = false;
  crash = null; // {name, exitCode, signal} of an extension that ended outside SHUTDOWN
  watch = new Watch(); // of everything that calls to the APIs and ends of processes change
  #invoker = null;
  #stopped = null;

  constructor(settings, journal, faults) {
    this.settings = settings;
    this.journal = journal;
    const onChange = () => this.watch.notify();
    this.extensionsApi = new ExtensionsApi(settings, {
      onChange,
      onError: (agent, phase) => this.#agentFailed(agent, phase),
    });
    this.runtimeApi = new RuntimeApi(settings, { onChange });
    this.telemetry = new Telemetry(settings, journal, this.extensionsApi);
    const routes = [...this.extensionsApi.routes(), ...this.runtimeApi.routes(), ...this.telemetry.routes()];
    this.server = new ControlServer(routes, journal, faults);
  }

  // phase   'init', or 'invoke' when an invocation had to start the environment anew.
  async init(phase) {
    const startedAt = performance.now();
    this.address = await this.server.listen(this.settings.port);
    this.telemetry.produce('platform.initStart', events.initStart(this.settings, phase));
    try {
      await this.#initAll(phase, startedAt + this.settings.initTimeoutMs);
    } catch (error) {
      const outcome = { status: 'error', errorType: error.errorType ?? 'Sandbox.Timedout' };
      this.#initReport(phase, outcome, startedAt);
      await this.stop('failure');
      throw error;
    }
    this.#finishInit(phase, startedAt);
    await drain(); // so that what was written before next is on record
  }

  // 1.4: the runtime is started once every external extension has registered.
  async #initAll(phase, deadline) {
    await this.#launchExtensions();
    await this.#extensionsAre('register', (agent) => agent.registered, deadline);
    if (this.settings.bootstrap !== null) await this.#initRuntime(phase, deadline);
    await this.#extensionsAre('call next', (agent) => agent.idle, deadline);
    if (this.settings.bootstrap === null) this.#runtimeInitDone(phase);
  }

  #initReport(phase, outcome, startedAt) {
    const durationMs = performance.now() - startedAt;
    this.telemetry.produce('platform.initReport', events.initReport(this.settings, phase, outcome, durationMs));
    return durationMs;
  }

  async #launchExtensions() {
    const paths = await extensionPaths(this.settings.extensions);
    for (const extension of paths) this.extensionsApi.expect(path.basename(extension));
    for (const extension of paths) await assertExecutable(extension).catch((error) => launchFailed(extension, error));
    for (const extension of paths) this.#launchExtension(extension);
    for (const child of this.children.values()) {
      await child.launched.catch((error) => launchFailed(child.name, error));
    }
  }

  #launchExtension(extension) {
    const name = path.basename(extension);
    const child = new Child({
      name,
      argv: [extension],
      env: extensionEnvironment(this.settings, this.address),
      cwd: this.settings.managedInstances ? (this.settings.taskRoot ?? '/') : '/', // 1.4, 2.6
      maxLineBytes: this.settings.maxLineBytes,
      onLine: (line, stream) => this.#line('extension', name, line, stream),
    });
    this.children.set(name, child);
    child.exited.then((exit) => this.#extensionExited(name, exit));
  }

  async #extensionsAre(what, fact, deadline) {
    const missing = () => this.extensionsApi.list().filter((agent) => !fact(agent));
    const late = () =>
      this.#initLate(
        `${missing()
          .map(({ name }) => name)
          .join(', ')} did not ${what}`,
      );
    await this.watch.when(() => missing().length === 0, deadline - performance.now(), late);
  }

  #initLate(what) {
    return fault('Sandbox.Timedout', `init: ${what} within ${this.settings.initTimeoutMs} ms`);
  }

  async #initRuntime(phase, deadline) {
    this.#launchRuntime();
    await this.runtime.launched.catch((error) => {
      throw fault('Runtime.InvalidEntrypoint', `cannot start ${this.settings.bootstrap[0]}: ${error.message}`);
    });
    const { runtimeApi, runtime } = this;
    const settled = () => runtimeApi.ready || runtimeApi.initError !== null || runtime.exit !== null;
    const late = () => this.#initLate('the function did not ask for an event');
    await this.watch.when(settled, deadline - performance.now(), late);
    await drain();
    this.#runtimeInitDone(phase);
  }

  #runtimeInitDone(phase) {
    const problem = this.#runtimeInitProblem();
    const outcome = problem === null ? { status: 'success' } : { status: 'error', errorType: problem.errorType };
    this.telemetry.produce('platform.initRuntimeDone', events.initRuntimeDone(this.settings, phase, outcome));
    if (problem !== null) throw problem;
  }

  #runtimeInitProblem() {
    if (this.runtime === null) return null; // the caller plays the function
    const { initError, ready } = this.runtimeApi;
    if (initError !== null) return fault(initError.errorType, `init: the function failed: ${initError.body}`);
    if (this.runtime.exit === null && ready) return null;
    return fault('Runtime.ExitError', `init: the function failed: ${exitText(this.runtime.exit)}`);
  }

  #launchRuntime() {
    this.runtime = new Child({
      name: 'function',
      argv: this.settings.bootstrap,
      env: functionEnvironment(this.settings, this.address),
      cwd: this.settings.taskRoot,
      maxLineBytes: this.settings.maxLineBytes,
      onLine: (line, stream) => this.#line('function', 'function', line, stream),
    });
    this.runtime.exited.then(() => this.watch.notify());
  }

  #finishInit(phase, startedAt) {
    for (const agent of this.extensionsApi.list()) produceExtension(this.telemetry, agent);
    const durationMs = this.#initReport(phase, { status: 'success' }, startedAt);
    this.telemetry.closeSubscriptions();
    this.extensionsApi.open = false;
    this.#invoker = new Invoker(this, phase === 'init' ? durationMs : undefined);
    if (this.settings.freeze) this.freeze();
  }

  #line(type, source, line, stream) {
    this.journal.line(source, line.toString(), stream);
    this.telemetry.produceRaw(type, events.lineRecord(line, this.settings));
  }

  #agentFailed(agent, phase) {
    if (this.stopping) return;
    const type = phase === 'init' ? 'Extension.InitError' : 'Extension.ExitError';
    this.watch.fail(fault(type, `${agent.name} reported ${agent.errorType} ${agent.errorBody}`));
  }

  // 1.6: even with exit code 0.
  #extensionExited(name, exit) {
    if (this.stopping) return;
    this.crash ??= { name, exitCode: exit.exitCode, signal: exit.signal };
    this.watch.fail(fault('Extension.Crash', `${name} ended outside SHUTDOWN: ${exitText(exit)}`));
  }

  // See invoker.mjs.
  invoke(payload, options) {
    if (this.watch.failure !== null) return Promise.reject(this.watch.failure);
    return this.#invoker.invoke(payload, options);
  }

  freeze() {
    if (this.frozen || this.stopping) return;
    this.frozen = true;
    this.telemetry.pause();
    for (const child of this.processes()) child.signal('SIGSTOP');
  }

  thaw() {
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
    this.telemetry.close();
    await this.server.close();
  }
}

function produceExtension(telemetry, agent) {
  telemetry.produce('platform.extension', { name: agent.name, state: 'Ready', events: [...agent.events] });
}

function launchFailed(extension, error) {
  throw fault('Extension.LaunchError', `fork/exec ${path.basename(extension)}: ${error.message}`);
}

function fault(errorType, message) {
  return Object.assign(new Error(`${errorType}: ${message}`), { errorType });
}

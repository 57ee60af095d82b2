// Extensions API 2020-01-01: section 1.1 to 1.3 of the reference.

import { randomUUID } from 'node:crypto';
import { refusal } from './control_server.mjs';

export const MAX_EXTENSIONS = 10;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

// One registered extension. States as in 1.6: Started, Registered, Ready (in next), Running, InitError, ExitError.
class Agent {
  id = randomUUID();
  state = 'Started';
  events = new Set();
  errorType = undefined;
  waiting = null; // the next call that is pending: {resolve, gone}; gone: its connection broke, which nobody here sees
  queue = []; // events not yet asked for
  nextAt = 0; // when it last called next

  constructor(name, external) {
    this.name = name;
    this.external = external;
  }

  get registered() {
    return this.state !== 'Started';
  }

  // Ready also means: every event it was sent has been dealt with.
  get idle() {
    return this.state === 'Ready' && this.queue.length === 0;
  }

  send(event) {
    this.queue.push(event);
    this.#hand();
  }

  // One next call. Resolves with the reply, or null when the caller went away meanwhile.
  next(onClose) {
    this.state = 'Ready';
    this.nextAt = performance.now();
    return new Promise((resolve) => {
      const waiting = { resolve };
      this.waiting = waiting;
      onClose(() => {
        waiting.gone = true;
        resolve(null);
      });
      this.#hand();
    });
  }

  #hand() {
    if (this.waiting === null || this.queue.length === 0) return;
    const { resolve } = this.waiting;
    this.waiting = null;
    this.state = 'Running';
    resolve(eventReply(this.queue.shift()));
  }
}

// 1.3: SHUTDOWN carries no event identifier, and no JSON content type.
function eventReply(event) {
  const plain = { 'Content-Type': 'text/plain; charset=utf-8' };
  if (event.eventType === 'SHUTDOWN') return { status: 200, headers: plain, body: JSON.stringify(event) };
  return { status: 200, headers: { 'Lambda-Extension-Event-Identifier': randomUUID() }, body: event };
}

export class ExtensionsApi {
  agents = new Map(); // by name
  open = true; // internal extensions may register: until init is over
  #settings;
  #onChange;
  #onError;

  // onChange()                some agent changed its state.
  // onError(agent, phase)     it posted to /init/error or /exit/error.
  constructor(settings, { onChange, onError }) {
    this.#settings = settings;
    this.#onChange = onChange;
    this.#onError = onError;
  }

  expect(name) {
    this.agents.set(name, new Agent(name, true));
  }

  list() {
    return [...this.agents.values()];
  }

  listening(eventType) {
    return this.list().filter((agent) => agent.events.has(eventType));
  }

  routes() {
    const caller = (request) => request.headers['lambda-extension-name'] ?? this.find(request.headers)?.name;
    const route = (method, path, name, handle) => ({
      method,
      path,
      name,
      caller,
      listed: true,
      limit: 1024 * 1024,
      handle: (request) => handle.call(this, request)
    });
    return [
      route('POST', /^\/2020-01-01\/extension\/register$/, 'register', this.#register),
      route('GET', /^\/2020-01-01\/extension\/event\/next$/, 'next', this.#next),
      route('POST', /^\/2020-01-01\/extension\/init\/error$/, 'initError', this.#initError),
      route('POST', /^\/2020-01-01\/extension\/exit\/error$/, 'exitError', this.#exitError)
    ];
  }

  find(headers) {
    return this.list().find(
      (agent) => agent.registered && agent.id === headers['lambda-extension-identifier']?.toLowerCase()
    );
  }

  // The refusal that a wrong identifier header earns (1.2), or null.
  identify(headers) {
    const id = headers['lambda-extension-identifier'];
    if (!id) return refusal(403, 'Extension.MissingExtensionIdentifier', 'Missing Lambda-Extension-Identifier header');
    if (!UUID.test(id)) return refusal(403, 'Extension.InvalidExtensionIdentifier', `Not an identifier: ${id}`);
    if (!this.find(headers)) return refusal(403, 'Extension.UnknownExtensionIdentifier', `Unknown extension ${id}`);
    return null;
  }

  #register({ headers, body }) {
    const name = headers['lambda-extension-name'];
    if (!name) return refusal(403, 'Extension.InvalidExtensionName', 'Empty extension name');
    const { events, problem } = eventsOf(body);
    if (problem) return refusal(403, 'InvalidRequestFormat', problem);
    const agent = this.agents.get(name) ?? new Agent(name, false);
    const denied = this.#registrationDenied(agent, events);
    if (denied !== null) return denied;
    this.agents.set(name, agent);
    agent.state = 'Registered';
    agent.events = new Set(events);
    this.#onChange();
    return { status: 200, headers: { 'Lambda-Extension-Identifier': agent.id }, body: this.#description(headers) };
  }

  #registrationDenied(agent, events) {
    const bad = events.find((event) => !this.#allowed(event, agent.external));
    if (bad !== undefined) return refusal(403, 'Extension.InvalidEventType', `${bad}: ErrorInvalidEventType`);
    if (agent.registered) return invalidState(agent, 'Registered');
    const closed = !agent.external && !this.open;
    if (closed) return refusal(403, 'Extension.RegistrationClosed', 'Extension registration closed already');
    const full = this.list().filter((other) => other.registered).length >= MAX_EXTENSIONS;
    if (full) return refusal(403, 'Extension.TooManyExtensions', `Extension limit (${MAX_EXTENSIONS}) reached`);
    return null;
  }

  // 1.1: an unknown name is an internal extension: no SHUTDOWN for it; 1.8: on Managed Instances nobody gets INVOKE.
  #allowed(event, external) {
    if (event === 'INVOKE') return !this.#settings.managedInstances;
    return event === 'SHUTDOWN' && external;
  }

  #description(headers) {
    const { functionName, functionVersion, handler, accountId } = this.#settings;
    const features = (headers['lambda-extension-accept-feature'] ?? '').split(',').map((feature) => feature.trim());
    return { functionName, functionVersion, handler, ...(features.includes('accountId') ? { accountId } : {}) };
  }

  #next({ headers, body, onClose }) {
    const problem = this.identify(headers);
    if (problem) return problem;
    const unwanted = this.#settings.managedInstances && body.length > 0; // 1.1
    if (unwanted) return refusal(403, 'InvalidRequestFormat', 'the body must be empty');
    const agent = this.find(headers);
    // A caller whose pending call was cut off: AWS's emulators refuse it, and the event goes to the connection that
    // broke. Whether production does is not known.
    const again = this.#settings.nextAgain === 'taken' && agent.state === 'Ready' && agent.waiting?.gone;
    if (!again && !['Registered', 'Running'].includes(agent.state)) return invalidState(agent, 'Ready');
    const reply = agent.next(onClose);
    this.#onChange();
    return reply;
  }

  #initError(request) {
    return this.#failed(request, 'init', ['Registered', 'InitError']);
  }

  #exitError(request) {
    return this.#failed(request, 'exit', ['Registered', 'Ready', 'Running', 'ExitError']);
  }

  #failed({ headers, body }, phase, states) {
    const problem = this.identify(headers);
    if (problem) return problem;
    const given = headers['lambda-extension-function-error-type'];
    if (!given) return refusal(403, 'Extension.MissingHeader', 'Lambda-Extension-Function-Error-Type not found');
    const agent = this.find(headers);
    const state = phase === 'init' ? 'InitError' : 'ExitError';
    if (!states.includes(agent.state)) return invalidState(agent, state);
    agent.state = state;
    // 1.1: only these names are passed on.
    agent.errorType = /^Extension\.[A-Z][a-zA-Z]+$/.test(given) ? given : `Extension.${state}`;
    agent.errorBody = body.toString();
    this.#onError(agent, phase);
    return { status: 202, body: { status: 'OK' } };
  }
}

function eventsOf(body) {
  let parsed;
  try {
    parsed = JSON.parse(body.toString());
  } catch (error) {
    return { problem: error.message };
  }
  if (typeof parsed !== 'object' || parsed === null) return { problem: 'the body must be a JSON object' };
  if (parsed.configurationKeys?.length > 0) return { problem: 'configurationKeys are deprecated' };
  const events = Array.isArray(parsed) ? null : (parsed.events ?? []);
  const strings = Array.isArray(events) && events.every((event) => typeof event === 'string');
  return strings ? { events } : { problem: 'events must be a list of strings' };
}

function invalidState(agent, wanted) {
  return refusal(
    403,
    'Extension.InvalidExtensionState',
    `State transition from ${agent.state} to ${wanted} failed for extension ${agent.name}`
  );
}

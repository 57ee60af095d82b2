// Runtime API 2018-06-01: hands invocations to the function's bootstrap and takes its answers.

import { refusal } from './control_server.mjs';

const MAX_RESPONSE_BYTES = 6 * 1024 * 1024 + 100;
const MAX_STREAMED_BYTES = 200 * 1024 * 1024;

// Such a response is chunked, and its last byte may come long after its first. Its trailers tell of an error.
const streamed = (headers) => headers['lambda-runtime-function-response-mode'] === 'streaming';
const responseLimit = (headers) => (streamed(headers) ? MAX_STREAMED_BYTES : MAX_RESPONSE_BYTES);

export class RuntimeApi {
  ready = false; // has asked for its first event
  initError = null;
  #settings;
  #onChange;
  #waiting = []; // next calls without an invocation
  #queue = []; // invocations without a next call
  #running = new Map(); // by request id

  // onChange()   the runtime became ready, failed, answered or finished.
  constructor(settings, { onChange }) {
    this.#settings = settings;
    this.#onChange = onChange;
  }

  routes() {
    const base = '^/2018-06-01/runtime';
    const route = (method, path, name, limit, handle) => ({
      method,
      path: new RegExp(base + path),
      name,
      limit,
      handle: (request) => handle.call(this, request)
    });
    return [
      route('GET', '/invocation/next$', 'runtimeNext', MAX_RESPONSE_BYTES, this.#next),
      route('POST', '/invocation/([^/]+)/response$', 'response', responseLimit, this.#response),
      route('POST', '/invocation/([^/]+)/error$', 'error', MAX_RESPONSE_BYTES, this.#error),
      route('POST', '/init/error$', 'runtimeInitError', MAX_RESPONSE_BYTES, this.#initFailed)
    ];
  }

  offer(invocation) {
    this.#queue.push(invocation);
    this.#hand();
  }

  #next({ onClose }) {
    this.ready = true;
    this.#finishAnswered();
    return new Promise((resolve) => {
      const waiting = { resolve };
      this.#waiting.push(waiting);
      onClose(() => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting);
        resolve(null);
      });
      this.#onChange();
      this.#hand();
    });
  }

  // 2.5 (3): asking for the next event is what ends an invocation. On Managed Instances, where several
  // run at once, the answer itself ends it.
  #finishAnswered() {
    for (const invocation of this.#running.values()) if (invocation.respondedAt !== null) this.#finish(invocation);
  }

  #finish(invocation) {
    invocation.doneAt = performance.now();
    this.#running.delete(invocation.requestId);
  }

  #hand() {
    while (this.#waiting.length > 0 && this.#queue.length > 0) {
      const invocation = this.#queue.shift();
      this.#running.set(invocation.requestId, invocation);
      this.#waiting.shift().resolve(invocationReply(invocation));
    }
  }

  #response({ params, headers, body, trailers, firstByteAt }) {
    const errorType = streamed(headers) ? trailers['lambda-runtime-function-error-type'] : undefined;
    const error = Buffer.from(trailers['lambda-runtime-function-error-body'] ?? '', 'base64');
    return this.#answered(params[0], (invocation) => {
      if (errorType !== undefined) invocation.refuse(error, errorType, firstByteAt);
      invocation.answer(body, firstByteAt);
    });
  }

  #error({ params, headers, body, firstByteAt }) {
    const errorType = headers['lambda-runtime-function-error-type'] ?? 'Function.Unknown';
    return this.#answered(params[0], (invocation) => invocation.refuse(body, errorType, firstByteAt));
  }

  #answered(requestId, take) {
    const invocation = this.#running.get(requestId);
    if (invocation === undefined) return refusal(400, 'InvalidRequestID', 'Invalid request ID');
    if (invocation.respondedAt !== null) {
      return refusal(403, 'InvalidStateTransition', 'the invocation has been answered already');
    }
    take(invocation);
    if (this.#settings.managedInstances) this.#finish(invocation);
    this.#onChange();
    return { status: 202, body: { status: 'OK' } };
  }

  #initFailed({ headers, body }) {
    if (this.ready) return refusal(403, 'InvalidStateTransition', 'the runtime is initialised');
    this.initError = {
      errorType: headers['lambda-runtime-function-error-type'] ?? 'Runtime.Unknown',
      body: body.toString()
    };
    this.#onChange();
    return { status: 202, body: { status: 'OK' } };
  }
}

function invocationReply(invocation) {
  const headers = {
    'Lambda-Runtime-Aws-Request-Id': invocation.requestId,
    'Lambda-Runtime-Deadline-Ms': String(invocation.deadlineMs),
    'Lambda-Runtime-Invoked-Function-Arn': invocation.functionArn,
    'Lambda-Runtime-Trace-Id': invocation.tracing.value
  };
  return { status: 200, headers, body: invocation.body };
}

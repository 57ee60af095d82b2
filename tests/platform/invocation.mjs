// One invocation: its identity, the answer of the function, and the times between.

import { randomBytes, randomUUID } from 'node:crypto';
import { span } from './events.mjs';

export class Invocation {
  startedAt = performance.now();
  responseAt = null; // first byte of the runtime's answer
  respondedAt = null; // its last byte
  doneAt = null; // the runtime asked for its next event
  response = undefined;
  responseBytes = null;
  error = undefined;
  outcome = { status: 'success' };

  // options.requestId, options.traceId   in place of drawn ones: a retry has the id of its first try.
  constructor(settings, payload, { requestId = randomUUID(), traceId } = {}) {
    this.requestId = requestId;
    this.body = Buffer.isBuffer(payload) ? payload : Buffer.from(JSON.stringify(payload ?? {}));
    this.timeoutMs = settings.timeoutMs;
    this.deadlineMs = Date.now() + settings.timeoutMs;
    this.functionArn = settings.alias === null ? settings.functionArn : `${settings.functionArn}:${settings.alias}`;
    const parent = hex(8);
    const value = traceId ?? `Root=1-${hex(4)}-${hex(12)};Parent=${parent};Sampled=0`;
    this.tracing = { spanId: parent, type: 'X-Amzn-Trace-Id', value };
  }

  answer(bytes, firstByteAt) {
    this.responseAt = firstByteAt;
    this.respondedAt = performance.now();
    this.responseBytes = bytes;
    this.response = parsed(bytes);
  }

  refuse(bytes, errorType, firstByteAt) {
    this.responseAt = firstByteAt;
    this.respondedAt = performance.now();
    const body = parsed(bytes);
    this.error = typeof body === 'object' && body !== null ? body : { errorMessage: String(body ?? '') };
    this.error.errorType ??= errorType;
    this.outcome = { status: 'error', errorType };
  }

  // The platform ends the invocation itself: timeout, crash. An answer that came before stays.
  breakOff(status, errorType, what) {
    this.doneAt ??= performance.now();
    this.outcome = errorType === undefined ? { status } : { status, errorType };
    if (this.respondedAt !== null) return;
    const errorMessage = `RequestId: ${this.requestId} ${what}`;
    this.error = { errorType: errorType ?? 'Sandbox.Timedout', errorMessage };
  }

  producedBytes() {
    return this.responseBytes?.length ?? 0;
  }

  durationMs() {
    return (this.doneAt ?? performance.now()) - this.startedAt;
  }

  span(name, fromMs, toMs) {
    return span(name, fromMs ?? this.startedAt, toMs ?? this.startedAt);
  }

  spans() {
    if (this.respondedAt === null) return [];
    return [
      this.span('responseLatency', this.startedAt, this.responseAt),
      this.span('responseDuration', this.responseAt, this.respondedAt),
      this.span('runtimeOverhead', this.respondedAt, this.doneAt ?? this.respondedAt)
    ];
  }
}

function hex(bytes) {
  return randomBytes(bytes).toString('hex');
}

function parsed(bytes) {
  const text = bytes.toString();
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

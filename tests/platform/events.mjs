// Telemetry events: how one is written (2.2), and the records of the platform's own (2.3).

import { goCompact, goJson } from './json.mjs';

// An event is written once, as the bytes that subscribers get; its record is read back on demand.
// The record's bytes are kept as they came, so that escapes and invalid UTF-8 survive.
export class TelemetryEvent {
  constructor(type, recordJson, time = new Date()) {
    this.type = type;
    this.time = time.toISOString();
    this.stampMs = performance.now();
    const head = `{"time":"${this.time}","type":${JSON.stringify(type)},"record":`;
    this.recordStart = Buffer.byteLength(head);
    this.bytes =
      typeof recordJson === 'string' ?
          Buffer.from(`${head}${recordJson}}`) :
          Buffer.concat([Buffer.from(head), recordJson, Buffer.from('}')]);
  }

  get category() {
    return this.type.startsWith('platform.') ? 'platform' : this.type;
  }

  get recordBytes() {
    return this.bytes.subarray(this.recordStart, this.bytes.length - 1);
  }

  get record() {
    const text = this.recordBytes.toString();
    try {
      return JSON.parse(text);
    } catch {
      return text; // emitRaw may have been given something that is not JSON
    }
  }

  toJSON() {
    return { time: this.time, type: this.type, record: this.record };
  }

  // 2.3: under the first schema the record of a log line is always a string.
  bytesFor(schemaVersion) {
    const plain = this.category === 'platform' || schemaVersion !== '2022-07-01' || this.recordBytes[0] === 0x22;
    if (plain) return this.bytes;
    const record = JSON.stringify(this.recordBytes.toString());
    return Buffer.concat([this.bytes.subarray(0, this.recordStart), Buffer.from(`${record}}`)]);
  }
}

// 2.4: a line that is a JSON object becomes a JSON value when the log format is JSON; any other line a string.
export function lineRecord(line, settings) {
  const json = settings.goJson ? goJson : JSON.stringify;
  if (settings.logFormat === 'JSON' && isJsonObject(line)) return settings.goJson ? goCompact(line.toString()) : line;
  return json(line.toString() + (settings.textNewline ? '\n' : ''));
}

function isJsonObject(line) {
  const text = line.toString().trim();
  if (!text.startsWith('{')) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const round = (ms) => Math.round(ms * 1000) / 1000;

export function initStart(settings, phase) {
  return {
    initializationType: settings.initializationType,
    phase,
    ...environmentOf(settings),
    functionArn: settings.functionArn,
    runtimeArn: ''
  };
}

// 2.3: of initStart and restoreStart.
function environmentOf(settings) {
  return {
    runtimeVersion: 'local',
    runtimeVersionArn: '',
    functionName: settings.functionName,
    functionVersion: settings.functionVersion,
    instanceId: settings.logStream,
    instanceMaxMemory: settings.instanceMaxMemory ?? settings.memorySizeMb
  };
}

export function restoreStart(settings) {
  return environmentOf(settings);
}

export function restoreReport(durationMs) {
  return { status: 'success', metrics: { durationMs: round(durationMs) } };
}

export function initRuntimeDone(settings, phase, outcome) {
  return { initializationType: settings.initializationType, phase, ...outcome };
}

export function initReport(settings, phase, outcome, durationMs) {
  return { ...initRuntimeDone(settings, phase, outcome), metrics: { durationMs: round(durationMs) } };
}

// Members that an event has or has not: tracing (2.3: may be absent), the tenant (1.9).
function optional({ tracing, tenantId }, invocation) {
  return { ...(tracing ? { tracing: invocation.tracing } : {}), ...(tenantId === null ? {} : { tenantId }) };
}

export function start(settings, invocation) {
  const { functionVersion, functionArn } = settings;
  return { requestId: invocation.requestId, version: functionVersion, functionArn, ...optional(settings, invocation) };
}

export function runtimeDone(settings, invocation) {
  return {
    requestId: invocation.requestId,
    ...invocation.outcome,
    ...optional(settings, invocation),
    spans: invocation.spans(),
    metrics: { durationMs: round(invocation.durationMs()), producedBytes: invocation.producedBytes() }
  };
}

// The late one: 2.5 (4).
export function report(settings, invocation, initDurationMs, restoreDurationMs) {
  const durationMs = performance.now() - invocation.startedAt;
  const metrics = {
    durationMs: round(durationMs),
    billedDurationMs: Math.ceil(durationMs + (initDurationMs ?? 0)),
    memorySizeMB: settings.memorySizeMb,
    maxMemoryUsedMB: Math.min(64, settings.memorySizeMb)
  };
  if (restoreDurationMs !== undefined) metrics.restoreDurationMs = round(restoreDurationMs);
  else if (initDurationMs !== undefined) metrics.initDurationMs = round(initDurationMs);
  return {
    requestId: invocation.requestId,
    ...invocation.outcome,
    metrics,
    spans: [invocation.span('extensionOverhead', invocation.doneAt, performance.now())],
    ...optional(settings, invocation)
  };
}

// 1.8: on Managed Instances the report carries the duration only, and the runtime's spans.
export function managedReport(settings, invocation) {
  return {
    requestId: invocation.requestId,
    ...invocation.outcome,
    metrics: { durationMs: round(invocation.durationMs()) },
    spans: invocation.spans().filter((span) => span.name !== 'runtimeOverhead'),
    ...optional(settings, invocation)
  };
}

export function span(name, fromMs, toMs) {
  const start = new Date(performance.timeOrigin + fromMs).toISOString();
  return { name, start, durationMs: round(Math.max(0, toMs - fromMs)) };
}

// The shutdown phase: runtime first, then telemetry, then the extensions, all before one deadline (1.6, 1.8).

import { setTimeout as sleep } from 'node:timers/promises';

const RUNTIME_SHARE = 0.3; // of the phase: 600 ms of 2,000
const FLUSH_MS = 1000;

// Returns {reason, deadlineMs, ms, extensions: [{name, pid, exitCode, signal, ms, late}], runtime, undelivered, crash}.
// ms of an extension is the time from its SHUTDOWN event to its end; null when it was not told.
export async function stopSandbox(sandbox, reason) {
  const startedAt = performance.now();
  const { shutdownMs } = sandbox.settings;
  const deadlineMs = Date.now() + shutdownMs;
  const left = () => Math.max(0, startedAt + shutdownMs - performance.now());
  sandbox.thaw();
  await stopRuntime(sandbox, reason, shutdownMs * RUNTIME_SHARE);
  const flushed = sandbox.telemetry.flush();
  if (sandbox.settings.deliver.shutdownFlush === 'before') await within(flushed, Math.min(FLUSH_MS, left() / 2));
  const told = tellExtensions(sandbox, { eventType: 'SHUTDOWN', deadlineMs, shutdownReason: reason });
  const exits = await Promise.all(living(sandbox).map((child) => endOf(child, told.get(child.name) ?? null, left())));
  const undelivered = sandbox.telemetry.undelivered();
  await sandbox.kill();
  return {
    reason,
    deadlineMs,
    ms: performance.now() - startedAt,
    extensions: exits,
    runtime: runtimeEnd(sandbox.runtime),
    undelivered,
    crash: sandbox.crash,
  };
}

function living(sandbox) {
  return [...sandbox.children.values()].filter((child) => child.pid !== null);
}

// Without an external extension there is no time for SIGTERM; after a timeout or a crash there is no use for it.
async function stopRuntime({ runtime, children }, reason, shareMs) {
  if (runtime === null) return;
  if (runtime.exit === null && children.size > 0 && reason === 'spindown') {
    runtime.signal('SIGTERM');
    await within(runtime.exited, shareMs);
  }
  await runtime.kill();
}

// 1.6: who did not register for SHUTDOWN is killed at once. Returns when each was told, by name.
function tellExtensions(sandbox, event) {
  const told = new Map();
  for (const child of living(sandbox)) {
    const agent = sandbox.extensionsApi.agents.get(child.name);
    if (agent.events.has('SHUTDOWN')) {
      agent.send(event);
      told.set(child.name, performance.now());
    } else {
      child.signal('SIGKILL');
    }
  }
  return told;
}

async function endOf(child, toldAt, leftMs) {
  const inTime = await within(child.exited, leftMs);
  await child.kill();
  const { exitCode, signal, time } = child.exit;
  return {
    name: child.name,
    pid: child.pid,
    exitCode,
    signal,
    ms: toldAt === null ? null : time - toldAt,
    late: !inTime,
  };
}

function runtimeEnd(runtime) {
  if (runtime === null || runtime.exit === null) return null;
  return { pid: runtime.pid, exitCode: runtime.exit.exitCode, signal: runtime.exit.signal };
}

// true when the promise settled in time.
async function within(promise, ms) {
  const timer = new AbortController();
  const late = sleep(ms, false, { signal: timer.signal }).catch(() => false);
  const inTime = await Promise.race([promise.then(() => true), late]);
  timer.abort();
  return inTime;
}

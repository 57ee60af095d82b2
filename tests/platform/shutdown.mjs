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
  await stopRuntime(sandbox, shutdownMs * RUNTIME_SHARE);
  await flush(sandbox, Math.min(FLUSH_MS, left()));
  const { shutdownLeftMs } = sandbox.settings;
  if (shutdownLeftMs !== null) await sleep(Math.max(0, left() - shutdownLeftMs));
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
    crash: sandbox.crash
  };
}

function living(sandbox) {
  return [...sandbox.children.values()].filter((child) => child.pid !== null);
}

// 2.2, 2.5 (6): whether and how production flushes here is not known.
async function flush({ telemetry, settings }, mostMs) {
  const { shutdownFlush } = settings.deliver;
  if (shutdownFlush === 'none') return;
  const flushed = shutdownFlush === 'drop' ? telemetry.flushOrDrop() : telemetry.flush();
  if (shutdownFlush !== 'with') await within(flushed, mostMs);
}

// Whatever the reason, it is asked to end first. Without an external extension there is no time for that.
async function stopRuntime({ runtime, children }, shareMs) {
  if (runtime === null) return;
  if (runtime.exit === null && children.size > 0) {
    runtime.signal('SIGTERM');
    await within(runtime.exited, shareMs);
  }
  await runtime.kill();
}

// 1.6: who did not register for SHUTDOWN is killed at once. Returns when each was told, by name.
function tellExtensions(sandbox, event) {
  const told = new Map();
  for (const child of living(sandbox)) {
    if (child.exit !== null) continue; // it crashed
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
    late: !inTime
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

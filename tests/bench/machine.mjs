/*
 * Where it was measured.
 */
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import os from 'node:os';

function commit() {
  const options = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] };
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], options).trim();
  } catch {
    return null;
  }
}

/* Where the kernel names no model (arm64), there is none. */
function model() {
  return os.cpus()[0]?.model.trim() || 'CPU without a name';
}

export function machine() {
  return {
    cpu: model(), cores: os.availableParallelism(), kernel: `${os.type()} ${os.release()} ${os.arch()}`,
    memoryMb: Math.round(os.totalmem() / 2 ** 20), load: os.loadavg().map((value) => Number(value.toFixed(2))),
    node: process.version, nodeBytes: statSync(process.execPath).size, commit: commit(), date: new Date().toISOString()
  };
}

export function machineText({ cpu, cores, kernel, load, date, commit: at }) {
  const when = date.slice(0, 16).replace('T', ' ');
  return `${cpu}, ${cores} cores, ${kernel}, load ${load.join(' ')}, ${when} UTC${at ? `, ${at}` : ''}`;
}

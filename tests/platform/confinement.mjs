// What Lambda takes from the processes of a sandbox: CPU by a quota (1.4: it comes with the memory), rights and limits
// by a user of its own (1.4). Where the system does not let us, a quota is played with signals; the rest is refused.

import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const GROUPS = '/sys/fs/cgroup';
const REMOVE_MS = 1000;
let count = 0;

// A share of one CPU for all processes together: onMs out of each periodMs.
export class CpuQuota {
  #folder = null;
  #timers = [];

  // stopAll(), continueAll()   for the way with signals.
  constructor({ onMs, periodMs }, { stopAll, continueAll }) {
    this.#folder = controlGroup(onMs, periodMs);
    if (this.#folder !== null) return;
    this.#timers.push(setInterval(continueAll, periodMs));
    this.#timers.push(setTimeout(() => this.#timers.push(setInterval(stopAll, periodMs)), onMs));
  }

  get kind() {
    return this.#folder === null ? 'signals' : 'control group';
  }

  // What a process is started with: it joins before it becomes what it is to be.
  get prefix() {
    if (this.#folder === null) return [];
    return ['/bin/sh', '-c', 'echo $$ >"$0" && exec "$@"', path.join(this.#folder, 'cgroup.procs')];
  }

  // Once its processes are gone; the kernel may take a moment to see that.
  async close() {
    for (const timer of this.#timers) clearTimeout(timer);
    const end = performance.now() + REMOVE_MS;
    while (this.#folder !== null && performance.now() < end) {
      try {
        rmdirSync(this.#folder);
        this.#folder = null;
      } catch (error) {
        if (error.code !== 'EBUSY') throw error;
        await sleep(1);
      }
    }
  }
}

// The folder of a new control group, of version 2 or 1; null where there can be none.
function controlGroup(onMs, periodMs) {
  count += 1;
  const name = `lambda-platform-${process.pid}-${count}`;
  const ways = [
    [GROUPS, { 'cpu.max': `${onMs * 1000} ${periodMs * 1000}` }],
    [path.join(GROUPS, 'cpu'), { 'cpu.cfs_period_us': periodMs * 1000, 'cpu.cfs_quota_us': onMs * 1000 }]
  ];
  for (const [parent, files] of ways) {
    const folder = path.join(parent, name);
    try {
      mkdirSync(folder);
    } catch {
      continue;
    }
    try {
      for (const [file, text] of Object.entries(files)) {
        readFileSync(path.join(folder, file)); // where it is not, none is to be made
        writeFileSync(path.join(folder, file), String(text));
      }
      return folder;
    } catch {
      rmdirSync(folder);
    }
  }
  return null;
}

const USER = 993;
const GROUP = 990;
const MOST = 1024; // files, and processes
const READ_ONLY = 'mount --bind /tmp /tmp && mount -o remount,bind,ro / && exec "$@"';

// What a process is started with to be as one of Lambda's: user and group, low priority, the first to go when memory is
// short, no new privileges, limits; only /tmp can be written to.
export function confined() {
  if (process.getuid() !== 0) throw new Error('option confined: only root can give up what it takes');
  return [
    ...['unshare', '--mount', '/bin/sh', '-c', READ_ONLY, 'sh'],
    ...['choom', '-n', '1000', '--', 'nice', '-n', '10'],
    ...['prlimit', `--nofile=${MOST}`, `--nproc=${MOST}`],
    ...['setpriv', `--reuid=${USER}`, `--regid=${GROUP}`, '--clear-groups', '--no-new-privs']
  ];
}

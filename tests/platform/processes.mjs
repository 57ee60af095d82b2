// Processes of the sandbox: starting, reading lines, signals, and their end.

import { spawn } from 'node:child_process';
import { access, constants, open, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';

const living = new Set();

function killLiving() {
  for (const child of living) child.signal('SIGKILL');
}

// Whatever ends this process (an exception, Ctrl-C, a test runner that gives up) must not leave children behind:
// they are in process groups of their own, which no terminal signals.
process.on('exit', killLiving);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    killLiving();
    // Nobody else minds the signal, so it does what it would have done without us.
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  });
}

export class Child {
  pid = null;
  startedAt = null;
  exit = null; // {exitCode, signal, time} once it ended
  #process;

  // argv     program and arguments.
  // onLine   (line: Buffer, stream: 'stdout'|'stderr'), without the newline.
  constructor({ name, argv, env, cwd, maxLineBytes, onLine }) {
    this.name = name;
    this.startedAt = performance.now();
    // Its own process group: a launcher's children are stopped and killed with it.
    this.#process = spawn(argv[0], argv.slice(1), { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    this.pid = this.#process.pid ?? null;
    this.launched = this.#launched();
    this.exited = this.#exited();
    this.closed = new Promise((resolve) => this.#process.once('close', resolve));
    for (const stream of ['stdout', 'stderr']) {
      if (this.#process[stream]) splitLines(this.#process[stream], maxLineBytes, (line) => onLine(line, stream));
    }
  }

  // Rejects with the error of exec.
  #launched() {
    const launched = new Promise((resolve, reject) => {
      this.#process.once('spawn', resolve);
      this.#process.once('error', reject);
    });
    launched.catch(() => {}); // whoever cares awaits it
    return launched;
  }

  #exited() {
    if (this.pid === null) return new Promise(() => {}); // never started, so never ends
    living.add(this);
    return new Promise((resolve) => {
      this.#process.once('exit', (exitCode, signal) => {
        this.exit = { exitCode, signal, time: performance.now() };
        this.signal('SIGKILL'); // what is left of its group
        living.delete(this);
        resolve(this.exit);
      });
    });
  }

  // To the whole group, by its id.
  signal(name) {
    if (this.pid === null) return;
    try {
      process.kill(-this.pid, name);
    } catch (error) {
      if (error.code !== 'ESRCH' && error.code !== 'EPERM') throw error;
    }
  }

  // Ends it for certain; resolves when its last line has been read.
  async kill() {
    if (this.pid === null) return;
    if (this.exit === null) this.signal('SIGKILL');
    await this.exited;
    // Somebody outside the group may hold the pipes open for ever.
    const giveUp = setTimeout(() => {
      this.#process.stdout.destroy();
      this.#process.stderr.destroy();
    }, 1000);
    await this.closed;
    clearTimeout(giveUp);
  }
}

// Cuts on '\n' in bytes, so that an invalid or split UTF-8 sequence is nobody's problem here.
export function splitLines(stream, maxLineBytes, onLine) {
  let parts = [];
  let size = 0;
  // At its end a line loses one '\r', as Go's scanner has it.
  const finish = (atEnd = true) => {
    let line = parts.length === 1 ? parts[0] : Buffer.concat(parts);
    if (atEnd && line.at(-1) === 13) line = line.subarray(0, -1);
    parts = [];
    size = 0;
    onLine(line);
  };
  const add = (piece) => {
    for (let from = 0; from < piece.length;) {
      const to = Math.min(piece.length, from + maxLineBytes - size);
      parts.push(piece.subarray(from, to));
      size += to - from;
      from = to;
      if (size === maxLineBytes && from < piece.length) finish(false);
    }
  };
  stream.on('data', (chunk) => {
    let from = 0;
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
      add(chunk.subarray(from, at));
      finish();
      from = at + 1;
    }
    add(chunk.subarray(from));
  });
  stream.on('end', () => {
    if (size > 0) finish();
  });
  stream.on('error', () => {});
}

// 1.4: every entry that is not a directory is executed, whatever it is.
export async function extensionPaths(folder) {
  if (folder === null) return [];
  const paths = (await readdir(folder)).sort().map((name) => path.join(folder, name));
  const stats = await Promise.all(paths.map((entry) => stat(entry).catch(() => null))); // a dangling link fails at exec
  return paths.filter((_, index) => !stats[index]?.isDirectory());
}

// Whether the kernel, and nobody else, would execute this file: spawn() hands what the kernel does not know to a shell,
// and Lambda does not (1.4). What has no permission is left to exec, whose error says more.
export async function assertExecutable(file) {
  const permitted = await access(file, constants.R_OK | constants.X_OK).then(() => true, () => false);
  if (!permitted) return;
  const [head, own] = await Promise.all([file, '/proc/self/exe'].map(fileHead));
  const known = head.toString('latin1', 0, 2) === '#!' || (isElf(head) && machine(head) === machine(own));
  if (!known) throw new Error('exec format error');
}

async function fileHead(file) {
  const handle = await open(file);
  const { buffer } = await handle.read(Buffer.alloc(20), 0, 20, 0).finally(() => handle.close());
  return buffer;
}

const isElf = (head) => head.toString('latin1', 0, 4) === '\x7fELF';
const machine = (head) => head.readUInt16LE(18); // e_machine; both of Lambda's CPUs are little-endian

// What a process wrote before its call to us may still be in the pipe: lets the loop look at it first.
export async function drain() {
  for (let turns = 0; turns < 4; turns += 1) await turn();
}

export function exitText({ exitCode, signal }) {
  return signal === null ? `exit code ${exitCode}` : `signal ${signal}`;
}

// What the platform's own tests share: a folder of fake extensions, a platform that is killed after each test,
// and reading what the fakes said.

import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Platform } from '../platform.mjs';

const FAKE = fileURLToPath(new URL('./extension.mjs', import.meta.url));
export const FAKES = fileURLToPath(new URL('./', import.meta.url));
export const EXAMPLES = fileURLToPath(new URL('../examples/', import.meta.url));

const platforms = [];
const folders = [];

afterEach(async () => {
  await Promise.all(platforms.splice(0).map((platform) => platform.kill()));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

export function folder() {
  const made = mkdtempSync(path.join(tmpdir(), 'platform-test-'));
  folders.push(made);
  return made;
}

// A folder with one entry for each name.
export function extensionFolder(names) {
  const made = folder();
  for (const name of names) symlinkSync(FAKE, path.join(made, name));
  return made;
}

export function script(name, text) {
  const file = path.join(folder(), name);
  writeFileSync(file, text, { mode: 0o755 });
  return file;
}

// fakes   {name: what the fake of that name does, see extension.mjs}
// The fakes answer later than a busy function fills its next batch, so that the platform keeps it unless a test is
// about just that; and they say in one line what they were posted.
export async function start(fakes, options = {}) {
  const extensions = extensionFolder(Object.keys(fakes));
  const env = { FAKE: JSON.stringify(fakes), ...options.env };
  const deliver = { busy: 'keep', ...options.deliver };
  const platform = await Platform.start({ extensions, maxLineBytes: 1024 * 1024, ...options, deliver, env });
  platforms.push(platform);
  return platform;
}

// What the fake of this name did, in order.
export function did(platform, what, name = 'alpha') {
  return platform.lines
    .filter(({ source, line }) => source === name && line.startsWith('{"did":'))
    .map(({ line, time }) => ({ ...JSON.parse(line), time }))
    .filter((entry) => entry.did === what);
}

export function bodies(platform, name = 'alpha') {
  return did(platform, 'post', name).map(({ base64 }) => Buffer.from(base64, 'base64'));
}

// Every event that the fake's listener was sent and took.
export function received(platform, name = 'alpha') {
  return did(platform, 'post', name)
    .filter(({ status }) => status === 200)
    .flatMap(({ base64 }) => JSON.parse(Buffer.from(base64, 'base64').toString()));
}

// Lets the fake answer a POST that it holds.
export function release(platform, name = 'alpha') {
  process.kill(platform.pids[name], 'SIGUSR2');
}

// Everything emitted so far has been posted, and the fakes' word on every post has been read.
export async function flushed(platform) {
  await platform.flush();
  const said = () => Object.keys(platform.pids).reduce((sum, name) => sum + did(platform, 'post', name).length, 0);
  await platform.until(() => said() === platform.posts.length);
}

export async function untilReceived(platform, fact, name = 'alpha') {
  await platform.until(() => fact(received(platform, name)));
  return received(platform, name);
}

// T: stopped; S: sleeping; null: gone, or a zombie that nobody has reaped yet.
export function processState(pid) {
  try {
    const state = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '')[0];
    return state === 'Z' || state === 'X' ? null : state;
  } catch {
    return null;
  }
}

export function alive(pid) {
  return processState(pid) !== null;
}

// SIGSTOP takes effect when the kernel gets to it.
export async function untilState(pid, state) {
  while (processState(pid) !== state) {
    if (!alive(pid)) throw new Error(`process ${pid} is gone`);
    await turn();
  }
}

// A killed process whose parent is gone ends a little later; the test's own time limit is the bound.
export async function untilGone(pid) {
  while (alive(pid)) await turn();
}

/*
 * ./build.sh container, with a stand-in for docker or podman that records how it was called.
 */
import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { FEDORA, NOBODY, newMachine } from './support.mjs';

const ENGINES = ['docker', 'podman'];
/* Arguments one a line, and what it was given to read. */
const record = (name, more = '') => `
case $1 in
--version) echo "${name} version 1.0" ;;
info) ${more || 'echo "[name=seccomp]"'} ;;
*)
  { printf '%s\\n' "$@"; } >"$HOME/$1.call"
  [ "$1" = run ] || cat >"$HOME/$1.input"
  if [ "$1" = run ]; then exit 7; fi ;;
esac`;

async function machineWith(stands, more = {}) {
  return newMachine({ lacks: ENGINES.filter((one) => !stands[one]), stands, system: FEDORA, ...more });
}

async function callOf(machine, name) {
  return (await readFile(join(machine.folder, `${name}.call`), 'utf8')).trimEnd().split('\n');
}

for (const engine of ENGINES) {
  test(`${engine}: as the caller, with the clone, the command as given, its status handed through`, async (t) => {
    if (process.getuid() !== 0) {
      return t.skip('another user needs root');
    }
    const machine = await machineWith({ [engine]: record(engine) });
    await machine.give(NOBODY);
    const words = ['test', 'e2e', 'a file', "it's"];
    const { status, stderr } = await machine.build(['container', ...words], { user: NOBODY, env: { ARCH: 'arm64' } });
    assert.equal(status, 7, stderr);

    const run = await callOf(machine, 'run');
    assert.deepEqual(run.slice(-words.length), words);
    assert.equal(run.at(-words.length - 1), join(machine.top, 'build.sh'));
    assert.ok(run.includes(`--user=${NOBODY}:${NOBODY}`), run.join(' '));
    assert.equal(run.includes('--userns=keep-id'), engine === 'podman');
    assert.equal(run[run.indexOf('--mount') + 1], `type=bind,source=${machine.top},target=${machine.top}`);
    assert.equal(run[run.indexOf('--workdir') + 1], machine.top);
    assert.ok(run[run.indexOf('ARCH') - 1] === '--env' && !run.includes('--tty'), run.join(' '));

    const dockerfile = await readFile(join(machine.folder, 'build.input'), 'utf8');
    assert.match(dockerfile, /^FROM docker\.io\/library\/debian:12\n/);
    for (const wanted of ['gcc', 'advancecomp', 'npm', 'qemu-user-static', 'curl', 'flock', 'util-linux']) {
      assert.equal(new RegExp(`install -y .* ${wanted}[ \n]`).test(dockerfile), wanted !== 'flock', wanted);
    }
    assert.ok(dockerfile.includes(`build:x:${NOBODY}:${NOBODY}:`));
    const build = await callOf(machine, 'build');
    assert.equal(run.includes(build[build.indexOf('-t') + 1]), true, 'the image that was made is run');
  });
}

test('an engine that maps the caller to its root: root it is', async () => {
  const machine = await machineWith({ docker: record('docker', 'echo "[name=rootless]"') });
  await machine.build(['container', 'build']);
  assert.ok((await callOf(machine, 'run')).includes('--user=0:0'));
});

test('without a command it is build; from a folder below, and with sources laid elsewhere', async () => {
  const machine = await machineWith({ docker: record('docker') });
  const cache = join(machine.folder, 'laid here');
  await mkdir(cache);
  await machine.build(['container'], { cwd: join(machine.top, 'src'), env: { VENDOR_CACHE: cache } });
  const run = await callOf(machine, 'run');
  assert.equal(run.at(-1), 'build');
  assert.equal(run[run.indexOf('--workdir') + 1], join(machine.top, 'src'));
  assert.ok(run.includes(`type=bind,source=${cache},target=${cache},readonly`), run.join('\n'));
});

test('a client without a service gives way to the other', async () => {
  const machine = await machineWith({ docker: record('docker', 'exit 1'), podman: record('podman') });
  assert.equal((await machine.build(['container', 'build'])).status, 7);
  assert.ok((await callOf(machine, 'run')).length > 0);
});

const REFUSED = [
  ['neither is here', {}, 'build.sh: container needs docker or podman, and neither is here\n'],
  ['no service behind it', { docker: 'exit 1' },
    'build.sh: container needs docker or podman; docker is here, but `docker info` fails\n']
];
for (const [what, stands, wanted] of REFUSED) {
  test(`${what}: one line, status 1`, async () => {
    const machine = await machineWith(stands);
    const { status, stdout, stderr } = await machine.build(['container', 'build']);
    assert.deepEqual({ status, stdout, stderr }, { status: 1, stdout: '', stderr: wanted });
  });
}

test('an image that cannot be made ends it', async () => {
  const machine = await machineWith({ docker: 'case $1 in build) exit 3 ;; info) echo ;; *) echo docker ;; esac' });
  const { status, stderr } = await machine.build(['container', 'build']);
  assert.equal(status, 1);
  assert.match(stderr, /could not make the image/);
});

test('a command that is none is refused before any of it', async () => {
  const machine = await machineWith({});
  for (const words of [['nothing'], ['container', 'build'], ['test', 'nothing']]) {
    const { status, stderr } = await machine.build(['container', ...words]);
    assert.equal(status, 2);
    assert.match(stderr, /^usage/);
  }
});

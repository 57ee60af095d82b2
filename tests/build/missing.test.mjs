/*
 * What build.sh says on machines that lack something: all of it at once, before anything begins, with
 * what to do about it.
 */
import assert from 'node:assert/strict';
import { access, cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { FEDORA, NOBODY, TOP, UBUNTU, newMachine } from './support.mjs';

const COMPILERS = {
  gcc: 'gcc', make: 'make', ar: 'binutils', xz: 'xz-utils', gzip: 'gzip', tar: 'tar', awk: 'mawk', cmp: 'diffutils',
  find: 'findutils', sha256sum: 'coreutils', flock: 'util-linux', 'aarch64-linux-gnu-gcc': 'gcc-aarch64-linux-gnu',
  'x86_64-linux-gnu-gcc': 'gcc-x86-64-linux-gnu'
};
const MODULES = { node: 'nodejs', openssl: 'openssl', curl: 'curl' };
const NODE = { node: 'nodejs' };
const LAYER = { python3: 'python3', advzip: 'advancecomp' };
const IMAGE = { python3: 'python3', git: 'git' };
const TESTS = {
  clang: 'clang', unzip: 'unzip', busybox: 'busybox', 'qemu-aarch64-static': 'qemu-user-static',
  skopeo: 'skopeo', umoci: 'umoci', buildah: 'buildah'
};
const JAVA = { mvn: 'maven', javac: 'default-jdk-headless' };
const TOOLS = { 'clang-format': 'clang-format', 'clang-tidy': 'clang-tidy', shellcheck: 'shellcheck' };
const CROSS = `gcc-${process.arch === 'arm64' ? 'x86-64' : 'aarch64'}-linux-gnu`;
const LACKS = Object.keys({
  ...COMPILERS, ...MODULES, ...LAYER, ...IMAGE, ...TESTS, ...JAVA, ...TOOLS, npm: null, sudo: null
});
const packagesOf = (...tables) => tables.flatMap((table) => Object.values(table))
  .filter((one) => !one.startsWith('gcc-') || one === CROSS);
const without = (table, ...packages) =>
  Object.fromEntries(Object.entries(table).filter(([, one]) => !packages.includes(one)));

/* COMMAND and the packages that it must name; there may be more that this very machine lacks. */
const COMMANDS = [
  ['build', packagesOf(COMPILERS)],
  ['layer', packagesOf(COMPILERS, LAYER)],
  ['image', packagesOf(COMPILERS, IMAGE)],
  ['packages', [...packagesOf(COMPILERS, LAYER, NODE), 'python3-venv']],
  ['packages python java', packagesOf(COMPILERS, LAYER, NODE, JAVA)],
  ['demo', packagesOf(without(COMPILERS, CROSS), MODULES)],
  ['test', [...packagesOf(without(COMPILERS, CROSS), MODULES), 'clang', 'libclang-rt-dev']],
  ['test all', [...packagesOf(COMPILERS, MODULES, LAYER, IMAGE, TESTS, TOOLS), 'python3-venv', 'libclang-rt-dev']],
  ['tidy', packagesOf(without(COMPILERS, CROSS), TOOLS, NODE)],
  ['fuzz', [...packagesOf(without(COMPILERS, CROSS)), 'clang', 'libclang-rt-dev']],
  ['bench', packagesOf(COMPILERS, LAYER, without(MODULES, 'curl'))],
  ['bench wire', packagesOf(without(COMPILERS, CROSS), without(MODULES, 'curl'))]
];

for (const [command, packages] of COMMANDS) {
  test(`${command} on a bare system without sudo: one line with one command`, async (t) => {
    if (process.getuid() !== 0) {
      return t.skip('another user needs root');
    }
    const machine = await newMachine({ lacks: LACKS });
    const { status, stderr } = await machine.build(command.split(' '), { user: NOBODY });
    assert.equal(status, 1, stderr);
    assert.match(stderr,
      /^build\.sh: missing packages; please run as root: apt-get update && apt-get install -y [^\n]+\n$/);
    const named = stderr.trim().split(' ');
    assert.deepEqual(packages.filter((one) => !named.includes(one)), []);
    assert.ok(!named.includes('npm'), 'apt brings it without installing it');
    await assert.rejects(access(join(machine.top, 'build')), 'nothing has begun');
  });
}

test('what is not needed is not asked for', async () => {
  const machine = await newMachine({ lacks: LACKS, stands: { id: 'echo 1000' } });
  const { stderr } = await machine.build(['build']);
  for (const none of ['nodejs', 'python3', 'clang', 'curl']) {
    assert.ok(!stderr.split(/\s/).includes(none), stderr);
  }
});

test('sudo that asks for a password: its command is told', async () => {
  const machine = await newMachine({ lacks: ['xz'], stands: { id: 'echo 1000', sudo: 'exit 1' } });
  const { status, stderr } = await machine.build(['build']);
  assert.equal(status, 1);
  assert.match(stderr, /please run: sudo apt-get update && sudo apt-get install -y --no-install-recommends xz-utils\n$/);
});

for (const [who, id] of [['root', 0], ['sudo', 1000]]) {
  test(`${who} installs all at once`, async () => {
    const record = 'echo "$*" >>"$HOME/calls"; [ "$1" != install ]';
    const machine = await newMachine({
      lacks: ['xz', 'flock', 'advzip'], stands: { id: `echo ${id}`, sudo: 'shift; exec "$@"', 'apt-get': record }
    });
    const { status, stderr } = await machine.build(['layer']);
    assert.equal(status, 1, 'this installation fails');
    const calls = (await readFile(join(machine.folder, 'calls'), 'utf8')).split('\n')
      .filter((one) => one.startsWith('install'));
    assert.equal(calls.length, 1, stderr);
    for (const wanted of ['xz-utils', 'util-linux', 'advancecomp']) {
      assert.ok(calls[0].split(' ').includes(wanted), calls[0]);
    }
  });
}

const DARWIN = { uname: '[ "$1" = -m ] && echo arm64 || echo Darwin' };
const ELSEWHERE = [
  ['Fedora', { system: FEDORA, lacks: ['apt-get', 'xz', 'npm'] }, 'Fedora Linux 42 (Workstation Edition)'],
  ['Ubuntu', { system: UBUNTU, lacks: ['xz'], stands: { 'apt-get': 'echo "$*" >>"$HOME/calls"' } },
    'Ubuntu 24.04.1 LTS'],
  ['macOS', { system: '', lacks: ['apt-get', 'xz', 'flock', 'nproc'], stands: DARWIN }, 'Darwin']
];
for (const [what, options, name] of ELSEWHERE) {
  test(`${what}: what is supported, what works there, which files`, async () => {
    const machine = await newMachine(options);
    const { status, stderr } = await machine.build(['demo', '--records', '2']);
    assert.equal(status, 1, stderr);
    const [first, second] = stderr.split('\n');
    assert.equal(first, `build.sh: supported are Debian 12 and 13, and this is ${name}`);
    assert.equal(second, 'build.sh: with docker or podman this works here: ./build.sh container demo --records 2');
    const pins = (await readFile(join(TOP, 'vendor/pins'), 'utf8')).split('\n').map((line) => line.split(' '));
    for (const [kind, source, version, file, sum] of pins) {
      if (kind === 'source') {
        const wanted = `${file}, SHA-256 ${sum}\n      from Debian's source package ${source} ${version}`;
        assert.ok(stderr.includes(wanted), stderr);
      }
    }
    assert.match(stderr, /packages: .*xz-utils/);
    assert.equal(/packages: .* npm( |\n)/.test(stderr), options.lacks.includes('npm'), stderr);
    await assert.rejects(access(join(machine.folder, 'calls')), 'apt-get is not asked');
    await assert.rejects(access(join(machine.top, 'build')), 'nothing has begun');
  });
}

test('macOS, nothing missing: still no build', async () => {
  const machine = await newMachine({ system: '', stands: DARWIN });
  await laidIntoCache(machine);
  const { status, stderr } = await machine.build(['build']);
  assert.equal(status, 1);
  assert.match(stderr, /container build/);
});

function laidIntoCache(machine) {
  return cp(join(TOP, 'build/vendor/download'), join(machine.top, 'vendor/cache'), { recursive: true });
}

/* Far enough to see: the make that stands here is asked. */
for (const [what, system] of [['Ubuntu', UBUNTU], ['Fedora', FEDORA]]) {
  test(`${what} with compiler and files: goes on, with a word about it`, async () => {
    const machine = await newMachine({ system, stands: { make: 'echo "$*" >>"$HOME/made"; exit 1' } });
    await laidIntoCache(machine);
    const { stderr } = await machine.build(['build']);
    assert.match(stderr, /supported are Debian 12 and 13.*\n.*container build\nbuild\.sh: going on without/);
    assert.match(await readFile(join(machine.folder, 'made'), 'utf8'), /TARGET=/);
  });
}

const SID = 'PRETTY_NAME="Debian GNU/Linux forky/sid"\nID=debian\n';
const DEVUAN = 'PRETTY_NAME="Devuan GNU/Linux 5 (daedalus)"\nID=devuan\nID_LIKE=debian\nVERSION_ID="5"\n';
for (const [what, system] of [['sid', SID], ['a derivative', DEVUAN]]) {
  test(`${what}: goes on with apt`, async () => {
    const machine = await newMachine({ system, lacks: ['xz', 'sudo'], stands: { id: 'echo 1000' } });
    const { status, stderr } = await machine.build(['build']);
    assert.equal(status, 1);
    assert.match(stderr,
      /supported are Debian 12 and 13.*\n.*container build\n.*going on.*\n.*apt-get install .* xz-utils/);
  });
}

test('help, the version and cleaning need nothing of the kind', async () => {
  const machine = await newMachine({ system: FEDORA, lacks: LACKS });
  for (const words of [['help'], ['--version'], ['clean']]) {
    const { status, stderr } = await machine.build(words);
    assert.deepEqual([status, stderr], [0, ''], words[0]);
  }
});

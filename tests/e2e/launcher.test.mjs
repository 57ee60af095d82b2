/*
 * The launcher of the layer for both CPUs: under each shell, on each CPU, with nothing but the shell.
 *
 * Which CPU a machine has is what /proc/cpuinfo says; here it is replaced within a mount namespace,
 * which needs root. Without, the launcher is tried on this machine's CPU alone.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { removeFolder, temporaryFolder } from './support/folder.mjs';
import { CPUS, UNIVERSAL, emulate, run, unpack } from './support/layer.mjs';
import { allDelivered, log, useBench } from './support/scenario.mjs';
import { NAME, NATIVE } from './support/stand.mjs';

const { shared } = useBench();

/* As their kernels print them; the second CPU of each is left out. */
const CPUINFO = {
  x86_64: 'processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel name\t: Intel(R) Xeon(R) Processor\n\n',
  arm64: 'processor\t: 0\nBogoMIPS\t: 243.75\nFeatures\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics\n' +
    'CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x3\nCPU part\t: 0xd0c\n\n',
  riscv: 'processor\t: 0\nhart\t\t: 0\nisa\t\t: rv64imafdc\nmmu\t\t: sv48\n\n'
};
/* A shell as the launcher's first line names it. Lambda's own /bin/sh is bash by that name. */
const SHELLS = ['/bin/dash', '/bin/bash', '/bin/busybox ash', 'bash called sh'];

let folder; // for all tests: `sh`, and a cpuinfo of each CPU
let namespaces; // null, or why there are none

before(async () => {
  folder = await temporaryFolder('launcher-');
  await chmod(folder, 0o755);
  await symlink('/bin/bash', join(folder, 'sh'));
  await Promise.all(Object.entries(CPUINFO).map(([cpu, text]) => writeFile(join(folder, cpu), text)));
  const probe = `mount --bind '${folder}/arm64' /proc/cpuinfo`;
  namespaces = await run('unshare', ['--mount', 'sh', '-c', probe]).then(() => null, (error) => error.message);
});

after(() => removeFolder(folder));

/* The unpacked layer, its launcher under another shell and file name. */
async function layerFor(shell, name = NAME) {
  const opt = await unpack(UNIVERSAL);
  const from = join(opt, 'extensions', NAME);
  const lines = (await readFile(from, 'utf8')).split('\n');
  assert.equal(lines[0], '#!/bin/sh');
  lines[0] = `#!${shell === 'bash called sh' ? join(folder, 'sh') : shell}`;
  await writeFile(from, lines.join('\n'));
  await rename(from, join(opt, 'extensions', name));
  await chmod(opt, 0o755);
  return opt;
}

/* In place of a binary: tells which it is and what it was given. */
async function stub(opt, cpu) {
  await writeFile(join(opt, NAME, cpu), `#!/bin/sh\necho "${cpu} $*"\n`, { mode: 0o755 });
}

/* The command that runs what follows with the description of this CPU. */
function described(cpu) {
  return ['unshare', '--mount', 'sh', '-c', `mount --bind '${folder}/${cpu}' /proc/cpuinfo && exec "$@"`, 'sh'];
}

/* As a user who must not have another process: a launcher that starts one fails. */
const CONFINED = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', 'prlimit', '--nproc=0:0'];

/* Runs a program on this CPU without PATH, and confined where we may. Resolves to { status, stdout, stderr }. */
function on(cpu, program, ...args) {
  const bare = ['/usr/bin/env', '-i', 'PATH=/nowhere', program, ...args];
  const [command, ...rest] = namespaces === null ? [...described(cpu), ...CONFINED, ...bare] : bare;
  return new Promise((resolve) => {
    execFile(command, rest, (error, stdout, stderr) => resolve({ status: error?.code ?? 0, stdout, stderr }));
  });
}

/* Skips what this machine cannot show. */
function cannot(t, cpu) {
  const reason = cpu === NATIVE ? null : namespaces;
  return reason !== null && (t.skip(reason), true);
}

for (const shell of SHELLS) {
  for (const cpu of CPUS) {
    test(`${shell} on ${cpu}: starts that binary, which is told the launcher's name`, async (t) => {
      if (cannot(t, cpu)) {
        return;
      }
      const opt = await layerFor(shell, 'another name');
      await Promise.all(CPUS.map((one) => stub(opt, one)));
      const launcher = join(opt, 'extensions', 'another name');
      assert.deepEqual(await on(cpu, launcher), { status: 0, stdout: `${cpu} --name ${launcher}\n`, stderr: '' });
      assert.deepEqual(await on(cpu, launcher, '--check', '--json'), { status: 0, stdout: `${cpu} --check --json\n`, stderr: '' });
      removeFolder(opt);
    });
  }

  test(`${shell} on a CPU that is neither: one line says so`, async (t) => {
    if (cannot(t, 'riscv')) {
      return;
    }
    const opt = await layerFor(shell);
    const { status, stdout, stderr } = await on('riscv', join(opt, 'extensions', NAME));
    assert.match(stderr, new RegExp(`^${NAME}: .*neither x86_64 nor arm64.*\\n$`));
    assert.deepEqual([status, stdout], [126, '']);
    removeFolder(opt);
  });

  test(`${shell}, and the binary is missing: one line says so`, async () => {
    const opt = await layerFor(shell);
    await rename(join(opt, NAME, NATIVE), join(opt, 'away'));
    const { status, stdout, stderr } = await on(NATIVE, join(opt, 'extensions', NAME));
    assert.deepEqual([status, stdout], [126, '']);
    assert.match(stderr, new RegExp(`^${NAME}: .*${NAME}/${NATIVE} is missing\\n$`));
    removeFolder(opt);
  });
}

/* A folder for /opt whose extension is the launcher of another, on this CPU. */
async function elsewhere(opt, cpu) {
  const outer = join(opt, 'outer');
  await mkdir(join(outer, 'extensions'), { recursive: true });
  const [command, ...words] = [...described(cpu), join(opt, 'extensions', NAME)].map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
  await writeFile(join(outer, 'extensions', NAME), `#!/bin/sh\nexec ${command} ${words.join(' ')}\n`, { mode: 0o755 });
  return outer;
}

/* The real thing: the launcher with its binaries, as an extension of the local platform. */
for (const shell of SHELLS) {
  for (const cpu of CPUS) {
    test(`${shell} on ${cpu}: the extension registers and delivers`, { timeout: 60_000 }, async (t) => {
      if (cannot(t, cpu)) {
        return;
      }
      const opt = await layerFor(shell);
      await emulate(opt, cpu);
      const stand = await shared.bench.stand({ opt: namespaces === null ? await elsewhere(opt, cpu) : opt });
      await log(stand, ['a', 'b', 'c'].map((one) => JSON.stringify(one)));
      await allDelivered(stand, 3);
      await stand.stop();
      removeFolder(opt);
    });
  }
}

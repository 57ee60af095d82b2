/*
 * The reference build: which system and compilers the published bytes belong to, what is said when others compile,
 * and that nothing else of a machine shows in the bytes.
 */
import assert from 'node:assert/strict';
import { chmod, cp, mkdir, readFile, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { removeFolder } from '../e2e/support/folder.mjs';
import { DEBIAN, NOBODY, TOP, call, newMachine } from './support.mjs';

const NAME = 'kinesis-telemetry-api-extension';
const CPUS = ['x86_64', 'arm64'];
const reference = await readFile(join(TOP, 'vendor/reference'), 'utf8');
const toolchain = (cpu) => reference.match(new RegExp(`^toolchain ${cpu} (.*)$`, 'm'))[1];

test('the reference is one release, the same for sources, image and system', () => {
  const [, system, version] = reference.match(/^system (\S+) (\d+) x86_64$/m);
  assert.ok(reference.includes(`\nimage docker.io/library/${system}:${version}\n`));
  assert.match(reference, /^release bookworm$/m);
  for (const cpu of CPUS) {
    assert.match(toolchain(cpu), /^\S*gcc \(Debian \S+\) \S+, GNU ld \(GNU Binutils for Debian\) \S+$/);
  }
});

test('--version: the project\'s; with --verbose what is published and what is here', async () => {
  const gcc = 'case $1 in --version) echo "gcc (Other) 99.1" ;; *) echo ld ;; esac';
  const machine = await newMachine({ stands: { gcc } });
  const version = (await readFile(join(TOP, 'src/VERSION'), 'utf8')).trim();
  const short = await machine.build(['--version']);
  assert.deepEqual(short, { status: 0, stdout: `${NAME} ${version}\n`, stderr: '' });

  const { status, stdout, stderr } = await machine.build(['--version', '--verbose']);
  assert.deepEqual([status, stderr], [0, '']);
  const [first, published, ...lines] = stdout.trimEnd().split('\n');
  assert.equal(first, `${NAME} ${version}`);
  assert.equal(published, 'published files are made on debian 12 x86_64 (bookworm)');
  assert.deepEqual(lines.slice(0, 2), CPUS.map((cpu) => `  ${cpu}: ${toolchain(cpu)}`));
  assert.match(lines[2], /^this is Debian GNU\/Linux 12 \(bookworm\) on /);
  assert.match(stdout.slice(stdout.indexOf('this is')), /: gcc \(Other\) 99\.1, GNU ld /);

  assert.equal((await machine.build(['--version', '--wrong'])).status, 2);
});

/* The compilers are played: what vendor.sh notes about them is all that counts here. */
const OTHER = 'gcc (Debian 14.2.0-19) 14.2.0, GNU ld (GNU Binutils for Debian) 2.44';
for (const [what, x86, wanted] of [['another compiler', OTHER, true], ['the reference', toolchain('x86_64'), false]]) {
  test(`${what} for one CPU: ${wanted ? 'one line says that its bytes differ' : 'nothing is said'}`, async () => {
    const make = `for cpu in ${CPUS.join(' ')}; do echo x >build/$cpu/${NAME}; done`;
    const machine = await newMachine({ system: DEBIAN, stands: { make } });
    const script = join(machine.top, 'vendor/vendor.sh');
    const cases = [['x86_64', x86], ['arm64', toolchain('arm64')]].map(([cpu, text]) => `${cpu}) by='${text}' ;;`);
    await writeFile(script, `#!/bin/sh\ncase $1 in ${cases.join(' ')} esac\nmkdir -p build/x86_64 build/arm64\n` +
    'echo "debian 12 x86_64\n$by" >"build/$1/toolchain"\n');
    await chmod(script, 0o755);
    const { status, stderr } = await machine.build(['build']);
    assert.equal(status, 0, stderr);
    const lines = stderr.split('\n').filter((line) => line.includes('differ'));
    assert.equal(lines.length, wanted ? 1 : 0, stderr);
    assert.ok(!wanted || (lines[0].includes(OTHER) && lines[0].includes(toolchain('x86_64'))), lines[0]);
  });
}

test('a git that writes other ends of lines leaves these alone', async () => {
  const machine = await newMachine();
  await cp(join(TOP, '.gitattributes'), join(machine.top, '.gitattributes'));
  const git = ['-c', 'user.name=a', '-c', 'user.email=a@localhost', '-c', 'core.autocrlf=true'];
  const there = join(machine.folder, 'there');
  for (const words of [['-C', machine.top, 'init', '--quiet'], ['-C', machine.top, 'add', '--all'],
    ['-C', machine.top, 'commit', '--quiet', '--message', 'all'], ['clone', '--quiet', machine.top, there]]) {
    const done = await call('git', [...git, ...words], {});
    assert.equal(done.status, 0, done.stderr);
  }
  assert.ok(!(await readFile(join(there, 'build.sh'), 'utf8')).includes('\r'));
});

/* --- the same bytes anywhere ------------------------------------------------------------------- */

/* A header that no compilation may see, what each make, told so, would do: nothing, and what the linker would add. */
async function hostile(folder) {
  await mkdir(join(folder, 'headers'));
  for (const name of ['stdint.h', 'string.h', 'bearssl.h']) {
    await writeFile(join(folder, 'headers', name), '#error "of the caller"\n');
  }
  return { CPATH: join(folder, 'headers'), MAKEFLAGS: '-n', TAR_OPTIONS: '--exclude=*', LD_RUN_PATH: '/nowhere',
    LDEMULATION: 'elf_i386', GNUTARGET: 'elf32-i386' };
}

async function ofAnotherTime(top) {
  const names = (await readdir(top, { recursive: true })).sort().reverse();
  for (const [i, name] of names.entries()) {
    await utimes(join(top, name), 86_400 * 365 * 40 + i, 86_400 * 365 * 40 + i);
  }
}

async function other(machine, files) {
  const out = [];
  for (const path of files) {
    const [theirs, ours] = await Promise.all([readFile(join(machine.top, path)), readFile(join(TOP, path))]);
    out.push(...theirs.equals(ours) ? [] : [path]);
  }
  return out;
}

/* The image names the commit, where there is one: what is built here, as sources without one. */
async function imageWithoutCommit(folder) {
  const script = `
import image, pathlib, sys
image.OUT = pathlib.Path(sys.argv[1])
version = (image.TOP / "src" / "VERSION").read_text().strip()
binaries = {cpu: (image.TOP / "build" / cpu / image.NAME).read_bytes() for cpu in image.ARCHITECTURES}
files, docker, _ = image.layout(version, binaries, image.about(version, None))
image.write(files, docker, b"")`;
  const made = await call('python3', ['-B', '-c', script, folder], { cwd: join(TOP, 'layer') });
  assert.equal(made.status, 0, made.stderr);
  return readFile(join(folder, `${NAME}.oci.tar`));
}

/* Where root can have it so, another user and host name. More compilers side by side end in any order. */
test('another folder, user, umask, zone, language, host, number of CPUs, age of the sources: the same bytes',
  { timeout: 1_800_000 }, async () => {
    const machine = await newMachine();
    await cp(join(TOP, 'build/vendor/download'), join(machine.top, 'vendor/cache'), { recursive: true });
    await ofAnotherTime(machine.top);
    const env = { PATH: process.env.PATH, TZ: 'Asia/Tokyo', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8',
      OMP_NUM_THREADS: '5', ...await hostile(machine.folder) }; // so many CPUs nproc tells
    let as = [];
    if (process.getuid() === 0) {
      await machine.give(NOBODY);
      const there = await call('unshare', ['--uts', 'true'], {});
      as = [...there.status === 0 ? ['unshare', '--uts', 'sh', '-c', 'hostname elsewhere; exec "$@"', 'sh'] : [],
        'setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
    }
    const script = 'umask 077; ./build.sh layer && exec ./build.sh image';
    const built = await call('env', [...as, 'sh', '-c', script], { cwd: machine.top, env });
    assert.equal(built.status, 0, built.stderr);
    const dist = (await readdir(join(TOP, 'layer/dist'))).map((name) => join('layer/dist', name));
    assert.deepEqual(await other(machine, [...dist, `build/image/${NAME}.cdx.json`]), []);
    const image = await readFile(join(machine.top, `build/image/${NAME}.oci.tar`));
    assert.ok(image.equals(await imageWithoutCommit(join(machine.folder, 'image'))), 'the image');
    removeFolder(machine.folder);
  });

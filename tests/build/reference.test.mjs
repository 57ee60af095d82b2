/*
 * The reference build: which system and compilers the published bytes belong to, and what is said when
 * others compile.
 */
import assert from 'node:assert/strict';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { DEBIAN, TOP, newMachine } from './support.mjs';

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

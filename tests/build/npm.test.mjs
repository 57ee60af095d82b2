/*
 * Where no npm is installed, apt brings Debian's without installing it: vendor/npm.sh, with apt's two commands played.
 */
import assert from 'node:assert/strict';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { call, newMachine } from './support.mjs';

const LISTED = 'npm\n  Depends: node-a\n  Depends: nodejs\n  Depends: <node-virtual>\nnode-a\nnodejs\nlibnode-dev\n' +
  '<node-virtual>\n';
const STANDS = {
  'apt-cache': 'cat "$HOME/listed"',
  'apt-get': 'echo "$*" >>"$HOME/calls"; [ -d "$HOME/pool" ] || { echo "E: no such" >&2; exit 100; }; cp "$HOME"/pool/*.deb .'
};
const CLI = 'console.log("npm of", require("a").name, process.argv.slice(2).join(" "));\n';

async function packageOf(pool, name, path, text) {
  const root = join(pool, name);
  const file = join(root, 'usr/share/nodejs', path);
  await mkdir(join(root, 'DEBIAN'), { recursive: true });
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(join(root, 'DEBIAN/control'), `Package: ${name}\nVersion: 1\nArchitecture: all\n` +
  'Maintainer: nobody <nobody@localhost>\nDescription: for a test\n');
  await writeFile(file, text);
  const built = await call('dpkg-deb', ['--build', '--root-owner-group', root, join(pool, `${name}_1_all.deb`)], {});
  assert.equal(built.status, 0, built.stderr);
}

async function machineWithoutNpm() {
  const machine = await newMachine({ lacks: ['npm'], stands: STANDS });
  await writeFile(join(machine.folder, 'listed'), LISTED);
  return machine;
}

function bring({ bin, folder, top }) {
  return call(join(top, 'vendor/npm.sh'), [], { env: { PATH: bin, HOME: folder } });
}

test('npm and what it runs on are unpacked side by side, nothing else of what it depends on', async () => {
  const machine = await machineWithoutNpm();
  const pool = join(machine.folder, 'pool');
  await packageOf(pool, 'npm', 'npm/bin/npm-cli.js', CLI);
  await packageOf(pool, 'node-a', 'a/index.js', 'exports.name = "a";\n');
  const { status, stderr } = await bring(machine);
  assert.equal(status, 0, stderr);
  assert.equal(await readFile(join(machine.folder, 'calls'), 'utf8'), '-q download npm node-a\n');

  const npm = join(machine.top, 'build/npm/bin/npm');
  const { stdout } = await call(npm, ['ci', '--x'], { cwd: '/', env: { PATH: machine.bin } });
  assert.equal(stdout, 'npm of a ci --x\n');
  assert.equal((await bring(machine)).status, 0);
  assert.equal((await readFile(join(machine.folder, 'calls'), 'utf8')).split('\n').length, 2, 'once is enough');
});

test('what cannot be had: said, and nothing is left that would be taken for npm', async () => {
  const machine = await machineWithoutNpm();
  const { status, stderr } = await bring(machine);
  assert.notEqual(status, 0);
  assert.match(stderr, /E: no such/);
  assert.ok(!(await readdir(join(machine.top, 'build'))).includes('npm'));
});

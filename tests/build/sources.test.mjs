/*
 * Where vendor/vendor.sh gets its sources: by apt, from the system's own mirror, of the reference release
 * whatever the system's release is; vendor/pins decides.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { TOP, call, newMachine } from './support.mjs';

const AWK = join(TOP, 'vendor/apt_sources.awk');
const PINS = (await readFile(join(TOP, 'vendor/pins'), 'utf8')).split('\n').map((line) => line.split(' '));

async function rewritten(name, text, suite = 'bookworm') {
  const machine = await newMachine();
  const file = join(machine.folder, name);
  await writeFile(file, text);
  const { stdout } = await call('awk', ['-v', 'type=deb-src', '-v', `suite=${suite}`, '-f', AWK, file], {});
  return stdout;
}

const LINES = [
  ['the release', 'deb http://m/debian trixie main contrib', 'deb-src http://m/debian bookworm main\n'],
  ['options stay', 'deb [ arch=amd64 signed-by=/k.gpg ] http://m/debian/ sid main',
    'deb-src [ arch=amd64 signed-by=/k.gpg ] http://m/debian/ bookworm main\n'],
  ['blanks and remarks', '\tdeb\thttp://m/debian  stable  main # ours', 'deb-src\thttp://m/debian bookworm main\n'],
  ['updates', 'deb http://m/debian trixie-updates main', ''],
  ['security', 'deb http://m/security trixie-security main', ''],
  ['old security', 'deb http://m/security buster/updates main', ''],
  ['a flat folder', 'deb http://m/x ./', ''],
  ['another component', 'deb http://m/docker trixie stable', ''],
  ['switched off', '# deb http://m/debian trixie main', ''],
  ['sources already', 'deb-src http://m/debian trixie main', ''],
  ['a disc', 'deb cdrom:[Debian GNU/Linux 13 _Trixie_]/ trixie main', '']
];
for (const [what, line, wanted] of LINES) {
  test(`one-line form: ${what}`, async () => {
    assert.equal(await rewritten('sources.list', `${line}\n`), wanted);
  });
}

const STANZAS = [
  ['the release, options stay',
    'Types: deb deb-src\n# ours\nURIs: http://m/debian\nSuites: trixie trixie-updates\nComponents: main contrib\n' +
    'Signed-By: /k.gpg\n',
    'Types: deb-src\nSuites: bookworm\nComponents: main\nURIs: http://m/debian\nSigned-By: /k.gpg\n\n'],
  ['fields over several lines, a key among them',
    'types: deb\nuris: http://m/debian\n http://n/debian\nsuites:\n trixie\ncomponents: contrib\n main\n' +
    'signed-by:\n -----BEGIN\n .\n abc\n',
    'Types: deb-src\nSuites: bookworm\nComponents: main\nuris: http://m/debian\n http://n/debian\n' +
    'signed-by:\n -----BEGIN\n .\n abc\n\n'],
  ['security, and updates alone',
    'Types: deb\nURIs: http://m/s\nSuites: trixie-security\nComponents: main\n\n' +
    'Types: deb\nURIs: http://m/debian\nSuites: trixie-updates\nComponents: main\n', ''],
  ['switched off', 'Enabled: no\nTypes: deb\nURIs: http://m/debian\nSuites: trixie\nComponents: main\n', ''],
  ['sources already', 'Types: deb-src\nURIs: http://m/debian\nSuites: trixie\nComponents: main\n', '']
];
for (const [what, text, wanted] of STANZAS) {
  test(`deb822 form: ${what}`, async () => {
    assert.equal(await rewritten('debian.sources', text), wanted);
  });
}

test('without a release: as the system has it, of the other type', async () => {
  assert.equal(await rewritten('a.list', 'deb [a=b] http://m/debian daedalus-security main contrib\n', ''),
    'deb-src [a=b] http://m/debian daedalus-security main contrib\n');
  assert.equal(await rewritten('a.sources', 'Types: deb\nURIs: http://m/x\nSuites: ./\n', ''),
    'Types: deb-src\nSuites: ./\nURIs: http://m/x\n\n');
});

/* --- an archive on this disk ------------------------------------------------------------------ */

async function lineOf(file, path) {
  const data = await readFile(file);
  return ` ${createHash('sha256').update(data).digest('hex')} ${data.length} ${path}\n`;
}

/* `pool` of the archive gets the file, or one with the text. */
async function sourcePackage(archive, name, version, file, from) {
  const folder = join(archive, 'pool', version);
  await mkdir(folder, { recursive: true });
  const dsc = `${name}_${version}.dsc`;
  await writeFile(join(folder, dsc), `${name} ${version}\n`);
  await (from ? cp(from, join(folder, file)) : writeFile(join(folder, file), version));
  const sums = await lineOf(join(folder, dsc), dsc) + await lineOf(join(folder, file), file);
  return `Package: ${name}\nBinary: ${name}\nVersion: ${version}\nArchitecture: any\nFormat: 3.0 (quilt)\n` +
    `Directory: pool/${version}\nChecksums-Sha256:\n${sums}\n`;
}

async function binaryPackage(archive, name, version, files) {
  const root = join(archive, 'root', name);
  await mkdir(join(root, 'DEBIAN'), { recursive: true });
  await writeFile(join(root, 'DEBIAN/control'), `Package: ${name}\nVersion: ${version}\nArchitecture: all\n` +
  'Maintainer: nobody <nobody@localhost>\nDescription: for a test\n');
  for (const [path, from] of files) {
    await cp(from, join(root, path));
  }
  const deb = join(archive, 'pool', `${name}_${version}_all.deb`);
  const built = await call('dpkg-deb', ['--build', '--root-owner-group', root, deb], {});
  assert.equal(built.status, 0, built.stderr);
  const [, sum, size] = (await lineOf(deb, '')).split(' ');
  return `Package: ${name}\nVersion: ${version}\nArchitecture: all\nFilename: pool/${name}_${version}_all.deb\n` +
    `Size: ${size}\nSHA256: ${sum}\nDescription: for a test\n\n`;
}

async function release(archive, name, sources, packages) {
  const dist = join(archive, 'dists', name);
  const arch = (await call('dpkg', ['--print-architecture'], {})).stdout.trim();
  let sums = '';
  for (const [path, text] of [['main/source/Sources', sources], [`main/binary-${arch}/Packages`, packages]]) {
    await mkdir(join(dist, path, '..'), { recursive: true });
    await writeFile(join(dist, path), text);
    sums += await lineOf(join(dist, path), path);
  }
  await writeFile(join(dist, 'Release'), `Origin: test\nSuite: ${name}\nCodename: ${name}\nArchitectures: ${arch} all\n` +
  `Components: main\nDate: Sat, 01 Jan 2022 00:00:00 UTC\nSHA256:\n${sums}`);
}

/* The mirror of a system that is a release ahead: other versions there, what is pinned in the old one. */
async function machineAhead() {
  const machine = await newMachine();
  const archive = join(machine.folder, 'archive');
  const download = join(TOP, 'build/vendor/download');
  let old = '';
  let ahead = '';
  for (const [, name, version, file] of PINS.filter(([kind]) => kind === 'source')) {
    old += await sourcePackage(archive, name, version, file, join(download, file));
    ahead += await sourcePackage(archive, name, '99-1', `${name}_99.orig.tar.gz`);
  }
  const roots = [];
  for (const [, name] of PINS.filter(([kind]) => kind === 'anchor')) {
    roots.push([`usr/share/ca-certificates/mozilla/${name}.crt`, join('/usr/share/ca-certificates/mozilla', `${name}.crt`)]);
  }
  const binaries = await binaryPackage(archive, 'libjsmn-dev', '1.1.0-2', [['usr/include/jsmn.h', join(download, 'jsmn.h')]]) +
    await binaryPackage(archive, 'ca-certificates', '20230311', roots);
  await release(archive, 'bookworm', old, binaries);
  await release(archive, 'trixie', ahead, '');
  /* apt takes no blank in an address of the one-line form, and none unescaped in the other. */
  const address = `file:${archive.replaceAll(' ', '%20')}`;
  await mkdir(join(machine.folder, 'parts'));
  await writeFile(join(machine.folder, 'parts/debian.sources'),
    `Types: deb\nURIs: ${address}\nSuites: trixie trixie-updates\nComponents: main\nTrusted: yes\n`);
  await writeFile(join(machine.folder, 'apt.conf'), `Dir::Etc::sourcelist "${machine.folder}/none.list";\n` +
  `Dir::Etc::sourceparts "${machine.folder}/parts";\nAPT::Default-Release "trixie";\n`);
  return machine;
}

async function vendor(machine, words, before = []) {
  const env = { ...process.env, APT_CONFIG: join(machine.folder, 'apt.conf'), VENDOR_CACHE: '' };
  return call('env', [...before, join(machine.top, 'vendor/vendor.sh'), ...words], { env, cwd: machine.top });
}

function aptLog(machine) {
  return readFile(join(machine.top, 'build/vendor/apt.log'), 'utf8').catch(() => '');
}

const PINNED = ['bearssl_0.6+dfsg.1.orig.tar.xz', 'jsmn.h', 'musl_1.2.3.orig.tar.gz'];

test('a system a release ahead: the pinned files come from its mirror\'s older release', async () => {
  const machine = await machineAhead();
  const { status, stderr } = await vendor(machine, ['sources']);
  assert.equal(status, 0, `${stderr}${await aptLog(machine)}`);
  const files = await readdir(join(machine.top, 'build/vendor/download'));
  assert.deepEqual(PINNED.filter((one) => !files.includes(one)), []);
});

const SYSTEM_LISTS = 'case "$*" in "-q download libjsmn-dev") cp "$HOME/pool/"*.deb . ;; *) exit 1 ;; esac';
for (const [what, from, wanted] of [['what is pinned', 'build/vendor/download/jsmn.h', 0], ['another', 'vendor/pins', 1]]) {
  test(`the lists that the system has lead to ${what}: ${wanted ? 'not taken' : 'no others are asked for'}`, async () => {
    const machine = await newMachine({ stands: { 'apt-get': SYSTEM_LISTS } });
    await mkdir(join(machine.folder, 'pool'));
    await binaryPackage(machine.folder, 'libjsmn-dev', '1.1.0-2', [['usr/include/jsmn.h', join(TOP, from)]]);
    const cache = join(machine.top, 'vendor/cache');
    await mkdir(cache);
    for (const name of PINNED.filter((one) => one !== 'jsmn.h')) {
      await cp(join(TOP, 'build/vendor/download', name), join(cache, name));
    }
    const env = { PATH: machine.bin, HOME: machine.folder };
    const { status, stderr } = await call(join(machine.top, 'vendor/vendor.sh'), ['archives'], { env });
    assert.equal(status, wanted, stderr);
    const files = await readdir(join(machine.top, 'build/vendor/download'));
    assert.equal(files.includes('jsmn.h'), wanted === 0);
  });
}

/* Mounted over in a namespace of its own: where the system keeps certificates. */
const HIDE = 'mount -t tmpfs none /usr/share/ca-certificates && mount -t tmpfs none /etc/ssl/certs && exec "$@"';

test('a system that dropped a root certificate: it comes from there as well', async (t) => {
  const possible = await call('unshare', ['--mount', 'sh', '-c', HIDE, 'sh', 'true'], {});
  if (possible.status !== 0) {
    return t.skip(`needs a mount namespace: ${possible.stderr.trim()}`);
  }
  const machine = await machineAhead();
  const hidden = ['unshare', '--mount', 'sh', '-c', HIDE, 'sh'];
  const before = await vendor(machine, ['missing'], hidden);
  assert.match(before.stdout,
    /Amazon_Root_CA_4\.crt, SHA-256 [0-9a-f]{64} of its DER form\n +from Debian's package ca-certificates/);
  const { status, stderr } = await vendor(machine, ['sources'], hidden);
  assert.equal(status, 0, `${stderr}${await aptLog(machine)}`);
  assert.equal((await vendor(machine, ['missing'], hidden)).stdout, '');
});

test('nothing to be had: every file with its sum, and what apt said', async () => {
  const machine = await machineAhead();
  await writeFile(join(machine.folder, 'parts/debian.sources'), '');
  const { status, stderr } = await vendor(machine, ['sources']);
  assert.equal(status, 1);
  for (const [, , , file, sum] of PINS.filter(([kind]) => kind === 'source')) {
    assert.ok(stderr.includes(`${file}, SHA-256 ${sum}`), stderr);
  }
  assert.match(stderr, /What apt said: build\/vendor\/apt\.log/);
});

test('another file under the pinned name is refused', async () => {
  const machine = await machineAhead();
  await mkdir(join(machine.top, 'vendor/cache'));
  await writeFile(join(machine.top, 'vendor/cache/musl_1.2.3.orig.tar.gz'), 'another');
  const { status, stderr } = await vendor(machine, ['sources']);
  assert.equal(status, 1);
  assert.match(stderr, /wrong checksum of vendor\/cache\/musl/);
});

test('tests/README.md names the same files, packages and versions', async () => {
  const readme = await readFile(join(TOP, 'tests/README.md'), 'utf8');
  for (const [kind, name, version, file] of PINS.filter(([one]) => ['source', 'binary'].includes(one))) {
    const from = `${kind === 'source' ? 'source ' : ''}package \`${name}\` ${version}`;
    assert.ok(readme.includes(`| \`${file}\` | ${from}`), file);
  }
});

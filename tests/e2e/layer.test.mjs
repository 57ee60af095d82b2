/*
 * The layer's zips: what is in them, that they are small, and that what is unpacked from them starts as Lambda starts
 * it. That they come out the same anywhere is in tests/build/reference.test.mjs.
 */
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, readdir, rename, stat, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { text } from 'node:stream/consumers';
import yauzl from 'yauzl';
import { Platform } from '../platform/platform.mjs';
import { removeFolder } from './support/folder.mjs';
import { CPUS, DIST, UNIVERSAL, emulate, run, unpack, zipFor } from './support/layer.mjs';
import { allDelivered, log, useBench } from './support/scenario.mjs';
import { NAME, NATIVE } from './support/stand.mjs';

const top = fileURLToPath(new URL('../..', import.meta.url));
const { shared, scenario } = useBench();

const KB = 1000;
const LIMITS = [[UNIVERSAL, 276 * KB], ...CPUS.map((cpu) => [zipFor(cpu), 138 * KB])];
const RUN = 0o100755;
const READ = 0o100644;
const PAPERS = [[`${NAME}/LICENSES`, READ], [`${NAME}/sbom.cdx.json`, READ]];
const CONTENTS = [
  [UNIVERSAL, [[`extensions/${NAME}`, RUN], ...CPUS.map((cpu) => [`${NAME}/${cpu}`, RUN]), ...PAPERS]],
  ...CPUS.map((cpu) => [zipFor(cpu), [[`extensions/${NAME}`, RUN], ...PAPERS]])
];

async function entriesOf(zip) {
  const archive = await yauzl.openPromise(zip);
  const entries = [];
  for await (const entry of archive.eachEntry()) {
    entries.push(entry);
  }
  return entries;
}

async function textOf(zip, name) {
  const archive = await yauzl.openPromise(zip);
  for await (const entry of archive.eachEntry()) {
    if (entry.fileName === name) {
      return text(await archive.openReadStreamPromise(entry));
    }
  }
  return null;
}

async function sumOf(path) {
  return createHash('sha256').update(await readFile(path)).digest('hex');
}

for (const [zip, limit] of LIMITS) {
  test(`${relative(DIST, zip)} has at most ${limit / KB} KB`, async () => {
    const { size } = await stat(zip);
    assert.ok(size <= limit, `${size} bytes`);
  });
}

for (const [zip, wanted] of CONTENTS) {
  test(`${relative(DIST, zip)}: names, modes and order of its entries`, async () => {
    const entries = await entriesOf(zip);
    assert.deepEqual(entries.map((one) => [one.fileName, one.externalFileAttributes >>> 16]), wanted);
    assert.ok(entries.every((one) => one.versionMadeBy >> 8 === 3), 'made by Unix, or Lambda takes no modes');
    assert.deepEqual(new Set(entries.map((one) => one.getLastModDate({ timezone: 'UTC' }).toISOString())),
      new Set(['1980-01-01T00:00:00.000Z']));
  });
}

test('the sums are those of the files beside them', async () => {
  const lines = (await readFile(join(DIST, 'SHA256SUMS'), 'utf8')).trimEnd().split('\n');
  const files = (await readdir(DIST)).filter((name) => name !== 'SHA256SUMS').sort();
  assert.deepEqual(lines.map((line) => line.split('  ')[1]).sort(), files);
  for (const line of lines) {
    const [sum, name] = line.split('  ');
    assert.equal(sum, await sumOf(join(DIST, name)), name);
  }
});

test('the bill of materials: valid CycloneDX, with the pinned versions and the sums of the binaries', async () => {
  const json = await readFile(join(DIST, `${NAME}.cdx.json`), 'utf8');
  assert.equal(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(json), null);
  for (const [zip] of CONTENTS) {
    assert.equal(await textOf(zip, `${NAME}/sbom.cdx.json`), json);
  }

  const bill = JSON.parse(json);
  const { component } = bill.metadata;
  const pins = await readFile(join(top, 'vendor/pins'), 'utf8');
  assert.equal(component.version, (await readFile(join(top, 'src/VERSION'), 'utf8')).trim());
  const libraries = bill.components.filter((one) => one.type === 'library');
  assert.deepEqual(libraries.map((one) => one.name), ['BearSSL', 'musl', 'jsmn']);
  for (const { hashes, licenses, version, 'bom-ref': name } of libraries) {
    const [, , pinned, , sum] = pins.split('\n').find((line) => line.split(' ')[1] === name).split(' ');
    assert.ok(pinned.startsWith(version), `${name} ${version}`);
    assert.deepEqual([hashes[0].content, licenses[0].license.id], [sum, 'MIT']);
  }

  /* What a reader of such bills asks of each part: who supplied it, under which licence, how it is called elsewhere. */
  for (const { name, supplier, licenses, purl } of bill.components) {
    assert.ok(supplier.name && licenses.length === 1 && /^pkg:deb\/debian\/[a-z]/.test(purl), name);
  }
  const anchors = bill.components.at(-1).properties.map((one) => [one.name.split(':').at(-1), one.value]);
  assert.deepEqual(anchors, pins.split('\n').map((line) => line.split(' ')).filter(([kind]) => kind === 'anchor')
    .map(([, root, sum]) => [root, sum]));

  const opt = await unpack(UNIVERSAL);
  const sums = await Promise.all(CPUS.map((cpu) => sumOf(join(opt, NAME, cpu))));
  removeFolder(opt);
  assert.deepEqual(component.components.map((one) => one.hashes[0].content), sums);
});

/* As `./build.sh --version --verbose` tells it of this machine. */
test('the bill of materials: on which system, by which compiler and linker each binary was made', async () => {
  const { formulation } = JSON.parse(await readFile(join(DIST, `${NAME}.cdx.json`), 'utf8'));
  const { stdout } = await run(join(top, 'build.sh'), ['--version', '--verbose']);
  const here = stdout.slice(stdout.indexOf('this is'));
  assert.deepEqual(formulation.map((one) => one.properties[0].value), CPUS);
  for (const { components: [system, compiler, linker], properties: [{ value: cpu }] } of formulation) {
    assert.equal(system.type, 'operating-system');
    assert.match(await readFile('/etc/os-release', 'utf8'), new RegExp(`^ID=${system.name}$`, 'm'));
    assert.match(here, new RegExp(`^  ${cpu}: .*${compiler.version}, .*${linker.version}$`, 'm'));
    assert.ok(here.includes(`${cpu}: ${compiler.description}, ${linker.description}`), here);
    assert.match(compiler.name, /gcc$/);
  }
});

test('the licences of all parts go along', async () => {
  const licences = await textOf(UNIVERSAL, `${NAME}/LICENSES`);
  for (const holder of ['kinesis-telemetry-api-extension contributors', 'Thomas Pornin', 'Rich Felker', 'Serge Zaitsev']) {
    assert.ok(licences.includes(holder), holder);
  }
});

const STARTS = [
  ...CPUS.map((cpu) => [`the ${cpu} layer`, zipFor(cpu), cpu, `extensions/${NAME}`]),
  ['the layer for both CPUs', UNIVERSAL, NATIVE, `${NAME}/${NATIVE}`]
];
for (const [what, zip, cpu, binary] of STARTS) {
  const options = async () => {
    const opt = await unpack(zip);
    await emulate(opt, cpu, join(opt, binary));
    return { opt };
  };
  scenario(`${what}, unpacked: registers under its file's name and delivers`, options, async (stand) => {
    await log(stand, ['a', 'b', 'c'].map((one) => JSON.stringify(one)));
    const end = await allDelivered(stand, 3);
    assert.equal(end.exit.name, NAME);
  });
}

/* As in an image made FROM scratch: no shell, no /etc, no /proc, no certificates. */
test('a root with the binary and nothing else: registers and delivers', { timeout: 60_000 }, async (t) => {
  if (process.getuid() !== 0) {
    return t.skip('chroot needs root');
  }
  const { bench } = shared;
  const opt = await unpack(zipFor(NATIVE));
  const root = join(opt, 'root');
  await mkdir(join(root, 'opt'), { recursive: true });
  await rename(join(opt, 'extensions'), join(root, 'opt/extensions'));
  await mkdir(join(opt, 'extensions'));
  const start = `#!/bin/sh\nexec chroot '${root}' /opt/extensions/${NAME}\n`;
  await writeFile(join(opt, 'extensions', NAME), start, { mode: 0o755 });
  await copyFile(await bench.certificates.bundle(), join(root, 'test-ca.pem'));

  const stand = await bench.stand({ opt, env: { AWS_CA_BUNDLE: '/test-ca.pem' } });
  await log(stand, ['"a"', '"b"', '"c"']);
  await allDelivered(stand, 3);
  await stand.stop();
});

/* Nothing of ours can run there: the platform's own message has to be the whole story, told once. */
test('a layer of the wrong CPU: Lambda says exec format error, and nothing is started again', async () => {
  const other = CPUS.find((cpu) => cpu !== NATIVE);
  const opt = await unpack(zipFor(other));
  const starting = Platform.start({ extensions: join(opt, 'extensions') });
  await assert.rejects(starting, (error) => {
    assert.equal(error.errorType, 'Extension.LaunchError');
    assert.match(error.message, /ENOEXEC|exec format error/i);
    return true;
  });
  removeFolder(opt);
});

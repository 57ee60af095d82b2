/*
 * The image that functions' images copy from, as programs see it that others wrote: what is in it, that it is the
 * layer's, that registries and builders take it, and that it comes out the same anywhere.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { snippet } from './support/documents.mjs';
import { removeFolder, temporaryFolder } from './support/folder.mjs';
import {
  ARCHITECTURES, ARCHIVE, LAYOUT, OUT, Registry, buildah, crane, registryMissing, skopeo, umoci
} from './support/image.mjs';
import { CPUS, run, unpack, zipFor } from './support/layer.mjs';
import { NAME } from './support/stand.mjs';

const top = fileURLToPath(new URL('../..', import.meta.url));
const VERSION = (await readFile(join(top, 'src/VERSION'), 'utf8')).trim();
const IMAGE = `oci:${LAYOUT}:${VERSION}`;
const KEY = 'org.opencontainers.image.';
const FILE = `opt/extensions/${NAME}`;
const NOBODY = 65534;
const SOURCES = ['build.sh', 'layer', 'src', 'vendor'];

const folder = await temporaryFolder('image-');
after(() => removeFolder(folder));

const sumOf = (data) => createHash('sha256').update(data).digest('hex');
const digestOf = (data) => `sha256:${sumOf(data)}`;
const blob = ({ digest }) => readFile(join(LAYOUT, 'blobs/sha256', digest.replace('sha256:', '')));
const rawIndex = await skopeo('inspect', '--raw', `oci:${LAYOUT}`);
const index = JSON.parse(rawIndex);

/* { path: [mode, date, sum of a file] } */
async function filesBelow(root) {
  const { stdout } = await run('find', [root, '-mindepth', '1', '-printf', '%P %m %Ts %y\n']);
  const entries = stdout.trimEnd().split('\n').sort().map(async (line) => {
    const [path, mode, date, kind] = line.split(' ');
    return [path, [mode, date, kind === 'f' ? sumOf(await readFile(join(root, path))) : kind]];
  });
  return Object.fromEntries(await Promise.all(entries));
}

async function layerFile(cpu) {
  const opt = await unpack(zipFor(cpu));
  const data = await readFile(join(opt, 'extensions', NAME));
  removeFolder(opt);
  return data;
}

test('an index names an image for each CPU, and only these', async () => {
  assert.deepEqual(index.manifests.map((one) => one.platform),
    CPUS.map((cpu) => ({ architecture: ARCHITECTURES[cpu], os: 'linux' })));
  assert.equal((await umoci('ls', '--layout', LAYOUT)).trim(), VERSION);
  const { manifests: [entry, ...others] } = JSON.parse(await readFile(join(LAYOUT, 'index.json'), 'utf8'));
  assert.deepEqual(others, []);
  assert.equal(entry.annotations['io.containerd.image.name'], `docker.io/library/${NAME}:${VERSION}`);
  assert.deepEqual((await readdir(LAYOUT)).sort(), ['blobs', 'index.json', 'oci-layout']);
  await assert.rejects(skopeo('inspect', '--override-arch', 's390x', IMAGE), /no image found .*s390x/);
});

for (const cpu of CPUS) {
  const architecture = ARCHITECTURES[cpu];
  const one = JSON.parse(await blob(index.manifests[CPUS.indexOf(cpu)]));

  test(`${cpu}: the layer's very file in /opt/extensions, and nothing else`, async () => {
    const bundle = join(folder, `unpacked-${cpu}`);
    await skopeo('--override-arch', architecture, 'copy', IMAGE, `oci:${join(folder, 'one')}:${cpu}`);
    await umoci('unpack', '--rootless', '--image', `${join(folder, 'one')}:${cpu}`, bundle);
    const date = String(Date.UTC(1980, 0, 1) / 1000);
    assert.deepEqual(await filesBelow(join(bundle, 'rootfs')), {
      opt: ['755', date, 'd'], 'opt/extensions': ['755', date, 'd'], [FILE]: ['755', date, sumOf(await layerFile(cpu))]
    });
  });

  test(`${cpu}: all is root's, and the layer is stored: no compressor decides about a digest`, async () => {
    const [layer] = one.layers;
    const data = await blob(layer);
    const files = gunzipSync(data);
    assert.equal(layer.mediaType, 'application/vnd.oci.image.layer.v1.tar+gzip');
    assert.equal(data.length, files.length + 18 + 5 * Math.ceil(files.length / 65535));
    const tar = join(folder, `${cpu}.tar`);
    await writeFile(tar, files);
    const { stdout } = await run('tar', ['--numeric-owner', '-tvf', tar]);
    assert.deepEqual(stdout.trimEnd().split('\n').map((line) => line.split(/\s+/)).map((words) => [words[1], words.at(-1)]),
      [['0/0', 'opt/'], ['0/0', 'opt/extensions/'], ['0/0', FILE]]);
  });

  test(`${cpu}: labels and annotations tell what it is, no date, and the licences of all parts`, async () => {
    const { Architecture, Created, Os, Labels: labels } = JSON.parse(
      await skopeo('inspect', '--override-arch', architecture, IMAGE));
    assert.deepEqual([Architecture, Os, Created], [architecture, 'linux', null]);
    const { [`${NAME}.licences`]: licences, ...facts } = labels;
    for (const holder of [`${NAME} contributors`, 'Thomas Pornin', 'Rich Felker', 'Serge Zaitsev']) {
      assert.ok(licences.includes(holder), holder);
    }
    assert.deepEqual([facts[`${KEY}title`], facts[`${KEY}version`], facts[`${KEY}licenses`]], [NAME, VERSION, 'MIT']);
    assert.deepEqual(one.annotations, facts);
    assert.deepEqual(index.annotations, facts);
    assert.doesNotMatch(JSON.stringify([facts, one]), /created|\d{4}-\d\d-\d\d/);
  });

  test(`${cpu}: the archive is what older Docker loads, too`, async () => {
    const there = join(folder, `docker-${cpu}`);
    await skopeo('copy', `docker-archive:${ARCHIVE}:${NAME}:${VERSION}-${cpu}`, `dir:${there}`);
    const { config, layers } = JSON.parse(await readFile(join(there, 'manifest.json'), 'utf8'));
    assert.deepEqual([config.digest, layers.length], [one.config.digest, 1]);
  });
}

test('the archive holds the layout, with its digests', async () => {
  const there = join(folder, 'archive');
  await skopeo('copy', '--all', '--preserve-digests', `oci-archive:${ARCHIVE}:${VERSION}`, `dir:${there}`);
  assert.equal(await readFile(join(there, 'manifest.json'), 'utf8'), rawIndex);
});

test('the sums are those of the files beside the layout, and the bill of materials is the layers\'', async () => {
  const lines = (await readFile(join(OUT, 'SHA256SUMS'), 'utf8')).trimEnd().split('\n');
  const files = [`${NAME}.cdx.json`, `${NAME}.oci.tar`];
  assert.deepEqual(lines, await Promise.all(files.map(async (name) => `${sumOf(await readFile(join(OUT, name)))}  ${name}`)));
  assert.deepEqual(await readFile(join(OUT, files[0])), await readFile(join(top, 'layer/dist', files[0])));
});

const skipRegistry = registryMissing() ?? false;
test('a registry takes it as layer/README.md says, valid, and its digest stays the same', { skip: skipRegistry }, async () => {
  const registry = await Registry.start();
  try {
    const name = `${registry.host}/${NAME}:${VERSION}`;
    await skopeo('copy', '--all', '--dest-tls-verify=false', IMAGE, `docker://${name}`);
    await crane('validate', '--remote', name);
    assert.equal((await crane('digest', name)).trim(), digestOf(rawIndex));
    assert.deepEqual(JSON.parse(await crane('manifest', name)), index);
  } finally {
    await registry.stop();
  }
});

/* The stage that is copied from is the image for the CPU that is built for. */
const mayMount = process.getuid() === 0 && await run('unshare', ['--mount', 'true']).then(() => true, () => false);
const skipBuild = mayMount ? false : 'buildah needs root, and to mount';
/* The front page's line, in the least file that it can be part of. */
const front = () => `FROM scratch\n${snippet('front-Dockerfile').replace(/--from=\S+/, `--from=${IMAGE}`)}COPY bootstrap /\n`;
for (const [name, text] of [['Dockerfile', () => snippet('Dockerfile')], ['front-Dockerfile', front]]) {
  test(`${name} of the documents, built by buildah for both CPUs`, { skip: skipBuild }, async () => {
    const context = join(folder, `context-${name}`);
    await mkdir(context);
    await writeFile(join(context, 'Dockerfile'), text());
    await writeFile(join(context, 'bootstrap'), 'of the function');
    const storage = ['--root', join(folder, 'storage'), '--runroot', join(folder, 'run'), '--storage-driver', 'vfs'];
    for (const cpu of CPUS) {
      const image = `${join(folder, `built-${name}`)}:${cpu}`;
      await buildah(...storage, 'build', '--isolation', 'chroot', '--build-arg', 'BASE=scratch', '--build-arg',
        `EXTENSION=${IMAGE}`, '--platform', `linux/${ARCHITECTURES[cpu]}`, '--tag', `oci:${image}`, context);
      await umoci('unpack', '--rootless', '--image', image, join(folder, `built-${name}-${cpu}`));
      const files = await filesBelow(join(folder, `built-${name}-${cpu}`, 'rootfs'));
      assert.deepEqual(Object.keys(files), ['bootstrap', 'opt', 'opt/extensions', FILE]);
      assert.deepEqual([files[FILE][0], files[FILE][2]], ['755', sumOf(await layerFile(cpu))]);
    }
  });
}

/* --- other folders and users: of the same binaries, that these are the same layer.test.mjs shows ----- */

/* What the script reads, in a folder of another name; a repository if `commits` is true. */
async function another(name, commits = false) {
  const clone = join(folder, name);
  for (const entry of [...SOURCES, 'LICENSE', ...commits ? ['.git'] : []]) {
    const filter = (path) => !/\/(vendor\/cache|layer\/dist)$/.test(path);
    await cp(join(top, entry), join(clone, entry), { recursive: true, filter });
  }
  const parts = ['download/jsmn.h', 'src/bearssl/LICENSE.txt', 'src/musl/COPYRIGHT'].map((part) => `build/vendor/${part}`);
  for (const part of [...parts, ...CPUS.flatMap((cpu) => [`build/${cpu}/${NAME}`, `build/${cpu}/toolchain`])]) {
    await cp(join(top, part), join(clone, part));
  }
  return clone;
}

async function packed(clone, { umask = '022', user = [], env = {} } = {}) {
  const script = `umask ${umask}; exec python3 -B layer/image.py ${CPUS.join(' ')}`;
  const all = { ...process.env, ...env };
  const { stdout } = await run('env', [...user, 'sh', '-c', script], { cwd: clone, env: all });
  return { printed: stdout, files: await filesBelow(join(clone, 'build/image')) };
}

const contents = (files) =>
  Object.fromEntries(Object.entries(files).filter(([, [, , sum]]) => sum !== 'd').map(([path, [, , sum]]) => [path, sum]));

async function revisionIn(clone) {
  const layout = join(clone, 'build/image', NAME);
  const { annotations } = JSON.parse(await skopeo('inspect', '--raw', `oci:${layout}`));
  return annotations[`${KEY}revision`] ?? null;
}

test('another directory and user give the same bytes', async () => {
  const clone = await another('another place', `${KEY}revision` in index.annotations);
  let user = [];
  if (process.getuid() === 0) {
    await run('chmod', ['755', folder]);
    await run('chown', ['-R', `${NOBODY}:${NOBODY}`, clone]);
    user = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
  }
  const env = { HOME: folder, TZ: 'Asia/Tokyo', LANG: 'C.UTF-8', PYTHONHASHSEED: '1' };
  const { printed, files } = await packed(clone, { umask: '077', user, env });
  assert.deepEqual(contents(files), contents(await filesBelow(OUT)));
  assert.ok(printed.includes(`${NAME}:${VERSION}@${digestOf(rawIndex)}`), printed);
});

test('the revision is that of the sources: none where they are changed, or are another repository\'s', async () => {
  const clone = await another('repository');
  const git = async (where, ...words) => (await run('git', ['-c', 'safe.directory=*', '-c', 'user.name=a',
    '-c', 'user.email=a@example.com', ...words], { cwd: where })).stdout.trim();
  await writeFile(join(clone, '.gitignore'), '/build/\n');
  await git(clone, 'init', '--quiet');
  await git(clone, 'add', '.');
  await git(clone, 'commit', '--quiet', '--message', 'sources');
  await packed(clone);
  assert.equal(await revisionIn(clone), await git(clone, 'rev-parse', 'HEAD'));

  await writeFile(join(clone, 'notes'), 'not of the sources');
  await packed(clone);
  assert.notEqual(await revisionIn(clone), null);
  await git(clone, 'config', 'status.showUntrackedFiles', 'no'); // as in large repositories
  await writeFile(join(clone, 'src/new.c'), 'int new;\n');
  await packed(clone);
  assert.equal(await revisionIn(clone), null);

  const inner = await another('outer/inner');
  await git(join(folder, 'outer'), 'init', '--quiet');
  await git(join(folder, 'outer'), 'add', ...SOURCES.map((one) => join('inner', one)));
  await git(join(folder, 'outer'), 'commit', '--quiet', '--message', 'theirs');
  await packed(inner);
  assert.equal(await revisionIn(inner), null);
});

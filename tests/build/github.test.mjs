/*
 * What GitHub runs: the scripts of workflows, with files of their own; and what actionlint does not look at.
 */
import assert from 'node:assert/strict';
import { access, constants, cp, mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../e2e/support/folder.mjs';
import { TOP, call } from './support.mjs';

const NAME = 'kinesis-telemetry-api-extension';
const SCRIPTS = '.github/scripts';
const WORKFLOWS = '.github/workflows';

const text = (path) => readFile(join(TOP, path), 'utf8');
const script = (name, words = [], options = {}) => call(join(options.top ?? TOP, SCRIPTS, name), words, options);

async function put(folder, files) {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}

const folderOf = async (files) => put(await temporaryFolder('github '), files);

/* --- one place says the version, and all others agree --- */

const VERSION = (await text('src/VERSION')).trim();

test('all places say the version of src/VERSION', async () => {
  assert.deepEqual(await script('check_version.sh', [`v${VERSION}`]), { status: 0, stdout: '', stderr: '' });
});

const PLACES = ['src/VERSION', 'cdk/package.json', 'cdk/package-lock.json', '.github/CHANGELOG.md', 'README.md', 'layer/README.md'];

async function cloneWith(path, change) {
  const top = await temporaryFolder('version ');
  await cp(join(TOP, SCRIPTS), join(top, SCRIPTS), { recursive: true });
  for (const one of PLACES) {
    const content = await text(one);
    await put(top, { [one]: one === path ? change(content) : content });
    assert.ok(one !== path || change(content) !== content, path);
  }
  return top;
}

const OTHER = [
  ['a package', 'cdk/package.json', (said) => said.replace(`"version": "${VERSION}"`, '"version": "9.8.7"'), /^cdk\/package\.json says 9\.8\.7, /m],
  ['a lock file', 'cdk/package-lock.json', (said) => said.replace(VERSION, '9.8.7'), /^cdk\/package-lock\.json says 9\.8\.7, /m],
  ['the package in a lock file', 'cdk/package-lock.json',
    (said) => said.replace(new RegExp(`(${VERSION}[^]*?)${VERSION}`), '$19.8.7'), /^cdk\/package-lock\.json, packages says 9\.8\.7, /m],
  ['the change log', '.github/CHANGELOG.md', (said) => said.replace('## 1', '## 9.8.7 - 2030-01-01\n\n## 1'), /^\.github\/CHANGELOG\.md says 9\.8\.7, /m],
  ['an image in a document', 'layer/README.md', (said) => said.replace(`NAME:${VERSION}`, 'NAME:0.9.9'), /layer\/README\.md, .* image NAME, says 0\.9\.9, /m],
  ['a word', 'src/VERSION', () => 'new\n', /^src\/VERSION says new, which is not X\.Y\.Z$/m]
];
for (const [what, path, change, told] of OTHER) {
  test(`another version: ${what}`, async () => {
    const { status, stdout } = await script('check_version.sh', [], { top: await cloneWith(path, change) });
    assert.equal(status, 1);
    assert.match(stdout, told);
  });
}

for (const tag of ['v9.8.7', VERSION, `v${VERSION}-rc1`]) {
  test(`the tag ${tag} is not that of the version`, async () => {
    const { status, stdout } = await script('check_version.sh', [tag]);
    assert.equal(status, 1);
    assert.ok(stdout.startsWith(`the tag ${tag}`), stdout);
  });
}

/* --- the text of a release --- */

const LOG = '# Log\n\n## Promises\n\nmany\n\n## 1.1.0 - 2026-01-02\n\n### Added\n\n- one\n\n- two\n\n## 1.0.0\n\nfirst\n## 0.9.0\n\n';
const NOTES = [
  ['1.1.0', 0, '### Added\n\n- one\n\n- two\n'],
  ['1.0.0', 0, 'first\n'],
  ['0.9.0', 1, ''],
  ['1.0', 1, ''],
  ['1.1.00', 1, '']
];
for (const [version, status, stdout] of NOTES) {
  test(`the notes of ${version}`, async () => {
    const folder = await folderOf({ 'log.md': LOG });
    const got = await script('notes.sh', [version, join(folder, 'log.md')]);
    assert.deepEqual([got.status, got.stdout], [status, stdout]);
    assert.equal(got.stderr !== '', status !== 0);
  });
}

test('the change log says something of this version, and of no other', async () => {
  const { status, stdout } = await script('notes.sh', [VERSION]);
  assert.equal(status, 0);
  assert.match(stdout, /^\* /m);
  assert.doesNotMatch(stdout, /^## /m);
});

/* --- two builds --- */

const BUILT = { 'a.zip': 'one', 'sub/b': 'two' };
const BUILDS = [
  ['the same', BUILT, 0, /^the same: a\.zip [0-9a-f]{64}\nthe same: sub\/b [0-9a-f]{64}\n$/],
  ['a byte', { ...BUILT, 'sub/b': 'twp' }, 1, /^differs: sub\/b [0-9a-f]{64} [0-9a-f]{64}$/m],
  ['a file more', { ...BUILT, c: '' }, 1, /^only in .*: c$/m],
  ['a file less', { 'a.zip': 'one' }, 1, /^only in .*: sub\/b$/m],
  ['nothing', {}, 2, /^$/]
];
for (const [what, other, status, told] of BUILDS) {
  test(`two builds are compared: ${what}`, async () => {
    const got = await script('compare.sh', [await folderOf(BUILT), await folderOf(other)]);
    assert.equal(got.status, status, got.stderr);
    assert.match(got.stdout, told);
  });
}

/* --- what is published --- */

const MADE = {
  [`layer/dist/${NAME}.zip`]: 'z', [`layer/dist/${NAME}-arm64.zip`]: 'a', [`layer/dist/${NAME}.cdx.json`]: '{}', 'layer/dist/SHA256SUMS': 'old',
  [`build/image/${NAME}.cdx.json`]: '{}', [`build/image/${NAME}.oci.tar`]: 't', [`build/image/${NAME}/index.json`]: 'i'
};

async function built(files) {
  const top = await folderOf(files);
  await cp(join(TOP, SCRIPTS), join(top, SCRIPTS), { recursive: true });
  return top;
}

test('a release has zips, image, bill of materials, and the sums of these', async () => {
  const top = await built(MADE);
  const dist = join(top, 'dist');
  assert.equal((await script('gather.sh', [dist], { top })).status, 0);
  assert.deepEqual((await readdir(dist)).sort(), ['SHA256SUMS', `${NAME}-arm64.zip`, `${NAME}.cdx.json`, `${NAME}.oci.tar`, `${NAME}.zip`].sort());
  const checked = await call('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: dist });
  assert.equal(checked.stdout.match(/: OK$/gm).length, 4);
});

test('no release has two bills of materials', async () => {
  const top = await built({ ...MADE, [`build/image/${NAME}.cdx.json`]: '{"another":1}' });
  const { status, stderr } = await script('gather.sh', [join(top, 'dist')], { top });
  assert.equal(status, 1);
  assert.match(stderr, /bill of materials/);
});

test('each file is signed once, and a failure ends it', async () => {
  const folder = await folderOf({ 'bin/cosign': '#!/bin/sh\n[ -f "$5" ] && echo "$@" && : >"$4"\n', 'dist/a.zip': '', 'dist/b c': '' });
  const env = { PATH: `${join(folder, 'bin')}:${process.env.PATH}` };
  await call('chmod', ['+x', join(folder, 'bin/cosign')]);
  const sign = () => script('sign.sh', [join(folder, 'dist')], { env });
  const wanted = ['a.zip', 'b c'].map((name) => `sign-blob --yes --bundle ${name}.sigstore.json ${name}\n`).join('');
  assert.deepEqual(await sign(), { status: 0, stdout: wanted, stderr: '' });
  assert.equal((await sign()).stdout, wanted, 'signatures are not signed');
  await put(folder, { 'bin/cosign': '#!/bin/sh\nexit 3\n' });
  assert.equal((await sign()).status, 3);
});

/* --- workflows --- */

const workflows = await Promise.all((await readdir(join(TOP, WORKFLOWS))).map(async (name) => [name, await text(`${WORKFLOWS}/${name}`)]));
const reference = (await text('vendor/reference')).match(/^image docker\.io\/library\/(\S+)$/m)[1];
const help = await text('build.sh');

/* Words of build.sh, at steps and in a matrix. */
function commandsOf(workflow) {
  const listed = [...workflow.matchAll(/command: \[(.*)\]$/gm)].flatMap(([, list]) => list.split(', '));
  const single = [...workflow.matchAll(/(?:command: |^ *(?:- run: )?\.\/build\.sh )([a-z-].*?)(?: \}|$)/gm)].map(([, one]) => one);
  return [...listed, ...single].filter((one) => !one.startsWith('--'));
}

for (const [name, workflow] of workflows) {
  test(`${name}: actions are those of a commit, of which the version is told`, () => {
    for (const [, action] of workflow.matchAll(/uses: (.*)$/gm)) {
      assert.match(action, /^(\.\/\.github\/\S+|[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/);
    }
  });

  test(`${name}: may read, but for jobs that say what else, and a clone keeps no token`, () => {
    assert.match(workflow, /^permissions:\n {2}contents: read\n\n/m);
    assert.equal(workflow.match(/actions\/checkout@/g)?.length, workflow.match(/persist-credentials: false/g)?.length);
    for (const [, right] of workflow.matchAll(/^ {6}(\S+): write$/gm)) {
      assert.ok(name === 'release.yml' && ['contents', 'id-token', 'attestations'].includes(right), right);
    }
  });

  test(`${name}: runs in the reference system what build.sh has, and scripts that are there`, async () => {
    const images = [...workflow.matchAll(/(?:image|system): '?([a-z]+:[\w.]+)/g)].map(([, image]) => image);
    assert.ok(images.includes(reference), images.join());
    assert.notDeepEqual(commandsOf(workflow), []);
    for (const command of commandsOf(workflow)) {
      const [first, part] = command.split(' ');
      assert.match(help, new RegExp(`^ {2}${first}${first === 'test' && part ? ` (.*, )?${part}\\b` : '\\b'}`, 'm'), command);
    }
    for (const [path] of workflow.matchAll(/\.github\/scripts\/\w+\.sh/g)) {
      await access(join(TOP, path), constants.X_OK);
    }
  });
}

test('an action has the same commit everywhere', () => {
  const commits = new Map();
  for (const [, action, commit] of workflows.flatMap(([, workflow]) => [...workflow.matchAll(/uses: ([\w/-]+)@(.*)$/gm)])) {
    assert.equal(commits.get(action) ?? commit, commit, action);
    commits.set(action, commit);
  }
  assert.ok(commits.size >= 5);
});

const MANIFESTS = { npm: 'package-lock.json', pip: 'requirements.txt', gomod: 'go.mod', 'github-actions': '.github/workflows' };

test('dependabot looks where manifests are', async () => {
  const updates = (await text('.github/dependabot.yml')).split('- package-ecosystem: ').slice(1);
  assert.equal(updates.length, 4);
  for (const update of updates) {
    const manifest = MANIFESTS[update.match(/^\S+/)[0]];
    for (const folder of update.match(/director(?:y|ies): \[?(.*?)\]?$/m)[1].split(', ')) {
      await stat(join(TOP, folder, manifest));
    }
  }
});

/* --- the development container --- */

test('the development container is the reference system, with a user who may install', async () => {
  const container = JSON.parse(await text('.devcontainer/devcontainer.json'));
  const recipe = await text(`.devcontainer/${container.build.dockerfile}`);
  assert.match(recipe, new RegExp(`^FROM docker\\.io/library/${reference}$`, 'm'));
  assert.match(recipe, new RegExp(`^USER ${container.remoteUser}$`, 'm'));
  assert.match(recipe, new RegExp(`useradd .* ${container.remoteUser} `));
  assert.notEqual(container.remoteUser, 'root');
  assert.match(help, new RegExp(`^ {2}${container.postCreateCommand.match(/^\.\/build\.sh (\w+)$/)[1]} `, 'm'));
});

/*
 * ./build.sh verify: what is said of files that are not what the sources make, and where it rebuilds. The rebuild is
 * played here; that it gives the same bytes anywhere is in reference.test.mjs.
 */
import assert from 'node:assert/strict';
import { access, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { snippet } from '../e2e/support/documents.mjs';
import { temporaryFolder, removeFolder } from '../e2e/support/folder.mjs';
import { FEDORA, TOP, call, newMachine } from './support.mjs';

const NAME = 'kinesis-telemetry-api-extension';
const ZIP = join(TOP, 'layer/dist', `${NAME}-x86_64.zip`);
const PACKER = (await readFile(join(TOP, 'vendor/reference'), 'utf8')).match(/^package advancecomp (.*)$/m)[1];
const VERSION = (await readFile(join(TOP, 'src/VERSION'), 'utf8')).trim();
const START = `extensions/${NAME}`;
const BILL = `${NAME}/sbom.cdx.json`;
const PAPERS = [`${NAME}/LICENSES`, BILL];
const SHARED = [START, ...PAPERS];

/* --- what differs ------------------------------------------------------------------------------ */

const one = (what, symbol = '') => new RegExp(`^${what}: 1 byte differs, at 0x[0-9a-f]+${symbol}$`);
/* The case of altered.py, and each line about it. Those of a binary are said of it alone, and as part of a zip. */
const BINARIES = [
  ['.text', one('\\.text', ', in \\w+')],
  ['.rodata', one('\\.rodata', '(, in \\S+)?')],
  ['.data', one('\\.data', '(, in \\S+)?')],
  ['.data.rel.ro', one('\\.data\\.rel\\.ro', '(, in \\S+)?')],
  ['.dynamic', one('\\.dynamic')],
  ['.got', one('\\.got', '(, in \\S+)?')],
  ['.rela.dyn', one('\\.rela\\.dyn \\(the packed relocations\\)')],
  ['.eh_frame', one('the gap between \\.rodata and \\.data\\.rel\\.ro')],
  ['in main', one('\\.text', ', in main')],
  ['header', one('ELF header')],
  ['program headers', one('program headers')],
  ['first byte', one('ELF header')],
  ['class', one('ELF header')],
  ['CPU', one('ELF header')],
  ['with list of sections', /^ELF header: \d bytes differ, the first, at 0x28$/],
  ['longer', /^behind its end: 1 byte more$/],
  ['shorter', /^cut off in \.data: 1 byte missing at the end$/]
];
const FILES = [
  ['launcher', [/^line 13 is ".*arm64; b"… instead of ".*arm64 &&"…$/], START],
  ['first byte of one of two', [/^ELF header: 1 byte differs, at 0x0$/], `${NAME}/arm64`],
  ['other binary', [/^behind its end: 4 bytes more$/], `${NAME}/arm64`],
  ['licences', [/^line 3 is "TIM License" instead of "MIT License"$/], `${NAME}/LICENSES`],
  ['bill written otherwise', [/^has the same data, written otherwise$/], BILL],
  ['bill with a name of two lines',
    [/^a\\x0aother\.zip: same: each of its 5 bytes\\x1b\[2J\\xd800 is 0, rebuilt missing$/], BILL],
  ['bill is none', [/^is no JSON$/], BILL],
  ['version', [`${BILL}: metadata.component.version is "99", rebuilt "${VERSION}"`,
    'it says that it is version 99; --commit takes another commit than this']],
  ['by other compilers, another mode', [`${START}: mode 100777 instead of 100755`, /description/, /description/,
    /it says that gcc \(Debian 14/, /it says that aarch64-linux-gnu-gcc \(Debian 14/]],

  ['mode', [/^1 byte of the zip differs, at 0x[0-9a-f]+, in the directory's entry of extensions\/[a-z-]+$/,
    `${START}: mode 100644 instead of 100755`]],
  ['date', [/^date 2026-01-02 instead of 1980-01-01$/], START],
  ['extra', [/^extra 9 bytes instead of 0 bytes$/], START],
  ['comment of a member', [/^comment 5 bytes instead of 0 bytes$/], START],
  ['made by', [/^1 byte of the zip differs, at 0x[0-9a-f]+, in the directory's entry of extensions\/[a-z-]+$/,
    `${START}: made by (system and version) 20 instead of 788`]],
  ['order', ['the directory has the members in another order']],
  ['missing', [`${BILL}: is missing`]],
  ['more', ['extensions/other: is not in the rebuilt zip']],
  ['one name twice', [`2 members have one name, ${START}`, `${START}: is no binary for x86_64`]],
  ['another name before the data', [/^1 byte of the zip differs, at 0x[0-9a-f]+, in the head of extensions\/[a-z-]+$/,
    new RegExp(`^${START}: has another name before its data than in the directory, "extensions`)]],
  ['another size before the data', [/^has another size before its data, 7, than in the directory, \d+$/], START],
  ['wrong checksum', [/^has another checksum \(CRC-32\) than its directory says$/], START],
  ['bytes between members', [`6 bytes between its parts, before the head of ${NAME}/LICENSES`]],
  ['bytes before', [`10 bytes between its parts, before the head of ${START}`]],

  ['damaged before all', [`1 byte of the zip differs, at 0x1, in the head of ${START}`,
    /^\d+ bytes between its parts, before the head of [a-z-]+\/LICENSES$/,
    `${START}: does not begin where the directory says, at byte 0`]],
  ['damaged, and cannot be unpacked', [/^1 byte of the zip differs, at 0x\w+, in the data of extensions\/[a-z-]+$/,
    `${START}: is damaged: it cannot be unpacked`,
    new RegExp(`^${START}: before the damage it is the same up to 0x[0-9a-f]+, in \\.text, in \\w+$`)]],
  ['damaged bill', ['bomFormat is "BycloneDX", rebuilt "CycloneDX"']],
  ['thousands of members', [/^its directory has more than 1000 entries/]],
  ['image, deep', [/^is no image: maximum recursion depth/]],
  ['image, odd', [/^is no image: 'int' object has no/]],
  ['image, empty', [/^is no image: not enough values/]],
  ['image, sparse', [/^is no image: /]],
  ['appended', ['4 bytes appended behind its end']],
  ['comment', ['it has a comment of 5 bytes, "hello"']],
  ['end in a comment', ['it has more than one end of a directory: programs see one or the other',
    /^it has a comment of 22 bytes, "PK\\x05\\x06/]],
  ['cut in a member', [new RegExp(`^is cut off after 5000 of \\d+ bytes, in the data of ${START}; so far it is the same$`)]],
  ['cut in the directory', [/^is cut off after \d+ of \d+ bytes, in the directory's entry of \S+sbom\.cdx\.json; so far/]],
  ['cut by a byte', [/^is cut off after \d+ of \d+ bytes, in the end of the directory; so far it is the same$/]],
  ['compressed otherwise', SHARED.map((name) => `${name}: contents are equal, compressed otherwise`)],
  ['stored', SHARED.flatMap((name) =>
    [`${name}: method 0 instead of 8`, `${name}: contents are equal, compressed otherwise`])],

  ['signed, altered', [`${START}: .text: 1 byte differs`, 'it is signed, and differs in more than the signature']],
  ['signed, another name before the signature', [/^META_INF\/aws_signer_signature_v1\.0\.SF: has another name before its data/,
    'it is signed, and differs in more than the signature']],
  ['signed, a damaged signature', [/^META_INF\/aws_signer_signature_v1\.0\.SF: has another checksum/,
    'it is signed, and differs in more than the signature']],
  ['signed, a link', ['META_INF/: mode 120777 is neither a file\'s nor a folder\'s', 'META_INF/: is a folder, and has 13 bytes',
    'it is signed, and differs in more than the signature']],
  ['signed, more', ['META_INF/run.sh: is not in the rebuilt zip', 'it is signed, and differs in more than the signature']],
  ['signed, another mode', [`${START}: mode 100644 instead of 100755`,
    'it is signed, and differs in more than the signature']],

  ['image of another commit', [/^amd64 config\.json: .*\.revision is "0{40}"/, /^arm64 config\.json: .*\.revision is "0{40}"/,
    'all but the commit that it names is the same; --commit takes that commit']],
  ['image with another binary', [/^amd64 config\.json: rootfs\.diff_ids\[0\]/,
    `amd64 /opt/extensions/${NAME}: .text: 1 byte differs`]],
  ['image with another file', ['blobs/sha256/more: belongs to no image']],
  ['image with a name of two lines', [/^blobs\/a\\x0aother\.zip: same: belongs to no image$/]],
  ['image, appended', [/^its image is the same, by its digest; byte \d+ of the archive differs$/]],
  ['image, a damaged blob', [/^is no image: a layer is damaged: CRC check failed/]]
];

let altered;
const answers = new Map();

function read(stdout) {
  for (const block of stdout.split(/\n(?=\S)/)) {
    const [head, ...lines] = block.trimEnd().split('\n');
    const [, name, headline] = head.match(/^(.+?): (.*)$/);
    answers.set(name, { headline, lines: lines.map((line) => line.trim()) });
  }
}

function compare(files, packer = PACKER) {
  return call('python3', ['-B', join(TOP, 'layer/verify.py'), TOP, 'the commit', packer, ...files], {});
}

before(async () => {
  altered = await temporaryFolder('altered ');
  const made = await call('python3', ['-B', join(TOP, 'tests/build/altered.py'), altered], {});
  assert.equal(made.status, 0, made.stderr);
  const files = (await readdir(altered)).map((name) => join(altered, name));
  const { status, stdout, stderr } = await compare(files);
  assert.deepEqual([status, stderr], [1, '']);
  read(stdout);
});
after(() => removeFolder(altered));

function check(name, wanted, headline = 'differs from what the commit builds') {
  const answer = answers.get(name);
  assert.equal(answer.headline, headline);
  assert.equal(answer.lines.length, wanted.length, answer.lines.join('\n'));
  wanted.forEach((line, i) => {
    const fits = line instanceof RegExp ? line.test(answer.lines[i]) : answer.lines[i].startsWith(line);
    assert.ok(fits, `${answer.lines[i]} is not ${line}`);
  });
}

for (const [name, line] of BINARIES) {
  test(`a binary, altered: ${name}`, () => {
    check(`binary ${name} alone`, [line]);
    check(`binary ${name}`, [new RegExp(line.source.replace('^', `^${START}: `))]);
  });
}
for (const [name, lines, member] of FILES) {
  test(`${name}: its lines, and no other`, () => {
    check(name, member ? lines.map((line) => new RegExp(line.source.replace('^', `^${member}: `))) : lines);
  });
}
test('a damaged zip, one that is empty, one that is none: nothing of it passes', () => {
  assert.match(answers.get('damaged').headline, /^differs/);
  assert.match(answers.get('damaged').lines[0], new RegExp(`^1 byte of the zip differs, at 0xfa0, in the data of ${START}$`));
  for (const name of ['nothing', 'no zip']) {
    check(name, [], 'is neither a zip nor anything else that this builds');
  }
});

test('a bomb: most of it is not looked at', () => {
  const { lines } = answers.get('bomb');
  assert.equal(lines.filter((line) => /^\d+: is not in the rebuilt zip$/.test(line)).length, 200);
});

test('signed: the members besides the signature are the same', async () => {
  check('signed', [],
    'signed: the members besides the signature are the same as the commit builds; the signature itself is not looked at');
  assert.equal((await compare([join(altered, 'signed')])).status, 0);
});

test('an image as others copy it: the same by its digest', async () => {
  check('image without Docker\'s list', [],
    'same: the image is the one that the commit builds, by its digest; what it lies in is not compared');
  const { status, stdout } = await compare([join(altered, 'image without Docker\'s list'), join(TOP, 'build/image', NAME)]);
  assert.equal(status, 0, stdout);
});

test('all that is built is the same as itself, whatever it is called', async () => {
  const files = [ZIP, join(TOP, 'layer/dist', `${NAME}.zip`), join(TOP, 'layer/dist', `${NAME}.cdx.json`),
    join(TOP, 'build/image', `${NAME}.oci.tar`), join(TOP, 'build/arm64', NAME)];
  const { status, stdout } = await compare([...files, join(altered, 'binary for another CPU alone')]);
  assert.equal(status, 0, stdout);
  assert.equal(stdout.match(/: same: each of its \d+ bytes is that of /g).length, files.length + 1);
});

test('made by other compilers, as it says: it cannot be told, with what differs all the same', async () => {
  const { headline, lines } = answers.get('by other compilers');
  assert.equal(headline, 'cannot tell: rebuilt by other tools, which make other bytes');
  assert.match(lines[0], /\.text: 1 byte differs/);
  assert.match(lines.at(-2), /^it says that gcc \(Debian 14\.2\.0-19\).* made it for x86_64; rebuilt by gcc \(Debian/);
  assert.equal((await compare([join(altered, 'by other compilers')])).status, 3);
  assert.equal((await compare([join(altered, 'by other compilers'), join(altered, 'mode')])).status, 1);
});

test('a name that the terminal cannot show, a terminal that cannot show what is said: both are answered', async () => {
  const file = join(altered, 'ein „mode"');
  await writeFile(file, await readFile(join(altered, 'mode')));
  const { status, stdout, stderr } = await call('python3', ['-B', join(TOP, 'layer/verify.py'), TOP, 'c', PACKER, file],
    { env: { ...process.env, PYTHONIOENCODING: 'ascii' } });
  assert.deepEqual([status, stderr], [1, '']);
  assert.match(stdout, /^ein \\u201emode": differs from what c builds\n/);
});

test('packed by another version: other bytes of the same contents mean nothing', async () => {
  const { status, stdout } = await compare([join(altered, 'compressed otherwise')], '2.6-1');
  assert.equal(status, 3, stdout);
  assert.match(stdout, /zips are packed by advancecomp \S+; rebuilt with 2\.6-1/);
});

/* --- where it is rebuilt ----------------------------------------------------------------------- */

/* What the commit's build.sh does: brings what was built here, and tells how it was called. */
const PLAYED = (record, more = '') => `#!/bin/sh
set -e
{ echo "$*"; ls build/vendor/download; env; } >>'${record}'
${more}
[ "$1" = layer ] || exit 0
cp -r '${TOP}/layer/dist' layer/dist
cp -r '${TOP}/build/image' build/image
for cpu in x86_64 arm64; do
    mkdir -p build/$cpu/obj/src
    cp '${TOP}'/build/$cpu/${NAME} '${TOP}'/build/$cpu/toolchain build/$cpu/
    ln -s '${TOP}'/build/$cpu/obj/src/${NAME}.debug build/$cpu/obj/src/
done
`;
const AS_REFERENCE = { 'dpkg-query': `printf ${PACKER}` };
const GIT = ['-c', 'user.name=a', '-c', 'user.email=a@localhost', '-c', 'safe.directory=*'];

async function committed(machine, text) {
  const door = join(machine.top, 'build.sh');
  const real = await readFile(door, 'utf8');
  await writeFile(door, text);
  for (const words of [['init', '--quiet'], ['add', '--all'], ['commit', '--quiet', '--message', 'played']]) {
    const done = await call('git', [...GIT, '-C', machine.top, ...words], {});
    assert.equal(done.status, 0, done.stderr);
  }
  await writeFile(door, real);
}

async function machineWith(options = {}, more = '') {
  const machine = await newMachine({ lacks: ['docker', 'podman', 'mmdebstrap'], ...options });
  machine.record = join(machine.folder, 'called');
  await committed(machine, PLAYED(machine.record, more));
  return machine;
}

async function leftBehind(machine) {
  return (await readdir(join(machine.top, 'build')).catch(() => [])).filter((name) => name.startsWith('verify.'));
}

test('here: from the commit alone, without the caller\'s environment, and nothing is left', async () => {
  const machine = await machineWith({ stands: AS_REFERENCE });
  const pins = await readFile(join(machine.top, 'vendor/pins'), 'utf8');
  const download = join(TOP, 'build/vendor/download');
  await mkdir(join(machine.top, 'vendor/cache'), { recursive: true });
  await writeFile(join(machine.top, 'vendor/cache/jsmn.h'), await readFile(join(download, 'jsmn.h')));
  await writeFile(join(machine.top, 'vendor/cache/musl_1.2.3.orig.tar.gz'), 'another');
  assert.ok(pins.includes('jsmn.h'));
  await writeFile(join(machine.folder, 'a zip'), await readFile(ZIP));

  const env = { MAKEFLAGS: '-n', CPATH: '/nowhere', http_proxy: 'http://proxy:1' };
  const { status, stdout, stderr } = await machine.build(['verify', '--in', 'here', 'a zip', ZIP],
    { cwd: machine.folder, env });
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^a zip: same: each of its \d+ bytes is that of \S+-x86_64\.zip, as commit [0-9a-f]{12} \(version /);
  assert.match(stderr, /^verify: what is changed here and not committed is not looked at$/m);
  assert.match(stderr, /^verify: building commit [0-9a-f]{12} \(version [0-9.]+\) in \S+ \S+ \S+$/m);
  const called = await readFile(machine.record, 'utf8');
  assert.deepEqual(called.match(/^(layer|image)$/gm), ['layer', 'image']);
  assert.match(called, /^jsmn\.h$/m);
  assert.doesNotMatch(called, /^musl|^MAKEFLAGS|^CPATH/m, 'what the pins do not have is not taken over');
  assert.match(called, /^http_proxy=http:\/\/proxy:1$/m);
  assert.deepEqual(await leftBehind(machine), []);
});

test('another commit: what it builds, whatever HEAD is', async () => {
  const machine = await machineWith({ stands: AS_REFERENCE });
  const first = (await call('git', [...GIT, '-C', machine.top, 'rev-parse', 'HEAD'], {})).stdout.trim();
  await writeFile(join(machine.top, 'src/VERSION'), '9.9.9\n');
  await committed(machine, '#!/bin/sh\nexit 1\n');
  const failed = await machine.build(['verify', '--in', 'here', ZIP]);
  assert.equal(failed.status, 3, failed.stderr);
  assert.match(failed.stderr, /cannot tell: commit [0-9a-f]{12} \(version 9\.9\.9\) could not be built\n$/);
  const { status, stdout, stderr } = await machine.build(['verify', '--in', 'here', '--commit', first.slice(0, 9), ZIP]);
  assert.equal(status, 0, stderr);
  assert.ok(stdout.includes(`as commit ${first.slice(0, 12)} (version ${VERSION}) builds it`), stdout);
});

test('differs: status 1, on standard output what', async () => {
  const machine = await machineWith({ stands: AS_REFERENCE });
  const { status, stdout } = await machine.build(['verify', '--in', 'here', ZIP, join(altered, 'binary in main')]);
  assert.equal(status, 1);
  assert.match(stdout, /: same: .*\nbinary in main: differs from what commit .*\n {2}extensions\/.*: \.text: 1 byte/);
});

/* What layer/README.md shows, with the binary altered as it says. */
test('the manual: the command as printed says what is printed', async () => {
  const machine = await machineWith({ stands: AS_REFERENCE });
  await writeFile(join(machine.top, 'downloaded.zip'), await readFile(join(altered, 'binary in main')));
  const printed = snippet('verifying');
  assert.match(printed, /^\.\/build\.sh verify downloaded\.zip\n$/);
  const words = printed.replace('verify', 'verify --in here').trim().split(' ').slice(1);
  const { status, stdout } = await machine.build(words);
  assert.equal(status, 1);
  const shape = (text) => text.replace(/commit [0-9a-f]{12} \(version [0-9.]+\)/, 'commit').replace(/0x[0-9a-f]+/, 'at');
  assert.equal(shape(stdout), shape(snippet('verified')));
});

const WRONG = [
  ['no file', []],
  ['a file that is not there', ['--in', 'here', 'nothing']],
  ['an unknown place', ['--in', 'there', ZIP]],
  ['an unknown option', ['--hard', ZIP]],
  ['an option without its word', ['--commit']]
];
test('wrong usage: status 2, and nothing is begun', async () => {
  const machine = await machineWith();
  for (const [what, words] of WRONG) {
    const { status, stdout, stderr } = await machine.build(['verify', ...words]);
    assert.deepEqual([status, stdout], [2, ''], what);
    assert.ok(stderr.length > 0, what);
  }
  await assert.rejects(access(machine.record));
});

test('a commit that is none; no repository: it cannot be told', async () => {
  const machine = await machineWith({ stands: AS_REFERENCE });
  const none = await machine.build(['verify', '--in', 'here', '--commit', 'nothing', ZIP]);
  assert.equal(none.status, 3);
  assert.match(none.stderr, /^verify: cannot tell: this is no clone of the repository, or nothing is no commit of it$/m);
  const bare = await newMachine({ stands: AS_REFERENCE });
  assert.equal((await bare.build(['verify', '--in', 'here', ZIP])).status, 3);
});

test('a commit without a version: it cannot be told', async () => {
  const machine = await machineWith({ stands: AS_REFERENCE });
  await rm(join(machine.top, 'src/VERSION'));
  await committed(machine, PLAYED(machine.record));
  const { status, stderr } = await machine.build(['verify', '--in', 'here', ZIP]);
  assert.equal(status, 3, stderr);
  assert.match(stderr, /^verify: cannot tell: HEAD has no src\/VERSION$/m);
});

test('called by a hook of git: its repository is neither asked nor touched', async () => {
  const machine = await machineWith({ stands: AS_REFERENCE });
  const other = await machineWith();
  const env = { GIT_DIR: join(other.top, '.git'), GIT_WORK_TREE: other.top, GIT_INDEX_FILE: join(other.top, '.git/index') };
  const before = await readFile(join(other.top, '.git/HEAD'), 'utf8');
  assert.match(before, /^ref: /);
  const { status, stdout, stderr } = await machine.build(['verify', '--in', 'here', ZIP], { env });
  assert.equal(await readFile(join(other.top, '.git/HEAD'), 'utf8'), before);
  assert.equal(status, 0, stdout + stderr);
});

test('a package is missing and cannot be installed: neither can it be told', async () => {
  const machine = await machineWith({ lacks: ['advzip'], stands: { id: 'echo 1000', sudo: 'exit 1' } });
  const { status, stderr } = await machine.build(['verify', ZIP]);
  assert.equal(status, 3);
  assert.match(stderr, /missing packages; please run: .*advancecomp\n$/);
});

const OTHER = { gcc: 'case $1 in --version) echo "gcc (Other) 99.1" ;; *) echo ld ;; esac' };

test('another system without a way into the reference: status 3, with what is other and what would help', async () => {
  const machine = await machineWith({ system: FEDORA, stands: OTHER });
  const { status, stdout, stderr } = await machine.build(['verify', ZIP]);
  assert.deepEqual([status, stdout], [3, ''], stderr);
  assert.match(stderr, /cannot tell: the reference system is debian 12 x86_64, with other tools than here:\n/);
  assert.match(stderr, /^compiler and linker for x86_64: gcc \(Other\) 99\.1, /m);
  assert.match(stderr, /docker or podman, or to be root with mmdebstrap/);
  await assert.rejects(access(machine.record), 'nothing is built');
});

test('with --in here it is compared all the same, after a word about it', async () => {
  const machine = await machineWith({ system: FEDORA, stands: { ...OTHER, 'dpkg-query': 'exit 1' } });
  const { status, stderr } = await machine.build(['verify', '--in', 'here', ZIP]);
  assert.equal(status, 0, stderr);
  assert.match(stderr, /not the reference system, debian 12 x86_64: .*compiler and linker for x86_64: gcc \(Other\)/s);
});

/* What docker is called with last, and a status of its choice. */
const docker = (statuses) => `
case $1 in
info) echo ;;
build) cat >/dev/null; exit ${statuses.build ?? 0} ;;
run) printf '%s\\n' "$@" >"$HOME/run.call"; for file; do :; done; cp "$file" "$HOME/got"; exit ${statuses.run ?? 0} ;;
*) echo docker ;;
esac`;

for (const [words, what] of [[['verify'], 'another system with docker'], [['container', 'verify'], 'container verify']]) {
  test(`${what}: all of it runs inside, on a copy`, async () => {
    const machine = await machineWith({ system: FEDORA, lacks: ['podman'], stands: { ...OTHER, docker: docker({ run: 1 }) } });
    const { status, stderr } = await machine.build([...words, ZIP]);
    assert.equal(status, 1, stderr);
    const run = (await readFile(join(machine.folder, 'run.call'), 'utf8')).trimEnd().split('\n');
    assert.deepEqual(run.slice(-6, -1), [join(machine.top, 'build.sh'), 'verify', '--in', 'here', '--commit', 'HEAD'].slice(1));
    assert.ok(dirname(run.at(-1)).startsWith(join(machine.top, 'build/verify.')), run.at(-1));
    assert.deepEqual(await readFile(join(machine.folder, 'got')), await readFile(ZIP));
    assert.deepEqual(await leftBehind(machine), []);
  });
}

test('a worktree, of which a container would see no repository: that is said, and none is begun', async () => {
  const machine = await machineWith({ system: FEDORA, lacks: ['podman'], stands: { ...OTHER, docker: docker({}) } });
  await rename(join(machine.top, '.git'), join(machine.folder, 'repository'));
  await writeFile(join(machine.top, '.git'), `gitdir: ${join(machine.folder, 'repository')}\n`);
  const { status, stderr } = await machine.build(['verify', ZIP]);
  assert.equal(status, 3, stderr);
  assert.match(stderr, /^verify: cannot tell: a container sees this folder alone, and it has no whole repository/m);
  await assert.rejects(access(join(machine.folder, 'run.call')));
});

for (const [what, statuses] of [['no image', { build: 1 }], ['docker itself fails', { run: 125 }]]) {
  test(`${what}: it cannot be told`, async () => {
    const machine = await machineWith({ system: FEDORA, lacks: ['podman'], stands: { ...OTHER, docker: docker(statuses) } });
    assert.equal((await machine.build(['verify', ZIP])).status, 3);
  });
}

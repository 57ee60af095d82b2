/*
 * What commands are asked for, looked at without running them: each throws if there is no such command, option or file.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { rows } from '../e2e/support/fault_rows.mjs';
import { SERVERS } from '../e2e/support/local_servers.mjs';
import { CASES } from '../bench/measures.mjs';
import { readArguments } from '../platform/cli.mjs';
import { TOP, read } from '../tidy/tree.mjs';
import { table } from './documents.mjs';

const run = promisify(execFile);

const BUILD_SH = read('build.sh');
const HELP = BUILD_SH.match(/<<'END'\n([^]*?)\nEND\n/)[1];
/* build.sh up to where it has looked at its command. */
const LOOKING = BUILD_SH.slice(0, BUILD_SH.indexOf('\ncommand=$1'));

/* --- ./build.sh -------------------------------------------------------------------------------- */

const one = (words) => (word) => words.includes(word);
const file = (...paths) => (word) => paths.some((path) => existsSync(join(TOP, path.replace('*', word))));
const number = (word) => /^\d+$/.test(word);
const either = (...rules) => (word) => rules.some((rule) => rule(word));
const any = () => true;
const NONE = () => false;

const END_TO_END = file('tests/e2e/*.test.mjs', 'tests/platform/*.test.mjs', '*');
const TARGETS = file('tests/fuzz/fuzz_*.c');

/* What each word behind a command may be; those that are not here take none. */
const WORDS = {
  'test unit': file('tests/unit/test_*.c'),
  'test corpora': TARGETS,
  'test fuzz': TARGETS,
  'test e2e': END_TO_END,
  'test arm64': END_TO_END,
  'test bare': (word) => read('tests/build/bare.sh').includes(word),
  tidy: one(['--fix']),
  fuzz: either(number, TARGETS),
  simulate: number,
  mutants: file('src/protocol/*.c'),
  demo: either((word) => word.startsWith('/'), (word) => read('tests/e2e/demo.mjs').includes(`  ${word} `)),
  faults: either(one(['--list', '--markdown', 'black-hole']), (word) => rows.some(({ name }) => name.startsWith(word))),
  'local-servers': one(Object.keys(SERVERS)),
  endurance: one(read('tests/e2e/endurance.mjs').match(/^const cases = \{ (.*) \};$/m)[1].split(', ')),
  bench: one(CASES),
  clean: one(['all']),
  '--version': one(['--verbose'])
};

async function buildSh(words) {
  const [command = 'build', ...rest] = words;
  if (command === 'container') {
    await buildSh(rest);
    return;
  }
  await run('/bin/sh', ['-c', LOOKING, './build.sh', command, ...rest], { cwd: TOP });
  const name = command === 'test' && rest.length > 0 ? `test ${rest.shift()}` : command;
  /* A command that came later and takes words: its line of the help says which. */
  const rule = WORDS[name] ?? (new RegExp(`\n {2}${command} (\\[|[A-Z])`).test(HELP) ? any : NONE);
  /* MODULE and the like stand for a word of the reader's. */
  const wrong = rest.filter((word) => !rule(word) && !(rule !== NONE && /^[A-Z]{3,}$/.test(word)));
  assert.deepEqual(wrong, [], `./build.sh ${name} knows nothing of`);
}

/* --- others ------------------------------------------------------------------------------------ */

/* Each option has to be in a text, as a whole word. */
function optionsIn(text, args, what) {
  const wrong = args.filter((word) => /^--?[a-z]/.test(word)).map((word) => word.replace(/=.*/, ''))
    .filter((option) => !new RegExp(`(^|[\\s,\\[|"])${option}(?![\\w-])`, 'm').test(text));
  assert.deepEqual(wrong, [], `${what} has no such options`);
}

/* Of programs whose help says less than it should, or that are not here, what counts is only that they are asked. */
async function helpOf(program, ...words) {
  try {
    const { stdout, stderr } = await run(program, words, { env: { ...process.env, NODE_NO_WARNINGS: '1' } });
    return stdout + stderr;
  } catch (error) {
    return error.code === 'ENOENT' ? null : `${error.stdout}${error.stderr}`;
  }
}

async function byHelp(program, [command, ...args], flag = '--help') {
  const help = await helpOf(program, command, flag);
  if (help !== null) {
    assert.doesNotMatch(help, /unknown command|is not a .*command|unrecognized command/i);
    optionsIn(help, args, `${program} ${command}`);
  }
}

const CDK = join(TOP, 'cdk/node_modules/.bin/cdk');
const helps = new Map();

async function npx([program, command, ...args], folder) {
  assert.deepEqual([program, folder], ['cdk', 'cdk'], 'npx is for the CDK, in its folder');
  if (command === undefined) {
    return;
  }
  if (!helps.has(command)) {
    helps.set(command, await helpOf(CDK, command, '--help'));
  }
  assert.ok(helps.get(command).startsWith(`cdk ${command}`), `the CDK has no command ${command}`);
  optionsIn(helps.get(command), args, `cdk ${command}`);
  const keys = table('Key', 'Value', 'Default').flatMap(([named]) => named.match(/(?<=`)\w+/g));
  const given = args.filter((_, i) => ['-c', '--context'].includes(args[i - 1])).map((word) => word.split('=')[0]);
  assert.deepEqual(given.filter((key) => !keys.includes(key)), [], 'no such context keys');
}

/* What a makefile asks of others is not looked at: what these need may not be there. */
async function make(args) {
  await run('make', ['-n', 'MAKE=true', ...args], { cwd: TOP, maxBuffer: 1 << 26 });
}

function node([path, ...args]) {
  assert.ok(existsSync(join(TOP, path)), `${path} is not there`);
  if (path === 'tests/platform/cli.mjs') {
    readArguments(args);
  }
}

function npm([command, ...rest], folder) {
  const file = command === 'install' && rest.length === 1 && /^[A-Z]+$/.test(rest[0]); /* the reader's */
  const known = ['ci', 'pack', 'install'].includes(command) && (rest.length === 0 || file);
  assert.ok(known, `npm ${command} ${rest.join(' ')}`);
  assert.ok(command !== 'ci' || existsSync(join(TOP, folder, 'package-lock.json')), `${folder} has nothing for npm ci`);
}

/* What is copied is built, and where to is outside of the clone. */
function cp(args) {
  const [from, to] = args.slice(-2);
  assert.match(from, /^build\/(x86_64|arm64)\/kinesis-telemetry-api-extension$/);
  assert.match(to, /^\/tmp\//);
}

export const CHECKS = {
  'build.sh': buildSh,
  npx, make, node, npm, cp,
  mkdir: (args) => assert.match(args.at(-1), /^\/tmp\//),
  git: (args) => byHelp('git', args, '-h'),
  docker: (args) => byHelp('docker', args),
  skopeo: (args) => byHelp('skopeo', args)
};

/* What is said of programs that are not here, word for word. Those of languages are what cdk/test/packages calls. */
const MODULE = JSON.parse(read('cdk/packages/manifest.json')).jsii?.targets?.go?.moduleName;
export const FOREIGN = {
  pip: ['pip install FILE'],
  mvn: ['mvn install:install-file -Dfile=FILE -DpomFile=POM'],
  go: [`go mod edit -replace ${MODULE}/kinesistelemetry=FOLDER`, 'go mod tidy'],
  dotnet: ['dotnet nuget add source FOLDER', 'dotnet add package KinesisTelemetryApiExtension'],
  gh: ['gh attestation verify FILE --repo OWNER/REPOSITORY'],
  cosign: ['cosign verify-blob'],
  sam: [], terraform: [], tofu: [], serverless: [], podman: [], curl: [], gradle: []
};

/* Programs that are built, and where their options are. */
const SIMULATE = 'tests/simulate/simulate.c';
const PROGRAMS = {
  'build/x86_64/simulate/simulate': SIMULATE,
  'build/x86_64/simulate/program/simulate': SIMULATE,
  'build/x86_64/simulate/program/each_call': 'tests/simulate/program/each_call.c',
  'build/x86_64/bench/micro': 'tests/bench/micro.c',
  'build/x86_64/bench/micro_gzip': 'tests/bench/micro_gzip.c',
  'build/x86_64/kinesis-telemetry-api-extension': 'src/main.c'
};

export function program(path, args) {
  const [, mutant] = /^build\/mutants\/test_(\w+)$/.exec(path) ?? [];
  if (mutant !== undefined) {
    assert.ok(existsSync(join(TOP, 'tests/unit', `test_${mutant}.c`)), path);
    return;
  }
  assert.ok(path in PROGRAMS, `${path} is none of the programs that are built`);
  optionsIn(read(PROGRAMS[path]), args, path);
}

/*
 * The commands that documents show: in blocks of shell that no other test has, and within their text. A shell runs them
 * with stand-ins, and what these were asked for has to be there; the AWS CLI is real, and talks to moto.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { removeFolder, temporaryFolder } from '../e2e/support/folder.mjs';
import { closedPort } from '../e2e/support/ports.mjs';
import { BINARY } from '../e2e/support/stand.mjs';
import { TOP, read, tree } from '../tidy/tree.mjs';
import { CHECKS, FOREIGN, program } from './arguments.mjs';
import { Aws } from './aws.mjs';
import { claimants } from './claims.mjs';
import { blocks, documents, snippet } from './documents.mjs';
import { COMMANDS, runWithStandIns } from './shell.mjs';

const ZIP = 'layer/dist/kinesis-telemetry-api-extension.zip';

let aws;

before(async () => {
  aws = await Aws.start();
  await aws.call('s3api', 'create-bucket', '--bucket', 'bucket');
});

after(() => aws?.stop());

/* What stands for a name of the reader's. */
function filledIn(script) {
  return script.replace(/\bs3:\/\/BUCKET\b/g, 's3://bucket');
}

/* Variables that a command gets have to be known somewhere. */
const VARIABLE = /(?<![\w-])([A-Z][A-Z0-9_]+)=\S+ +(?=\S)/g;
const SOURCES = tree().filter((path) => /^(build\.sh|src\/|vendor\/|tests\/).*(\.(sh|mjs|c|h)|Makefile)$/.test(path) || path === 'build.sh');

function checkVariables(script) {
  const names = new Set([...script.matchAll(VARIABLE)].map(([, name]) => name));
  for (const name of names) {
    assert.ok(/^AWS_/.test(name) || SOURCES.some((path) => new RegExp(`\\b${name}\\b`).test(read(path))), `nothing reads ${name}`);
  }
}

async function check({ name, args, folder }) {
  if (name.startsWith('build/')) {
    program(name, args);
  } else if (name !== 'aws') {
    assert.ok(name in CHECKS, 'in vain');
    await CHECKS[name](args, folder);
  }
}

async function runAndCheck(script) {
  const ended = await runWithStandIns(filledIn(script), { aws: aws.program, env: aws.env });
  assert.equal(ended.status, 0, `${ended.stderr}`);
  for (const call of ended.calls) {
    await check(call).catch((error) => {
      assert.fail(`${call.name} ${call.args.join(' ')}: ${error.stderr?.split('\n')[0] || error.message}`);
    });
  }
  checkVariables(script);
  return ended;
}

/* Scripts that are no part of `test all` may run some of them in earnest. */
const mine = blocks().filter(({ language, name }) => language === 'sh' &&
  (name === undefined || claimants(name).every((path) => !/\.test\./.test(path))));
for (const { path, line, text } of mine) {
  test(`${path}:${line}: its commands are there`, async () => {
    const { calls } = await runAndCheck(text);
    assert.ok(calls.length > 0);
  });
}

/* --- within the text --------------------------------------------------------------------------- */

const SPAN = /(?<!`)(`+)(?!`)([^]+?)(?<!`)\1(?!`)/g;
const ALONE = Object.keys(FOREIGN);
const COMMAND = new RegExp(`^(?:[A-Z_]+=(?:"[^"]*"|\\S+) +)*(?:\\./build\\.sh\\b|layer/publish\\.sh -|(?:${[...COMMANDS, ...ALONE].join('|')}) [a-z-]|build/[\\w./-]+ -)`);

/* A span may go on in the next line. */
function spans(prose) {
  const text = prose.map((one, i) => `${i > 0 && prose[i - 1].line + 1 < one.line ? '\n' : ''}${one.text}\n`).join('');
  const paragraphs = text.split(/\n(?=\s*\n|[|*])/);
  return paragraphs.flatMap((one) => [...one.matchAll(SPAN)].map(([, , span]) => span.trim().replace(/\s*\n\s*/g, ' ')));
}

for (const { path, prose } of documents()) {
  const all = spans(prose).filter((command) => COMMAND.test(command));
  const foreign = all.filter((command) => ALONE.includes(command.split(' ')[0]));
  if (foreign.length > 0) {
    test(`${path}: commands of programs that are not here`, () => {
      assert.deepEqual(foreign.filter((command) => !FOREIGN[command.split(' ')[0]].includes(command)), []);
    });
  }
  /* publish.sh's options are defaults.test.mjs's. */
  const commands = all.filter((command) => !foreign.includes(command) && !command.startsWith('layer/'));
  if (commands.length > 0) {
    test(`${path}: the ${commands.length} commands within its text are there`, async () => {
      const lines = commands.map((command) => `(${command.startsWith('npx cdk') ? `cd cdk && ${command}` : command}\n)\n`);
      await runAndCheck(lines.join(''));
    });
  }
}

/* --- what comes of some ------------------------------------------------------------------------ */

const DEPLOYED = ['build.sh layer', 'cdk: npm ci', 'cdk: npx cdk deploy'];
const calls = async (script) => (await runAndCheck(script)).calls.map(({ name, args, folder }) =>
  `${folder === '' ? '' : `${folder}: `}${[name, ...args].join(' ')}`);

test('a deployment, an upgrade: what is built, then modules, then the stack', async () => {
  assert.deepEqual(await calls(snippet('deploy-it')), DEPLOYED);
  const others = mine.filter(({ path, text }) => path === 'cdk/README.md' && /npx cdk deploy/.test(text));
  assert.equal(others.length, 2);
  for (const { text } of others) {
    assert.deepEqual(await calls(text), /^git pull/.test(text) ? ['git pull', ...DEPLOYED] : DEPLOYED);
  }
});

/* tests/build/bare.sh does so in earnest. */
test('it is tried by the demo and the tests', async () => {
  assert.deepEqual(await calls(snippet('try-it')), ['build.sh demo', 'build.sh test']);
});

test('the image of this version is made, and copied with both CPUs', async () => {
  const version = read('src/VERSION').trim();
  const [, registry] = snippet('front-Dockerfile').match(/--from=([^/]+)\//);
  const image = `kinesis-telemetry-api-extension:${version}`;
  assert.deepEqual(await calls(snippet('push-image')), [
    'build.sh image', 'aws ecr get-login-password', `skopeo login --username AWS --password-stdin ${registry}`,
    `skopeo copy --all oci:build/image/${image} docker://${registry}/${image}`
  ]);
});

test('a function runs on the local platform, beside the extension', async () => {
  const folder = await temporaryFolder('extensions-');
  const script = snippet('try-platform').replace(/^\.\/build\.sh\n/, '').replaceAll('/tmp/extensions', folder)
    .replace('build/x86_64/kinesis-telemetry-api-extension', BINARY);
  const away = `--env AWS_ENDPOINT_URL_KINESIS=http://127.0.0.1:${await closedPort()}`;
  const { stdout } = await promisify(execFile)('/bin/sh', ['-euc', script.replace(/\n$/, ` ${away}`)], { cwd: TOP });
  await removeFolder(folder);
  const [, lines, count] = /"lines":(\d+)\}' --count (\d+)/.exec(script);
  assert.equal(stdout.match(/hello from Node/g)?.length, lines * count, stdout);
  assert.match(stdout, /"message":"ledger"/);
});

const LAYER = 'arn:aws:lambda:us-east-1:123456789012:layer:kinesis-telemetry-api-extension';

test('a layer is published, and its versions and the functions that have them are found, and deleted', async () => {
  const others = (await aws.call('lambda', 'list-layer-versions', '--layer-name', 'kinesis-telemetry-api-extension')).LayerVersions;
  for (const { Version } of others) {
    await aws.call('lambda', 'delete-layer-version', '--layer-name', 'kinesis-telemetry-api-extension', '--version-number', String(Version));
  }
  const { stdout } = await runAndCheck(snippet('publish-layer'));
  const published = JSON.parse(stdout);
  assert.equal(published.Content.CodeSha256, createHash('sha256').update(await readFile(join(TOP, ZIP))).digest('base64'));
  assert.deepEqual([published.CompatibleArchitectures, published.LicenseInfo], [['x86_64', 'arm64'], 'MIT']);

  const role = await aws.call('iam', 'create-role', '--role-name', 'orders', '--assume-role-policy-document', '{}');
  for (const [name, ...layers] of [['orders', '--layers', published.LayerVersionArn], ['others']]) {
    await aws.call('lambda', 'create-function', '--function-name', name, '--runtime', 'python3.13', '--handler', 'app.handler',
      '--role', role.Role.Arn, '--zip-file', `fileb://${join(TOP, ZIP)}`, ...layers);
  }
  const found = await runAndCheck(snippet('old-layer-versions').replace('--version-number 1', `--version-number ${published.Version}`));
  assert.ok(found.stdout.startsWith(`[\n    "${published.LayerVersionArn}"\n]`), found.stdout);
  const functions = JSON.parse(found.stdout.slice(found.stdout.indexOf(']') + 1));
  assert.ok(functions.length > 0);
  for (const [fn, layers] of functions) {
    assert.match(fn, /:function:orders(:|$)/);
    assert.deepEqual(layers, [published.LayerVersionArn]);
  }
  assert.ok(published.LayerVersionArn.startsWith(`${LAYER}:`));
  assert.deepEqual((await aws.call('lambda', 'list-layer-versions', '--layer-name', 'kinesis-telemetry-api-extension')).LayerVersions, []);
});

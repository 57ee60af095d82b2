/*
 * What src/OPERATING.md shows: its commands and programs do what they are for, records are of the form that the program
 * gives them, policies allow what the program and the stack's policy need.
 *
 * moto's server is AWS, and support/aws.py the AWS CLI; of what moto is not asked for, only the parameters are checked.
 */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { Platform } from '../platform/platform.mjs';
import { snippet } from './support/documents.mjs';
import { removeFolder, temporaryFolder } from './support/folder.mjs';
import { accepting, light } from './support/light.mjs';
import { SERVERS } from './support/local_servers.mjs';
import { tables } from './support/operating.mjs';
import { KEEP, NAME, extensionLogs, extensionsFolder, kinesisEnvironment } from './support/stand.mjs';
import { until } from './support/until.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const run = promisify(execFile);

const PYTHON = here('../../build/local-servers/bin/python');
const PAGE = readFileSync(here('../../src/OPERATING.md'), 'utf8');
const STREAM = 'telemetry-kinesis-stream';
const OBJECT = { timestamp: '2026-11-20T12:00:00.104Z', level: 'INFO', message: { order: 42 } };
const TEXT = 'hello\n';

let server;
let folder;

/* What is called by its name alone. */
async function program(name, text) {
  await writeFile(join(folder, name), text);
  await chmod(join(folder, name), 0o755);
}

before(async () => {
  folder = await temporaryFolder('operating-');
  await program('aws', `#!/bin/sh\nexec '${PYTHON}' -B '${here('support/aws.py')}' "$@"\n`);
  await program('npx', '#!/bin/sh\n[ "$*" = "cdk destroy --force" ] && basename "$PWD"\n');
  server = await SERVERS.moto();
});

after(async () => {
  await server?.stop();
  removeFolder(folder);
});

function environment(more = {}) {
  return {
    PATH: [folder, process.env.PATH].join(delimiter), HOME: folder, AWS_DEFAULT_REGION: 'us-east-1', AWS_ENDPOINT_URL: server.url,
    AWS_ACCESS_KEY_ID: 'AKID', AWS_SECRET_ACCESS_KEY: 'secret', ...more
  };
}

/* What support/aws.py takes for the reply of each call. */
const answer = (reply) => ({ AWS_ANSWER: JSON.stringify(reply) });

/* Runs a snippet of shell to its end; what it prints. */
async function shell(name, { env = {}, cwd = folder } = {}) {
  const { stdout, stderr } = await run('sh', ['-e', '-c', snippet(name)], { env: environment(env), cwd, encoding: 'utf8' });
  assert.equal(stderr, '');
  return stdout;
}

/* Two lines of a function, by the shipped binary into the stream at moto. Returns the ledger's line. */
async function logTwo(env = {}) {
  const extensions = await extensionsFolder();
  const platform = await Platform.start({
    extensions, timeoutMs: 60_000, shutdownMs: 60_000, deliver: KEEP,
    env: {
      ...await kinesisEnvironment({ url: server.url, caBundle: null, stream: STREAM }),
      TELEMETRY_REQUEST_TIMEOUT_MS: '20000', TELEMETRY_FLUSH_BUDGET_MS: '20000', ...env
    }
  });
  try {
    await platform.invoke({}, {
      during: async (emit) => {
        emit('function', OBJECT);
        emit('function', TEXT);
      }
    });
    await platform.shutdown();
    const all = platform.lines.filter(({ source, line }) => source === NAME && String(line).includes('"message":"ledger"'));
    assert.equal(extensionLogs(platform).stray.length, 0);
    return String(all[0].line);
  } finally {
    await platform.kill();
    removeFolder(extensions);
  }
}

const GZIP = { TELEMETRY_AGGREGATION: 'lines', TELEMETRY_COMPRESSION: 'gzip' };

test('the first record is seen; the stream is watched; the ledger is summed', { timeout: 120_000 }, async () => {
  await server.streams.createStream(STREAM, 2);
  const ledgers = [await logTwo()];
  const seen = await shell('first-record');
  assert.deepEqual(seen.trim().split('\n').sort(), ['"hello"', '{"order":42}']);
  ledgers.push(await logTwo(GZIP));

  const watch = spawn(PYTHON, ['-c', snippet('watch'), STREAM], { env: environment(), stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  watch.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  try {
    await until('both forms', () => output.split('\n').filter(Boolean).length >= 4 || watch.exitCode !== null);
  } finally {
    watch.kill('SIGKILL');
  }
  assert.deepEqual(output.split('\n').filter(Boolean).sort(), ['"hello"', '"hello"', '{"order":42}', '{"order":42}']);

  const summed = await shell('sum-ledgers', { env: answer({ events: ledgers.map((line) => ({ message: `${line}\n` })) }) });
  const sums = Object.fromEntries(summed.trim().split('\n').map((line) => line.split(' ')));
  assert.deepEqual([sums.received, sums.delivered, sums.records], ['4', '4', '3']);
  assert.equal(Number(sums.units), ledgers.reduce((sum, one) => sum + JSON.parse(one).units, 0));
});

/* --- records of each format --- */

/* Names of members, in their order, and kinds of values. */
function shape(value) {
  if (Array.isArray(value)) {
    return value.map(shape);
  }
  return value !== null && typeof value === 'object' ? Object.entries(value).map(([name, one]) => [name, shape(one)]) : typeof value;
}

const linesOf = (text) => text.split('\n').filter(Boolean).map((line) => JSON.parse(line));
/* What is the same whoever runs it. */
const told = ({ record, level, seq, type, message }) => ({ record, level, seq, type, message });

for (const format of ['message', 'event', 'enriched', 'cloudwatch']) {
  const got = [];
  const onFront = (front) => {
    const accept = accepting([]);
    front.fault = (exchange) => {
      got.push(...exchange.call.Records.map(({ Data }) => Buffer.from(Data, 'base64')));
      return accept(exchange);
    };
  };

  light(`a record of the format ${format}`, { env: { TELEMETRY_RECORD_FORMAT: format }, onFront }, async (stand) => {
    await stand.log([OBJECT, TEXT]);
    await stand.finish();
    const records = got.flatMap((one) => linesOf(String(format === 'cloudwatch' ? gunzipSync(one) : one)));
    const shown = linesOf(snippet(`record-${format}`));
    assert.deepEqual(shown.map(shape), records.map(shape));
    assert.deepEqual(shown.map(told), records.map(told));
    for (const { logEvents } of shown) {
      logEvents?.forEach(({ id }) => assert.equal(Number(BigInt(id) >> 144n), logEvents[0].timestamp));
    }
  });
}

light('a line of its own', { env: { TELEMETRY_FLASH: '1' } }, async (stand) => {
  await stand.finish();
  const [line] = stand.logs.filter(({ level }) => level === 'warn');
  const shown = JSON.parse(snippet('own-line'));
  assert.deepEqual(shape(shown), shape(line));
  assert.deepEqual({ ...shown, time: line.time }, line);
});

/* --- commands of which the parameters are checked --- */

const NAMED = { Arn: `arn:aws:lambda:us-east-1:123456789012:layer:${NAME}:3` };
const OTHER = { Arn: 'arn:aws:lambda:us-east-1:123456789012:layer:other:1' };

test('the extension\'s own lines are asked for', async () => {
  const [line] = snippet('own-line').split('\n');
  assert.equal(await shell('own-lines', { env: answer({ events: [{ message: line }] }) }), `${line}\n`);
});

test('who has it: functions with the layer, beside others or not', async () => {
  const Functions = [
    { FunctionArn: 'a', Layers: [OTHER, NAMED] }, { FunctionArn: 'b' }, { FunctionArn: 'c', Layers: [NAMED] },
    { FunctionArn: 'd', Layers: [OTHER] }
  ];
  const rows = (await shell('who-has-it', { env: answer({ Functions }) })).split('\n').filter((line) => /^[abcd]$/.test(line));
  assert.deepEqual(rows, ['a', 'c']);
});

test('uninstall: roles are asked for; the stack goes, then each version of the layer', async () => {
  const PolicyRoles = [{ RoleName: 'one' }, { RoleName: 'two' }];
  assert.equal(await shell('roles-with-policy', { env: answer({ PolicyRoles }) }), 'one\ttwo\n');
  const LayerVersions = [{ Version: 7 }, { Version: 8 }];
  await writeFile(join(folder, 'calls'), '');
  assert.match(await shell('uninstall', { env: answer({ LayerVersions }), cwd: here('../..') }), /^cdk$/m);
  const calls = readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  assert.deepEqual(calls, [
    ['ListLayerVersions', { LayerName: NAME }],
    ...[7, 8].map((VersionNumber) => ['DeleteLayerVersion', { LayerName: NAME, VersionNumber }])
  ]);
});

/* --- policies --- */

const RUNTIME = readFileSync(here('../../cdk/lib/runtime-policy.ts'), 'utf8');
const NEEDED = [...RUNTIME.matchAll(/actions: \['((?:kinesis|kms):\w+)'\]/g)].map(([, action]) => action);
const statements = (name) => JSON.parse(snippet(name)).Statement;
const within = (arn) => /^arn:aws:(\w+):us-east-1:(\d{12}):(.+)$/.exec(arn).slice(1);

test('another account: the role has what the stack\'s policy has; stream and key allow it', async () => {
  const role = statements('account-role-policy');
  const [stream] = statements('account-stream-policy');
  const key = JSON.parse(snippet('account-key-statement'));
  assert.deepEqual(role.map(({ Action }) => Action), NEEDED);
  assert.deepEqual([stream.Action, key.Action], NEEDED);
  assert.equal(stream.Resource, role[0].Resource);
  const owners = role.map(({ Resource }) => within(Resource)[1]);
  const [, caller] = /^arn:aws:iam::(\d{12}):root$/.exec(stream.Principal.AWS);
  assert.equal(new Set(owners).size, 1);
  assert.notEqual(caller, owners[0]);
  assert.ok(PAGE.replace(/\s+/g, ' ').includes(`account ${caller} has the function and ${owners[0]} the stream`));
  assert.deepEqual(key.Principal, stream.Principal);
  assert.ok([...role, stream, key].every(({ Effect }) => Effect === 'Allow'));
  await writeFile(join(folder, 'stream-policy'), snippet('account-stream-policy'));
  await shell('account-share', { env: answer({}) });
});

test('a VPC endpoint, and its policy', async () => {
  const [{ Action, Resource, Principal }] = statements('vpc-policy');
  assert.deepEqual([Action, Principal, within(Resource)[2]], ['kinesis:PutRecords', '*', `stream/${STREAM}`]);
  await writeFile(join(folder, 'endpoint-policy'), snippet('vpc-policy'));
  assert.match(snippet('vpc-endpoint'), /--service-name com\.amazonaws\.us-east-1\.kinesis-streams /);
  await shell('vpc-endpoint', { env: answer({}) });
});

const UNKNOWN = `
import json, sys, botocore.session
model = botocore.session.get_session().get_service_model
print(json.dumps([one for one in sys.argv[1:] if one.split(':')[1] not in model(one.split(':')[0]).operation_names]))`;

test('deploying: the roles of the bootstrap; each kind of resource, and actions that there are', async () => {
  const [{ Action, Resource }] = statements('deployer-policy');
  assert.equal(Action, 'sts:AssumeRole');
  assert.ok(Resource.every((arn) => /^arn:aws:iam::\d{12}:role\/cdk-hnb659fds-(deploy|file-publishing)-role-/.test(arn)));

  const template = JSON.parse(readFileSync(here('../../cdk/test/snapshots/default.json'), 'utf8'));
  const { deploying } = tables(PAGE);
  const types = new Set(Object.values(template.Resources).map(({ Type }) => Type));
  assert.deepEqual([...deploying.keys()].sort(), [...types].sort());
  const actions = [...deploying.values()].flatMap(({ spans }) => spans).filter((one) => /^[a-z]+:[A-Z]\w+$/.test(one));
  const { stdout } = await run(PYTHON, ['-c', UNKNOWN, ...actions], { env: environment() });
  assert.deepEqual(JSON.parse(stdout), ['iam:PassRole']); /* which is no call */
});

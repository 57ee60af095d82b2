/*
 * --check: which step fails against a server of each kind, why, and what helps.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Certificates } from './support/certificates.mjs';
import { ContainerCredentials } from './support/container_credentials.mjs';
import { delay, mute, page, plainHttp, refuse, silence, times } from './support/faults.mjs';
import { removeFolder, temporaryFolder } from './support/folder.mjs';
import { CREDENTIALS, Front } from './support/front.mjs';
import { accepting } from './support/light.mjs';
import { closedPort } from './support/ports.mjs';
import { Proxy } from './support/proxy.mjs';
import { S3 } from './support/s3.mjs';
import { BINARY, EMULATED } from './support/stand.mjs';

const STEPS = ['settings', 'credentials', 'name', 'tcp', 'proxy', 'tls', 'clock', 'signature', 'permission', 'stream',
  'key', 'deadLetter', 'result'];
const STEP_MS = 3_000;
const ARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/logs';
const USER = 'arn:aws:sts::000000000000:assumed-role/role/function';

let certificates;

before(async () => {
  certificates = await Certificates.make();
});

after(() => certificates.remove());

function run(file, args, env) {
  return new Promise((resolve, reject) => {
    execFile(file, args, { env, timeout: 60_000 }, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') {
        reject(error);
        return;
      }
      resolve({ status: error?.code ?? 0, stdout, stderr });
    });
  });
}

function environment(url, env = {}) {
  const all = {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_SESSION_TOKEN: CREDENTIALS.sessionToken,
    AWS_ENDPOINT_URL_KINESIS: url,
    KINESIS_STREAM_NAME: 'logs',
    ...env
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
}

/* Runs it and requires what holds whatever is wrong. Returns the steps by name, and { status }. */
async function check(url, { env, write = false, file = BINARY, args = [] } = {}) {
  const asked = [...args, write ? '--check=write' : '--check', '--json'];
  const { status, stdout, stderr } = await run(file, asked, environment(url, env));
  const lines = stdout.trimEnd().split('\n').map((line) => JSON.parse(line));
  assert.equal(stderr, '');
  assert.deepEqual(lines.map(({ step }) => step), STEPS);
  for (const secret of [CREDENTIALS.secretAccessKey, CREDENTIALS.sessionToken, 'Signature=']) {
    assert.ok(!stdout.includes(secret), stdout);
  }
  const failed = lines.findIndex((line) => line.status === 'failed');
  for (const [at, { step, status: how, ms, message, remedy }] of lines.entries()) {
    assert.ok(['ok', 'failed', 'warning', 'notChecked'].includes(how), `${step} ${how}`);
    assert.ok(Number.isFinite(ms) && ms >= 0, `${step} ${ms}`);
    assert.ok(message.length > 0 && remedy !== '', `${step} ${message} ${remedy}`);
    assert.equal(remedy !== undefined, at === failed && step !== 'result', `${step} ${remedy}`);
    if (failed >= 0 && at > failed && step !== 'result') {
      assert.deepEqual([how, message], ['notChecked', 'not reached']);
    }
  }
  assert.equal(status, failed < 0 ? 0 : 1);
  assert.equal(lines.at(-1).status, failed < 0 ? 'ok' : 'failed');
  return { status, ...Object.fromEntries(lines.map((line) => [line.step, line])) };
}

function statuses(steps) {
  return STEPS.map((step) => steps[step].status);
}

/* A server for one test. tls: options of Certificates.leaf. */
async function withFront({ tls, ...options }, body) {
  const certificate = tls ? { certificate: await certificates.leaf(tls) } : { plain: true };
  const front = await Front.start({ ...certificate, ...options });
  try {
    await body(front);
    assert.deepEqual(front.violations, []);
  } finally {
    await front.stop();
  }
}

/* A server that takes what is no dry run, and, if it knows none, every call. */
function taking(arrived, { knows = true } = {}) {
  const accept = accepting(arrived);
  return (exchange) => !(knows && exchange.call.DryRun) && accept(exchange);
}

/* --- all is well --- */

const WELL = ['ok', 'ok', 'ok', 'ok', 'notChecked', 'ok', 'ok', 'ok', 'ok', 'ok', 'notChecked', 'notChecked', 'ok'];

for (const key of ['p256', 'rsa']) {
  test(`all is well, with a key of kind ${key}: nothing is written`, () => withFront({ tls: { key, intermediate: true } }, async (front) => {
    const steps = await check(front.url, { env: { AWS_CA_BUNDLE: await certificates.bundle({ key }) } });
    const day = new Date(Date.now() + 30 * 24 * 60 * 60 * 1000).toISOString().slice(0, 10);
    assert.deepEqual(statuses(steps), WELL);
    assert.equal(steps.settings.message, `logs in us-east-1 at localhost:${front.port}`);
    assert.equal(steps.name.message, '127.0.0.1');
    assert.match(steps.tcp.message, new RegExp(`^127\\.0\\.0\\.1:${front.port} connected$`));
    const suite = `ECDHE-${key === 'rsa' ? 'RSA' : 'ECDSA'}-AES128-GCM-SHA256`;
    assert.ok(steps.tls.message.startsWith(`TLS 1.2, ${suite}; certificate until ${day}; root Test CA good ${key}`),
      steps.tls.message);
    assert.deepEqual([...front.statistics.ciphers], [`TLSv1.2 ${suite}`]);
    assert.deepEqual([...front.statistics.streams], ['logs']);
    assert.deepEqual(front.statistics.requests, 1);
  }));
}

for (const ciphers of ['ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES256-GCM-SHA384']) {
  const key = ciphers.includes('RSA') ? 'rsa' : 'p256';
  test(`the suite that was agreed on: ${ciphers}`, () => withFront({ tls: { key }, ciphers }, async (front) => {
    const steps = await check(front.url, { env: { AWS_CA_BUNDLE: await certificates.bundle({ key }) } });
    assert.ok(steps.tls.message.startsWith(`TLS 1.2, ${ciphers};`), steps.tls.message);
  }));
}

test('until when the built-in roots are valid', async () => {
  const source = await readFile(new URL('../../src/io/tls_report.c', import.meta.url), 'utf8');
  const anchors = await readFile(new URL('../../build/gen/trust_anchors.c', import.meta.url), 'utf8');
  const days = /days\[\].*?\{(.*?)\}/s.exec(source)[1].match(/[\d-]{10}/g);
  const names = /vendor\.sh: (.*?)\. \*\//.exec(anchors)[1].split(', ');
  assert.equal(days.length, names.length);
  for (const [i, name] of names.entries()) {
    const certificate = new X509Certificate(await readFile(`/usr/share/ca-certificates/mozilla/${name}.crt`));
    assert.equal(new Date(certificate.validTo).toISOString().slice(0, 10), days[i], name);
  }
});

test('a stream by its ARN, in another region; plain HTTP; without --json lines for people', () =>
  withFront({ region: 'eu-west-1' }, async (front) => {
    const arn = 'arn:aws:kinesis:eu-west-1:000000000000:stream/other';
    const { status, stdout } = await run(BINARY, ['--check'], environment(front.url, { KINESIS_STREAM_ARN: arn }));
    const lines = stdout.trimEnd().split('\n');
    assert.equal(status, 0, stdout);
    assert.deepEqual(lines.map((line) => line.split(' ', 1)[0]), STEPS);
    for (const line of lines) {
      assert.match(line, /^\S+ +(ok {10}|notChecked {2})\d+ ms {3,}\S/);
      assert.deepEqual([line.search(/ok|notChecked/), /^.{24}\d+ ms +/.exec(line)[0].length], [12, 36], line);
    }
    assert.match(lines[5], /^tls +notChecked .*http:/);
    assert.deepEqual([...front.statistics.streams], [arn]);
  }));

test('--check=write: one record that readers know, and nothing else', () => withFront({}, async (front) => {
  const arrived = [];
  front.fault = taking(arrived);
  const steps = await check(front.url, { write: true });
  assert.equal(steps.key.status, 'ok');
  assert.equal(arrived.length, 1);
  const { time, type, record } = JSON.parse(arrived[0].data);
  assert.ok(Math.abs(Date.now() - Date.parse(time)) < 60_000, time);
  assert.deepEqual([type, record], ['extension', 'kinesis-telemetry-api-extension --check']);
}));

for (const write of [false, true]) {
  test(`a server that does not know DryRun${write ? ', --check=write' : ''}: what it wrote is said`, () => withFront({}, async (front) => {
    const arrived = [];
    front.fault = taking(arrived, { knows: false });
    const steps = await check(front.url, { write });
    assert.deepEqual([steps.stream.status, steps.key.status, steps.status], ['warning', 'ok', 0]);
    assert.match(steps.stream.message, /does not know DryRun: one record was written/);
    assert.equal(arrived.length, 1);
  }));
}

/* --- before the first request --- */

function fails(steps, step, message, remedy) {
  assert.equal(steps[step].status, 'failed', JSON.stringify(steps));
  assert.match(steps[step].message, message);
  assert.match(steps[step].remedy, remedy);
  assert.ok(steps[step].ms < STEP_MS + 1_000, `${steps[step].ms} ms`);
}

test('no credentials in the environment', async () => {
  const steps = await check('http://localhost:1', { env: { AWS_ACCESS_KEY_ID: null, AWS_SECRET_ACCESS_KEY: null } });
  fails(steps, 'credentials', /no AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY/, /role/);
});

test('credentials from the container endpoint; one that refuses', async () => {
  const endpoint = await ContainerCredentials.start({ credentials: CREDENTIALS });
  try {
    await withFront({}, async (front) => {
      const none = { AWS_ACCESS_KEY_ID: null, AWS_SECRET_ACCESS_KEY: null, AWS_SESSION_TOKEN: null };
      const env = { ...none, ...endpoint.environment() };
      const well = await check(front.url, { env });
      assert.deepEqual([well.credentials.status, well.signature.status], ['ok', 'ok']);
      assert.match(well.credentials.message, new RegExp(`:${endpoint.port}$`));
      endpoint.fault = (response) => {
        response.writeHead(500).end();
        return true;
      };
      const refused = await check(front.url, { env });
      fails(refused, 'credentials', /^no credentials from [^ ]+: status 500$/, /role/);
    });
  } finally {
    await endpoint.stop();
  }
});

test('settings that are not allowed, or not known: a warning, and on it goes', () => withFront({}, async (front) => {
  const steps = await check(front.url, { env: { TELEMETRY_FLUSH: 'nonsense', TELEMETRY_FLASH: '1' } });
  assert.deepEqual([steps.settings.status, steps.status], ['warning', 0]);
  assert.match(steps.settings.message, /TELEMETRY_FLUSH: "nonsense" is not allowed.*TELEMETRY_FLASH: no such setting/);
}));

test('a setting with control characters: one line all the same', () => withFront({}, async (front) => {
  const names = ['FLUSH', 'WIRE', 'LOG_LEVEL', 'OVERSIZE', 'METRICS', 'COMPRESSION'];
  const env = Object.fromEntries(names.map((name) => [`TELEMETRY_${name}`, '\x01\n'.repeat(100)]));
  const steps = await check(front.url, { env });
  assert.match(steps.settings.message, /^TELEMETRY_[A-Z_]+: " {200}" is not allowed/);
  const { stdout } = await run(BINARY, ['--check'], environment(front.url, env));
  assert.equal(stdout.trimEnd().split('\n').length, STEPS.length);
}));

test('more complaints than a line has room for', () => withFront({}, async (front) => {
  const names = ['FLUSH', 'WIRE', 'LOG_LEVEL', 'OVERSIZE', 'METRICS', 'RECORD_FORMAT', 'DEAD_LETTER', 'COMPRESSION'];
  const env = Object.fromEntries(names.map((name) => [`TELEMETRY_${name}`, '"'.repeat(300)]));
  const steps = await check(front.url, { env });
  assert.deepEqual([steps.settings.status, steps.tcp.status, steps.stream.status], ['warning', 'ok', 'ok']);
  assert.match(steps.settings.message, /^TELEMETRY_[A-Z_]+: "{200}/);
}));

test('a name that does not exist', async () => {
  fails(await check('https://nowhere.invalid'), 'name', /^[a-z ]+$/, /AWS_ENDPOINT_URL_KINESIS.*VPC.*DNS/);
});

test('a port where nobody listens', async () => {
  const port = await closedPort();
  const steps = await check(`https://localhost:${port}`);
  fails(steps, 'tcp', new RegExp(`^127\\.0\\.0\\.1:${port} Connection refused`), /VPC endpoint.*NAT gateway/);
});

const handshakes = {
  'a server that says nothing': [{ front: (front) => {
    front.connectionFault = mute;
  } }, /no connection in time/, /TLS 1\.2/],
  'a server that speaks HTTP': [{ front: (front) => {
    front.connectionFault = plainHttp;
  } }, /plain HTTP/, /TLS 1\.2/],
  'an authority that is not trusted': [{ tls: { ca: 'other' } }, /trusted authority/, /AWS_CA_BUNDLE/],
  'a certificate that has expired': [{ tls: { from: -2 * 86_400_000, until: -86_400_000 } }, /expired/, /clock/],
  'a certificate for another name': [{ tls: { names: ['elsewhere.example'] } }, /another host name/, /AWS_ENDPOINT_URL_KINESIS/],
  'a server without TLS 1.2': [{ options: { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' } }, /alert \(\d+\)$/, /TLS 1\.2/]
};
for (const [what, [{ tls = {}, front: prepare, options }, message, remedy]] of Object.entries(handshakes)) {
  test(what, () => withFront({ tls, ...options }, async (front) => {
    prepare?.(front);
    const steps = await check(front.url, { env: { AWS_CA_BUNDLE: await certificates.bundle() } });
    fails(steps, 'tls', message, remedy);
    assert.equal(front.statistics.requests, 0);
  }));
}

test('AWS_CA_BUNDLE that cannot be read is told with what follows from it', () => withFront({ tls: {} }, async (front) => {
  const steps = await check(front.url, { env: { AWS_CA_BUNDLE: '/nowhere' } });
  fails(steps, 'tls', /AWS_CA_BUNDLE: "\/nowhere".*trusted authority/, /AWS_CA_BUNDLE/);
}));

/* --- through a proxy, which alone knows the name --- */

const NAME = 'kinesis.test';
const WHO = { user: 'us er@example', password: 's3cret:/%41@?#' };

async function behindProxy(env, body) {
  const proxy = await Proxy.start(WHO);
  try {
    await withFront({ tls: { names: [NAME] } }, async (front) => {
      const asked = { AWS_CA_BUNDLE: await certificates.bundle(), TELEMETRY_PROXY: proxy.url, ...env(proxy) };
      await body(async (options) => {
        const steps = await check(front.url.replace('localhost', NAME), { env: asked, ...options });
        const text = JSON.stringify(steps);
        assert.deepEqual(proxy.secrets.filter((secret) => text.includes(secret)), []);
        return steps;
      }, proxy, front);
    });
  } finally {
    await proxy.stop();
  }
}

test('through a proxy, by user and password', () => behindProxy(() => ({}), async (run, proxy, front) => {
  const steps = await run();
  assert.deepEqual(statuses(steps), WELL.with(STEPS.indexOf('proxy'), 'ok'));
  assert.equal(steps.tcp.message, `127.0.0.1:${proxy.port} connected`);
  assert.equal(steps.proxy.message, `127.0.0.1:${proxy.port}: a tunnel`);
  assert.match(steps.tls.message, /; certificate until \d/);
  assert.deepEqual(proxy.tunnels, [`${NAME}:${front.port}`]);
}));

const proxies = {
  'a proxy that wants a password': ['proxy', ({ port }) => ({ TELEMETRY_PROXY: `http://127.0.0.1:${port}` }), /407/],
  'a proxy that says nothing': ['proxy', (proxy) => {
    proxy.mood = 'forgets';
  }, /in time/],
  'a server behind a proxy that is not trusted': ['tls', () => ({ AWS_CA_BUNDLE: null }), /trusted authority/]
};
for (const [what, [step, env, message]] of Object.entries(proxies)) {
  test(what, () => behindProxy(env, async (run) => {
    fails(await run(), step, message, step === 'proxy' ? /TELEMETRY_PROXY/ : /AWS_CA_BUNDLE/);
  }));
}

test('a proxy that is gone', () => behindProxy(() => ({}), async (run, proxy) => {
  await proxy.leave();
  fails(await run(), 'tcp', new RegExp(`127\\.0\\.0\\.1:${proxy.port} Connection refused`), /^correct TELEMETRY_PROXY/);
}));

test('a proxy whose name does not exist', () => behindProxy(() => ({ TELEMETRY_PROXY: 'http://nowhere.invalid' }), async (run) => {
  fails(await run(), 'name', /^[a-z ]+$/, /^correct TELEMETRY_PROXY/);
}));

/* --- what the service replies --- */

const denied = (why, action = 'kinesis:PutRecords', resource = ARN) =>
  `User: ${USER} is not authorized to perform: ${action} on resource: ${resource} ${why}`;
const ADD = /^add to the policy that is named, or the role's/;
const STATEMENT = { Effect: 'Allow', Action: 'kinesis:PutRecords', Resource: ARN };

const replies = {
  'a secret key of another access key': ['signature', { env: { AWS_SECRET_ACCESS_KEY: 'another' } },
    /InvalidSignatureException: the signature is wrong$/, /AWS_SECRET_ACCESS_KEY/],
  SignatureDoesNotMatch: ['signature', { fault: refuse(403, 'SignatureDoesNotMatch', 'secret canonical string') },
    /^403 SignatureDoesNotMatch: the signature is wrong$/, /AWS_SECRET_ACCESS_KEY/],
  'an access key that is not known': ['signature', { env: { AWS_ACCESS_KEY_ID: 'AKIDOTHER' } },
    /UnrecognizedClientException: the access key is not known$/, /AWS_ACCESS_KEY_ID/],
  'a request whose signature was taken off': ['signature', { fault: refuse(400, 'MissingAuthenticationTokenException') },
    /the signature did not arrive/, /on the way/],
  'a session token that has expired': ['signature', { fault: refuse(400, 'ExpiredTokenException', 'The security token included in the request is expired') },
    /ExpiredTokenException: the session token has expired/, /AWS_SESSION_TOKEN/],
  'a page of something in between': ['signature', { fault: page(403, 'text/html', '<html>Blocked</html>') },
    /^403: the reply is not the service's$/, /on the way/],
  'a reply that is no reply to PutRecords': ['signature', { fault: page(200, 'text/html', '<html>Welcome</html>') },
    /not the service's/, /on the way/],
  'a service that fails': ['signature', { fault: refuse(500, 'InternalFailure') }, /the service fails/, /later/],
  'a service that says nothing': ['signature', { fault: silence() }, /no reply in time/, /on the way/],
  'no policy allows it': ['permission', { fault: refuse(400, 'AccessDeniedException',
    denied('because no identity-based policy allows the kinesis:PutRecords action')) },
  /AccessDeniedException: not allowed: User: .* is not authorized to perform/, ADD, STATEMENT],
  'the endpoint of the VPC does not allow it': ['permission', { fault: refuse(400, 'AccessDeniedException',
    denied('because no VPC endpoint policy allows the kinesis:PutRecords action')) },
  /VPC endpoint policy/, ADD, STATEMENT],
  'a policy denies it': ['permission', { fault: refuse(400, 'AccessDeniedException',
    denied('with an explicit deny in a service control policy')) },
  /explicit deny/, /let none deny it/, STATEMENT],
  'a refusal that does not say what is missing': ['permission', { fault: refuse(403, 'AccessDenied', 'Access Denied') },
    /Access Denied/, ADD, { ...STATEMENT, Resource: 'arn:aws:kinesis:us-east-1:*:stream/logs' }],
  'no such stream': ['stream', { fault: refuse(400, 'ResourceNotFoundException', 'Stream logs under account 000000000000 not found.') },
    /ResourceNotFoundException: there is no such stream: Stream logs under account/, /create it, or correct KINESIS_STREAM_NAME/],
  'a code that nobody expects': ['stream', { fault: refuse(400, 'ValidationException', 'secret value') },
    /^400 ValidationException: refused$/, /look the code up/]
};
for (const [what, [step, { env, fault }, message, remedy, statement]] of Object.entries(replies)) {
  test(what, () => withFront({}, async (front) => {
    front.fault = fault ?? null;
    const steps = await check(front.url, { env });
    fails(steps, step, message, remedy);
    if (statement) {
      assert.deepEqual(JSON.parse(steps[step].remedy.replace(/^[^{]+/, '')), statement);
    }
    for (const one of STEPS.slice(STEPS.indexOf('clock'), STEPS.indexOf(step))) {
      assert.equal(steps[one].status, front.fault === null || steps.clock.status === 'ok' ? 'ok' : 'notChecked', one);
    }
  }));
}

for (const sign of [1, -1]) {
  test(`a clock that is ${sign > 0 ? 'behind' : 'ahead'} by an hour: told, and signed by the service's`, () => withFront({}, async (front) => {
    front.clockOffsetMs = sign * 3_600_000;
    const steps = await check(front.url);
    assert.deepEqual([steps.clock.status, steps.signature.status, steps.stream.status, steps.status], ['warning', 'ok', 'ok', 0]);
    assert.match(steps.clock.message, sign > 0 ? /is ahead of ours by 3\d\d\d s$/ : /is behind ours by 3\d\d\d s$/);
    assert.equal(front.statistics.requests, 2);
  }));
}

test('a clock that is wrong by days', () => withFront({}, async (front) => {
  front.clockOffsetMs = 3 * 86_400_000;
  fails(await check(front.url), 'clock', /is ahead of ours by 259\d\d\d s$/, /set the clock/);
}));

const THROTTLED = refuse(400, 'ThrottlingException', 'Rate exceeded for stream logs.');

test('a dry run that is throttled is made again, a second later', () => withFront({}, async (front) => {
  front.fault = times(1, THROTTLED);
  const steps = await check(front.url);
  assert.deepEqual([steps.stream.status, front.statistics.requests], ['ok', 2]);
  assert.ok(steps.signature.ms > 1_000 && steps.signature.ms < STEP_MS, `${steps.signature.ms}`);
}));

test('a dry run that is throttled again: nothing is known, and nothing has failed', () => withFront({}, async (front) => {
  front.fault = THROTTLED;
  const steps = await check(front.url);
  assert.deepEqual(['signature', 'permission', 'stream', 'key'].map((step) => steps[step].status),
    ['notChecked', 'notChecked', 'warning', 'notChecked']);
  assert.match(steps.stream.message, /400 ThrottlingException: throttled/);
  assert.deepEqual([steps.status, front.statistics.requests], [0, 2]);
}));

test('a dry run that is throttled late: there is no time for another', () => withFront({}, async (front) => {
  front.fault = async (exchange) => {
    await delay(1_400)(exchange);
    return THROTTLED(exchange);
  };
  const steps = await check(front.url);
  assert.deepEqual([steps.stream.status, steps.status, front.statistics.requests], ['warning', 0, 1]);
}));

/* --- what only writing shows --- */

const keys = {
  KMSDisabledException: /^enable it/,
  KMSInvalidStateException: /^enable it/,
  KMSNotFoundException: /another/,
  KMSAccessDeniedException: /kms:GenerateDataKey/
};
for (const [code, remedy] of Object.entries(keys)) {
  test(`${code}: seen by writing alone`, () => withFront({}, async (front) => {
    const fault = refuse(400, code, `${ARN}: the key`);
    front.fault = (exchange) => !exchange.call.DryRun && fault(exchange);
    const dry = await check(front.url);
    assert.deepEqual([dry.key.status, dry.status], ['notChecked', 0]);
    assert.match(dry.key.message, /--check=write/);
    fails(await check(front.url, { write: true }), 'key', new RegExp(`^400 ${code}: the KMS key.*: the key$`), remedy);
  }));
}

test('a record that is refused by itself', () => withFront({}, async (front) => {
  front.fault = (exchange) => {
    if (exchange.call.DryRun) {
      return false;
    }
    exchange.send(exchange.results([{ ErrorCode: 'ProvisionedThroughputExceededException', ErrorMessage: 'Rate exceeded' }]));
    return true;
  };
  const steps = await check(front.url, { write: true });
  assert.deepEqual([steps.key.status, steps.status], ['warning', 0]);
  assert.match(steps.key.message, /ProvisionedThroughputExceededException/);
}));

async function withLetters(body) {
  const s3 = await S3.start({ plain: true, buckets: ['letters'] });
  try {
    await withFront({}, async (front) => {
      front.fault = taking([]);
      await body(front, s3, {
        AWS_ENDPOINT_URL_S3: s3.url, TELEMETRY_DEAD_LETTER: 's3://letters/of/mine', AWS_LAMBDA_FUNCTION_NAME: 'function'
      });
    });
    assert.deepEqual(s3.violations, []);
  } finally {
    await s3.stop();
  }
}

test('the bucket of dead letters: an empty object, by --check=write alone', () => withLetters(async (front, s3, env) => {
  const dry = await check(front.url, { env });
  assert.equal(dry.deadLetter.status, 'notChecked');
  assert.equal(s3.statistics.requests, 0);
  const steps = await check(front.url, { env, write: true });
  assert.equal(steps.deadLetter.status, 'ok');
  const objects = await s3.objects('letters');
  assert.deepEqual(objects.map(({ key, body }) => [key.startsWith('of/mine/'), body.length]), [[true, 0]]);
}));

const letters = {
  'a bucket that is not allowed': [refuse(403, 'AccessDenied', 'Access Denied'), /not allowed/,
    /^add to the policy.*: \{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::letters\/of\/mine\*"\}$/],
  'a key of the bucket that is not allowed': [refuse(403, 'AccessDenied',
    denied('because no identity-based policy allows the kms:GenerateDataKey action', 'kms:GenerateDataKey', 'arn:aws:kms:us-east-1:000000000000:key/k')),
  /not allowed/, /"Action":"kms:GenerateDataKey","Resource":"arn:aws:kms:us-east-1:000000000000:key\/k"/],
  'a bucket that does not exist': [refuse(404, 'NoSuchBucket', 'The specified bucket does not exist'), /no such bucket/, /TELEMETRY_DEAD_LETTER/],
  'a bucket that does not answer': [silence(), /no reply in time/, /on the way/]
};
for (const [what, [fault, message, remedy]] of Object.entries(letters)) {
  test(what, () => withLetters(async (front, s3, env) => {
    s3.fault = fault;
    const steps = await check(front.url, { env, write: true });
    fails(steps, 'deadLetter', message, remedy);
    /* the rest can be delivered */
    assert.equal(steps.result.message, 'a step has failed');
  }));
}

test('a proxy that does not let the bucket through', () => behindProxy(() => ({ TELEMETRY_DEAD_LETTER: 's3://letters' }),
  async (run, proxy, front) => {
    const accept = taking([]);
    front.fault = (exchange) => {
      proxy.mood = exchange.call.DryRun ? 'serves' : 'denies';
      return accept(exchange);
    };
    fails(await run({ write: true }), 'deadLetter', /^the proxy answered \(407\)$/, /on the way/);
    assert.equal(proxy.tunnels.at(-1), 'letters.s3.us-east-1.amazonaws.com:443');
  }));

/* --- how it is started --- */

for (const args of [['--check', '--jsn'], ['--check=all'], ['--check', '--json', '--json'], ['--json'], ['--json', '--check']]) {
  test(`${args.join(' ')}: usage, exit 2`, async () => {
    const { status, stdout, stderr } = await run(BINARY, args, {});
    assert.deepEqual([status, stdout], [2, '']);
    assert.match(stderr, /--check/);
  });
}

/* As the builds with sanitizers are. */
const dynamic = !EMULATED && readFileSync(BINARY).includes('/ld-linux');
const confined = EMULATED || dynamic ? 'it needs more than the file' : process.getuid() !== 0 && 'needs root';

test('a read-only root without a shell, or anything but the file', { skip: confined }, () => withFront({ tls: {} }, async (front) => {
  const root = await temporaryFolder('root-');
  try {
    await mkdir(join(root, 'opt'));
    await copyFile(BINARY, join(root, 'opt', 'extension'));
    await writeFile(join(root, 'ca.pem'), await readFile(await certificates.bundle()));
    const script = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && cd "$0" && ! touch x 2>/dev/null && ' +
      'exec chroot . /opt/extension "$@"';
    const steps = await check(front.url, {
      file: '/usr/bin/unshare', args: ['--mount', '/bin/sh', '-c', script, root],
      env: { AWS_CA_BUNDLE: '/ca.pem', PATH: process.env.PATH }
    });
    /* without /etc/hosts localhost has both addresses, and the front listens at one */
    assert.deepEqual(statuses(steps), WELL.with(STEPS.indexOf('tcp'), 'warning'));
    assert.match(steps.tcp.message, /\[0000:[0:]*:0001\]:\d+ Connection refused.*127\.0\.0\.1:\d+ connected/);
  } finally {
    removeFolder(root);
  }
}));

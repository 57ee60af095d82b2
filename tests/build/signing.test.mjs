/*
 * What layer/README.md shows of AWS Signer and code-signing configurations, by AWS's command line, which knows every
 * parameter; AWS is played here, in no more than the answers that these commands read. Skipped where there is no `aws`.
 */
import assert from 'node:assert/strict';
import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { delimiter, join } from 'node:path';
import { after, before, test } from 'node:test';
import { buffer } from 'node:stream/consumers';
import { snippet } from '../e2e/support/documents.mjs';
import { removeFolder, temporaryFolder } from '../e2e/support/folder.mjs';
import { TOP, call } from './support.mjs';

const ZIP = 'kinesis-telemetry-api-extension.zip';
const PROFILE = 'arn:aws:signer:eu-central-1:123456789012:/signing-profiles/telemetry/1';
const CONFIG = 'arn:aws:lambda:eu-central-1:123456789012:code-signing-config:csc-0123456789abcdef0';

/* [request, answer]: the first whose request fits. What is uploaded comes back signed, which shows by a word more. */
const ANSWERS = [
  [/^PUT \/signing-profiles\/telemetry$/, () => ({ profileVersionArn: PROFILE })],
  [/^GET \/signing-profiles\/telemetry$/, () => ({ profileVersionArn: PROFILE })],
  [/^PUT \/my-bucket\/unsigned\//, () => ''],
  [/^POST \/signing-jobs$/, () => ({ jobId: 'a-job' })],
  [/^GET \/signing-jobs\/a-job$/, () =>
    ({ status: 'Succeeded', signedObject: { s3: { bucketName: 'my-bucket', key: 'signed/a-job.zip' } } })],
  [/^GET \/my-bucket\/signed\/a-job\.zip$/, () => Buffer.concat([aws.calls[1].body, Buffer.from(' signed')])],
  [/^POST \/\S+\/layers\/kinesis-telemetry-api-extension\/versions$/, () => ({ Version: 1 })],
  [/^POST \/\S+\/code-signing-configs\/?$/, () => ({ CodeSigningConfig: { CodeSigningConfigArn: CONFIG } })],
  [/^PUT \/\S+\/functions\/my-function\/code-signing-config$/, () =>
    ({ CodeSigningConfigArn: CONFIG, FunctionName: 'my-function' })]
];

const aws = { calls: [], program: '' };

async function found() {
  const folders = [join(TOP, 'build/python/bin'), ...process.env.PATH.split(delimiter)];
  for (const folder of folders) {
    if (await access(join(folder, 'aws')).then(() => true, () => false)) {
      return folder;
    }
  }
  return '';
}

before(async () => {
  aws.program = await found();
  aws.server = createServer(async (request, response) => {
    const line = `${request.method} ${request.url.split('?')[0]}`;
    aws.calls.push({ line, body: await buffer(request) });
    const answer = ANSWERS.find(([pattern]) => pattern.test(line))?.[1]();
    response.writeHead(answer === undefined ? 404 : 200, { 'x-amz-version-id': 'a-version' });
    response.end(typeof answer === 'object' && !Buffer.isBuffer(answer) ? JSON.stringify(answer) : answer);
  });
  aws.server.listen(0, '127.0.0.1');
  await once(aws.server, 'listening');
});
after(() => aws.server.close());

/* In a folder with the zip, and a build.sh that tells what it was asked. */
async function run(t, name) {
  if (aws.program === '') {
    return t.skip('no `aws` here: build/python has one after ./build.sh test cdk');
  }
  const folder = await temporaryFolder('signing ');
  await mkdir(join(folder, 'layer/dist'), { recursive: true });
  await writeFile(join(folder, 'layer/dist', ZIP), 'the zip');
  await writeFile(join(folder, 'build.sh'), '#!/bin/sh\necho "$*: $(cat "$2")" >asked\n', { mode: 0o755 });
  aws.calls.length = 0;
  const env = {
    PATH: `${aws.program}:${process.env.PATH}`, HOME: folder, AWS_DEFAULT_REGION: 'eu-central-1', AWS_ACCESS_KEY_ID: 'a',
    AWS_SECRET_ACCESS_KEY: 'b', AWS_ENDPOINT_URL: `http://127.0.0.1:${aws.server.address().port}`,
    AWS_EC2_METADATA_DISABLED: 'true', AWS_MAX_ATTEMPTS: '1', AWS_PAGER: ''
  };
  const { status, stderr } = await call('sh', ['-euc', snippet(name)], { cwd: folder, env });
  assert.equal(status, 0, stderr);
  return { folder, lines: aws.calls.map((one) => one.line), json: (i) => JSON.parse(aws.calls[i].body) };
}

test('signing: uploaded, signed by that version, verified, published', async (t) => {
  const ran = await run(t, 'signing');
  if (ran === undefined) {
    return;
  }
  assert.deepEqual(ran.lines.slice(0, -1), ['PUT /signing-profiles/telemetry', `PUT /my-bucket/unsigned/${ZIP}`,
    'POST /signing-jobs', 'GET /signing-jobs/a-job', 'GET /signing-jobs/a-job', 'GET /my-bucket/signed/a-job.zip']);
  assert.match(ran.lines.at(-1), /^POST \/\S+\/layers\/kinesis-telemetry-api-extension\/versions$/);
  assert.equal(ran.json(0).platformId, 'AWSLambda-SHA384-ECDSA');
  assert.deepEqual(ran.json(2).source, { s3: { bucketName: 'my-bucket', key: `unsigned/${ZIP}`, version: 'a-version' } });
  assert.deepEqual(ran.json(2).destination, { s3: { bucketName: 'my-bucket', prefix: 'signed/' } });
  assert.match(await readFile(join(ran.folder, 'asked'), 'utf8'), /^verify signed\.zip: the zip signed\n$/);
  const published = ran.json(ran.lines.length - 1);
  assert.deepEqual(published.Content, { S3Bucket: 'my-bucket', S3Key: 'signed/a-job.zip' });
  assert.deepEqual(published.CompatibleArchitectures, ['x86_64', 'arm64']);
  removeFolder(ran.folder);
});

test('a code-signing configuration: allows the profile\'s version, and is the function\'s', async (t) => {
  const ran = await run(t, 'code-signing');
  if (ran === undefined) {
    return;
  }
  assert.deepEqual(ran.json(1).AllowedPublishers, { SigningProfileVersionArns: [PROFILE] });
  assert.deepEqual(ran.json(1).CodeSigningPolicies, { UntrustedArtifactOnDeployment: 'Enforce' });
  assert.match(ran.lines[2], /functions\/my-function\/code-signing-config$/);
  assert.deepEqual(ran.json(2), { CodeSigningConfigArn: CONFIG });
  removeFolder(ran.folder);
});

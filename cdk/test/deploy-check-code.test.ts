// What the two functions behind checkAtDeploy do: the one with programs that say what the real one says, the
// other with AWS's clients played by the tests and CloudFormation's address on loopback.
import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { CHECKER, RESPONDER } from '../lib/deploy-check-code';
import { temporaryFolder } from './support/temporary';

const OK = '{"step":"tls","status":"ok","ms":12.345,"message":"TLS 1.2"}\n{"step":"key","status":"notChecked"}\n{"step":"result","status":"ok"}\n';
const FAILED = [
  '{"step":"settings","status":"warning","ms":0.1,"message":"TELEMETRY_X is none"}',
  '{"step":"permission","status":"failed","ms":1,"message":"kinesis:PutRecords is denied","remedy":"Attach the policy"}',
  '{"step":"stream","status":"failed","message":"no stream s"}',
  '{"step":"result","status":"failed"}\n',
].join('\n');

describe('the function that runs the program', () => {
  const run = async (program: string, variables: Record<string, string> = {}) => {
    const folder = temporaryFolder();
    const path = join(folder, 'kinesis-telemetry-api-extension');
    writeFileSync(path, `#!/bin/sh\n${program}`);
    chmodSync(path, 0o644);
    writeFileSync(join(folder, 'index.js'), CHECKER);
    const before = { ...process.env };
    Object.assign(process.env, { TMPDIR: temporaryFolder(), ...variables });
    try {
      return await createRequire(join(folder, 'index.js'))('./index.js').handler();
    } finally {
      process.env = before;
    }
  };

  it('hands on what it says, with its arguments, its environment and its status', async () => {
    assert.deepEqual(await run('echo "$@ $TELEMETRY_FLUSH"; echo warning >&2', { TELEMETRY_FLUSH: 'end' }), { status: 0, stdout: '--check --json end\n', stderr: 'warning\n' });
    assert.deepEqual(await run('echo line; exit 1'), { status: 1, stdout: 'line\n', stderr: '' });
  });

  it('tells how it was ended', async () => {
    assert.deepEqual(await run('kill -TERM $$'), { status: 'SIGTERM', stdout: '', stderr: '' });
  });

  it('checks nothing with roots that only the functions have', async () => {
    const { status, stdout } = await run('echo never', { AWS_CA_BUNDLE: '/opt/theirs/roots.pem' });
    const lines = stdout.split('\n').map((line: string) => JSON.parse(line));
    assert.equal(status, 0);
    assert.deepEqual(lines.map((line: any) => [line.step, line.status]), [['settings', 'notChecked'], ['result', 'notChecked']]);
    assert.match(lines[0].message, /^\/opt\/theirs\/roots\.pem /);
    assert.equal((await run('echo checked', { AWS_CA_BUNDLE: __filename })).stdout, 'checked\n');
  });
});

/** What CloudFormation is told, and the log. */
interface Outcome {
  readonly answers: any[];
  readonly bytes: number;
  readonly headers: any;
  readonly log: string[];
  readonly invoked: number;
  readonly error?: Error;
}

interface Given {
  readonly RequestType?: string;
  readonly PhysicalResourceId?: string;
  /** One for each time; the last for all that follow. */
  readonly payloads?: (object | Error)[];
  readonly state?: string | Error;
  readonly patienceMs?: number;
  /** Of the answers to answers. */
  readonly statuses?: number[];
}

const SAID = { status: 0, stdout: OK, stderr: '' };

async function respond({ RequestType = 'Create', PhysicalResourceId, payloads = [SAID], state, patienceMs = 0, statuses = [200] }: Given): Promise<Outcome> {
  const outcome = { answers: [] as any[], bytes: 0, headers: {}, log: [] as string[], invoked: 0 };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk)).on('end', () => {
      const body = Buffer.concat(chunks);
      outcome.headers = request.headers;
      outcome.bytes = body.length;
      outcome.answers.push(JSON.parse(body.toString()));
      response.writeHead(statuses[Math.min(outcome.answers.length, statuses.length) - 1]).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const modules: Record<string, object> = {
    '@aws-sdk/client-lambda': {
      LambdaClient: class {
        public send({ FunctionName }: any) {
          assert.equal(FunctionName, 'arn:checker');
          const payload = payloads[Math.min(outcome.invoked++, payloads.length - 1)];
          if (payload instanceof Error) {
            return Promise.reject(payload);
          }
          const FunctionError = 'errorMessage' in payload ? 'Unhandled' : undefined;
          return Promise.resolve({ FunctionError, Payload: new TextEncoder().encode(JSON.stringify(payload)) });
        }
      },
      InvokeCommand: class { public constructor(input: object) { Object.assign(this, input); } },
    },
    '@aws-sdk/client-cloudformation': {
      CloudFormationClient: class {
        public send({ StackName }: any) {
          assert.equal(StackName, 'arn:stack');
          return state instanceof Error ? Promise.reject(state) : Promise.resolve({ Stacks: [{ StackStatus: state }] });
        }
      },
      DescribeStacksCommand: class { public constructor(input: object) { Object.assign(this, input); } },
    },
  };
  const module: any = {};
  // Time passes while it waits, and not otherwise.
  let now = 0;
  const globals = {
    exports: module,
    require: (name: string) => modules[name],
    console: { log: (line: string) => outcome.log.push(line) },
    process: { env: { PATIENCE_MS: String(patienceMs) } },
    Date: { now: () => now },
    setTimeout: (then: () => void, ms: number) => ((now += ms), then()),
  };
  new Function(...Object.keys(globals), RESPONDER)(...Object.values(globals));
  const event = {
    RequestType,
    PhysicalResourceId,
    ResponseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/answer?signed`,
    StackId: 'arn:stack',
    RequestId: 'request',
    LogicalResourceId: 'Check',
    ResourceProperties: { Function: 'arn:checker' },
  };
  let error: Error | undefined;
  try {
    await module.handler(event, { getRemainingTimeInMillis: () => 60000 });
  } catch (thrown) {
    error = thrown as Error;
  }
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  return { ...outcome, error };
}

describe('the function that answers CloudFormation', () => {
  it('says that all is well, with all lines in the log', async () => {
    const { answers, headers, log } = await respond({});
    assert.deepEqual(answers, [{ Status: 'SUCCESS', PhysicalResourceId: 'Check', StackId: 'arn:stack', RequestId: 'request', LogicalResourceId: 'Check' }]);
    // It would be part of what the address is signed for.
    assert.equal(headers['content-type'], undefined);
    assert.deepEqual(log, OK.trim().split('\n'));
  });

  it('gives the failed steps as the reason, with their remedies', async () => {
    const { answers, log } = await respond({ payloads: [{ status: 1, stdout: FAILED, stderr: '' }] });
    assert.equal(answers[0].Status, 'FAILED');
    assert.equal(answers[0].Reason, 'permission: kinesis:PutRecords is denied. Attach the policy; stream: no stream s');
    assert.deepEqual(log, FAILED.trim().split('\n'));
  });

  it('answers in 4096 bytes', async () => {
    const message = 'ü"'.repeat(5000);
    const { answers, bytes } = await respond({ payloads: [{ status: 1, stdout: `${JSON.stringify({ step: 'tls', status: 'failed', message })}\n`, stderr: '' }] });
    assert.ok(bytes <= 4096 && bytes > 4000, `${bytes}`);
    assert.match(answers[0].Reason, /^tls: ü"ü"/);
    assert.equal(answers[0].RequestId, 'request');
  });

  for (const [what, payload, reason] of [
    ['a program that says nothing', { status: 'SIGKILL', stdout: '', stderr: 'dead' }, /^the check ended with SIGKILL: dead$/],
    ['a program without a result', { status: 0, stdout: 'hello\n', stderr: '' }, /^the check ended with 0: hello\n$/],
    ['lines that are no JSON', { status: 1, stdout: '{"step\n', stderr: '' }, /^arn:checker: .*JSON/],
    ['a function that is ended', { errorMessage: 'Task timed out' }, /^arn:checker: Task timed out$/],
    ['a call that fails', new Error('AccessDenied'), /^arn:checker: AccessDenied$/],
  ] as [string, object | Error, RegExp][]) {
    it(`says what is wrong: ${what}`, async () => {
      const { answers } = await respond({ payloads: [payload] });
      assert.equal(answers.length, 1);
      assert.equal(answers[0].Status, 'FAILED');
      assert.match(answers[0].Reason, reason);
    });
  }

  it('tries again what may be a matter of time', async () => {
    const { answers, invoked, log } = await respond({ payloads: [new Error('AccessDenied'), { status: 1, stdout: FAILED, stderr: '' }, SAID], patienceMs: 60000 });
    assert.deepEqual([answers[0].Status, invoked], ['SUCCESS', 3]);
    assert.deepEqual(log.filter((line) => line.startsWith('Again')).map((line) => line.slice(0, 40)), ['Again in 5 s: arn:checker: AccessDenied', 'Again in 5 s: permission: kinesis:PutRec']);
  });

  it('does not try again for ever, and settings not at all', async () => {
    const settings = '{"step":"settings","status":"failed","message":"m"}\n';
    const patienceMs = 60000;
    const [late, at] = await Promise.all([FAILED, settings].map((stdout) => respond({ payloads: [{ status: 1, stdout, stderr: '' }], patienceMs })));
    assert.equal(late.invoked, 12);
    assert.deepEqual([late, at].map(({ answers }) => answers[0].Status), ['FAILED', 'FAILED']);
    assert.equal(at.invoked, 1);
  });

  it('deletes whatever there is, and asks nobody', async () => {
    const { answers, invoked } = await respond({ RequestType: 'Delete', PhysicalResourceId: 'old', payloads: [new Error('gone')] });
    assert.deepEqual([answers[0].Status, answers[0].PhysicalResourceId, invoked], ['SUCCESS', 'old', 0]);
  });

  it('checks updates, keeps their id, and lets roll-backs through', async () => {
    const payloads = [{ status: 1, stdout: FAILED, stderr: '' }];
    const update = { RequestType: 'Update', PhysicalResourceId: 'old', payloads };
    for (const [state, status] of [
      ['UPDATE_IN_PROGRESS', 'FAILED'],
      ['UPDATE_ROLLBACK_IN_PROGRESS', 'SUCCESS'],
      [new Error('denied'), 'FAILED'],
    ] as [string | Error, string][]) {
      const { answers } = await respond({ ...update, state });
      assert.deepEqual([answers[0].Status, answers[0].PhysicalResourceId], [status, 'old'], `${state}`);
    }
  });

  it('answers again where that fails, and ends with an error at last, so that Lambda calls again', async () => {
    const again = await respond({ statuses: [500, 503, 200] });
    assert.deepEqual([again.answers.length, again.error], [3, undefined]);
    const never = await respond({ statuses: [403] });
    assert.deepEqual([never.answers.length, never.error?.message], [3, 'CloudFormation took no answer: 403']);
  });
});

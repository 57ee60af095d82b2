/*
 * A stream that fails: nothing is lost, or what is lost is counted, and the function never waits longer
 * than the budget says.
 */
import assert from 'node:assert/strict';
import * as faults from './support/faults.mjs';
import { jsonRecords } from './support/lines.mjs';
import { allDelivered, data, finished, log, useBench } from './support/scenario.mjs';
import { assertNoneLost, assertSame } from './support/tally.mjs';

const { scenario } = useBench();

/* Where nothing can be delivered, the time until the deadline is spent trying. */
const HOPELESS = { platform: { shutdownMs: 2_500 } };
const THROTTLED_ONLY = { results: [faults.THROTTLED] };
const INTERNAL_ONLY = { results: [faults.INTERNAL] };

for (const [what, options] of [['mixed', {}], ['throttled', THROTTLED_ONLY], ['internal', INTERNAL_ONLY]]) {
  scenario(`30 % of the records of each call fail (${what})`, { shards: 16 }, async (stand) => {
    stand.front.fault = faults.failRecords(0.3, options);
    const records = jsonRecords(2_000);
    for (let at = 0; at < records.length; at += 500) {
      await log(stand, records.slice(at, at + 500));
    }
    const end = await allDelivered(stand, records.length);
    assertSame(data(records), data(end.records));
    assert.ok(stand.front.statistics.failedRecords > 500);
    assert.ok(end.ledger.retried >= stand.front.statistics.failedRecords);
  });
}

/* Invocations of 20 lines, some 50 a second, until `over` says so or 20 seconds have passed. */
async function keepLogging(stand, over) {
  const records = [];
  const end = performance.now() + 20_000;
  while (!over() && performance.now() < end) {
    const some = jsonRecords(20, 200, `outage-${records.length}`);
    records.push(...some);
    await log(stand, some);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return records;
}

for (const flush of ['end', 'continuous']) {
  scenario(`500 for two seconds while logs keep coming, flush policy ${flush}`,
    { shards: 32, env: { TELEMETRY_FLUSH: flush } }, async (stand) => {
      const outage = { since: null, refused: 0 };
      const refuse = faults.refuse(500, 'InternalFailure', 'Internal service failure.');
      const over = () => outage.since !== null && performance.now() >= outage.since + 2_000;
      stand.front.fault = (exchange) => {
        outage.since ??= performance.now();
        outage.refused += over() ? 0 : 1;
        return !over() && refuse(exchange);
      };
      const records = await keepLogging(stand, over);
      assert.ok(over() && outage.refused > 1, `${outage.refused} calls refused`);
      const end = await allDelivered(stand, records.length);
      assertSame(data(records), data(end.records));
    });
}

/* Faults that are over after some requests and lose nothing: all is sent again, once. */
const passing = [
  ['503', faults.refuse(503, 'ServiceUnavailableException')],
  ['502 with an HTML page', faults.page(502, 'text/html', '<html><body>Bad Gateway</body></html>')],
  ['504 with an empty body', faults.page(504, 'text/plain', '')],
  ['400 throttled', faults.refuse(400, 'ProvisionedThroughputExceededException')],
  ['400 with a name space', faults.refuse(400, 'com.amazonaws.kinesis.v20131202#LimitExceededException')],
  ['400 KMS throttled', faults.refuse(400, 'KMSThrottlingException')],
  ['429', faults.page(429, 'application/json', '{}')],
  ['a close before the reply', faults.close('before')],
  ['a reset before the reply', faults.close('before', { how: 'reset' })],
  ['a close in the head of the reply', faults.close('head')],
  ['a close in the body of the reply', faults.close('body')],
  ['a reply that is not HTTP', (exchange) => {
    exchange.socket.write('SSH-2.0-OpenSSH_9.2\r\n\r\n');
    exchange.close();
    return true;
  }],
  ['200 with a body that is not JSON', faults.page(200, 'application/x-amz-json-1.1', '{"FailedRecordCount":0,"Rec')],
  ['200 with too few results', faults.page(200, 'application/x-amz-json-1.1', '{"FailedRecordCount":0,"Records":[]}')]
];
for (const [what, fault] of passing) {
  scenario(`passing fault: ${what}`, {}, async (stand) => {
    stand.front.fault = faults.times(2, fault);
    const records = jsonRecords(50);
    await log(stand, records);
    const end = await allDelivered(stand, records.length);
    assertSame(data(records), data(end.records));
    assert.ok(end.ledger.retried > 0);
  });
}

/* The records arrived but the client cannot know: they may come twice, never not at all. */
const accepted = [
  ['a close before the reply', faults.close('before', { accepted: true })],
  ['a close in the body of the reply', faults.close('body', { accepted: true })],
  ['silence', faults.silence({ accepted: true })]
];
for (const [what, fault] of accepted) {
  const options = { env: { TELEMETRY_REQUEST_TIMEOUT_MS: '1500' } };
  scenario(`accepted, then ${what}: at least once`, options, async (stand) => {
    stand.front.fault = faults.times(1, fault);
    const records = jsonRecords(50);
    await log(stand, records);
    const end = await allDelivered(stand, records.length);
    assertNoneLost(data(records), data(end.records));
  });
}

scenario('silence: given up after the request time-out, sent again', { env: { TELEMETRY_REQUEST_TIMEOUT_MS: '300' } },
  async (stand) => {
    stand.front.fault = faults.times(2, faults.silence());
    const records = jsonRecords(5);
    await log(stand, records);
    const end = await allDelivered(stand, records.length);
    assertNoneLost(data(records), data(end.records));
    assert.ok(stand.front.statistics.connections >= 3);
  });

/* Refusals that sending again does not heal: one clear line, counted, the function goes on. */
const lasting = [
  ['AccessDeniedException',
    faults.refuse(400, 'AccessDeniedException', 'User is not authorized to perform: kinesis:PutRecords')],
  ['KMSDisabledException', faults.refuse(400, 'KMSDisabledException')]
];
for (const [type, fault] of lasting) {
  scenario(`lasting refusal: ${type}`, HOPELESS, async (stand) => {
    stand.front.fault = fault;
    for (let i = 0; i < 3; i += 1) {
      await log(stand, jsonRecords(10, 200, `round-${i}`));
    }
    const end = await finished(stand);
    assert.deepEqual([end.ledger.received, end.ledger.delivered, end.ledger.dropped.total], [30, 0, 30]);
    assert.ok(stand.logsOf(['error', 'warn']).some((one) => JSON.stringify(one).includes(type)));
  });
}

scenario('a missing stream', { ...HOPELESS, shards: 0, stream: 'absent' }, async (stand) => {
  for (let i = 0; i < 3; i += 1) {
    await log(stand, jsonRecords(10, 200, `round-${i}`));
  }
  const end = await finished(stand);
  assert.deepEqual([end.ledger.received, end.ledger.delivered, end.ledger.dropped.total], [30, 0, 30]);
  assert.ok(stand.logsOf(['error', 'warn']).some((one) => JSON.stringify(one).includes('ResourceNotFoundException')));
});

scenario('a wrong secret: refused by the signature, counted, never in the log',
  { ...HOPELESS, env: { AWS_SECRET_ACCESS_KEY: 'another-secret' } }, async (stand) => {
    await log(stand, jsonRecords(10));
    const end = await finished(stand);
    assert.deepEqual([end.ledger.delivered, end.ledger.dropped.total], [0, 10]);
    assert.ok(stand.front.refusals.every((one) => one.type === 'InvalidSignatureException'));
    assert.ok(stand.platform.lines.every((one) => !String(one.line).includes('another-secret')));
  });

scenario('a connection that nobody answers', { ...HOPELESS,
  env: { TELEMETRY_CONNECT_TIMEOUT_MS: '300', TELEMETRY_REQUEST_TIMEOUT_MS: '300' },
  onFront: (front) => { front.connectionFault = faults.mute; } }, async (stand) => {
  for (let i = 0; i < 3; i += 1) {
    await log(stand, jsonRecords(10, 200, `round-${i}`));
  }
  const end = await finished(stand);
  assert.deepEqual([end.ledger.delivered, end.ledger.dropped.total], [0, 30]);
});

/* After so many calls in a row that brought nothing an invocation is held no longer; nothing is dropped for it. */
for (const attempts of [1, 3]) {
  scenario(`AWS_MAX_ATTEMPTS=${attempts}`,
    { env: { AWS_MAX_ATTEMPTS: String(attempts), TELEMETRY_FLUSH_BUDGET_MS: '20000' } }, async (stand) => {
      stand.front.fault = faults.times(attempts, faults.failRecords(1, INTERNAL_ONLY));
      const records = jsonRecords(10);
      await log(stand, records);
      assert.equal(stand.front.statistics.requests, attempts);
      const end = await allDelivered(stand, records.length);
      assertSame(data(records), data(end.records));
      assert.equal(stand.front.statistics.requests, attempts + 1);
      assert.equal(end.ledger.retried, 10 * attempts);
    });
}

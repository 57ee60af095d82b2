/*
 * CBOR and JSON as the form of requests and replies, and how the extension goes from one to the other
 * where a server knows JSON alone. The other tests run over CBOR, which is the default.
 */
import assert from 'node:assert/strict';
import * as faults from './support/faults.mjs';
import { accepting, light } from './support/light.mjs';
import { jsonRecords, longLine, oddRecords } from './support/lines.mjs';
import { allDelivered, data, finished, log, useBench } from './support/scenario.mjs';
import { assertSame } from './support/tally.mjs';
import { until } from './support/until.mjs';
import { encode } from './support/wire.mjs';

const { scenario } = useBench();

const MIB = 1024 * 1024;
const JSON_FORM = { TELEMETRY_WIRE: 'json' };
/* Where nothing can be delivered, the time until the deadline is spent trying. */
const BRIEF = { platform: { shutdownMs: 1_500 } };
const REFUSED = /^PutRecords at localhost:\d+: CBOR is refused \(/;

/* --- over JSON ------------------------------------------------------------------------------------ */

scenario('JSON: 5,000 events in one invocation',
  { shards: 48, env: { ...JSON_FORM, TELEMETRY_QUEUE_MAX_BYTES: String(16 * MIB) } }, async (stand) => {
    const records = jsonRecords(5_000);
    await log(stand, records);
    const end = await allDelivered(stand, records.length);
    assertSame(data(records), data(end.records));
    assert.equal(stand.front.statistics.inCbor, 0);
  });

scenario('JSON: every kind of record is verbatim', { env: { ...JSON_FORM, TELEMETRY_RECORD_FORMAT: 'event' } },
  async (stand) => {
    await log(stand, [...oddRecords.map(([, record]) => record), longLine(250 * 1024, 'long')]);
    const end = await allDelivered(stand, oddRecords.length + 1);
    assertSame(stand.eventBytes('function'), data(end.records));
    assert.equal(stand.front.statistics.inCbor, 0);
  });

scenario('JSON: some of the records fail', { env: JSON_FORM }, async (stand) => {
  stand.front.fault = faults.times(3, faults.failRecords(0.3));
  const records = jsonRecords(400);
  await log(stand, records);
  const end = await allDelivered(stand, records.length);
  assertSame(data(records), data(end.records));
  assert.ok(end.ledger.retried > 0);
});

/* --- CBOR, whatever the replies are in -------------------------------------------------------------- */

/* null: kinesis-local's own. */
for (const replies of [null, 'cbor', 'definite', 'json']) {
  const what = replies ?? 'as they come';

  scenario(`replies to CBOR: ${what}; an error, records that fail, records that are accepted`, {
    onFront: (front) => {
      front.replies = replies;
    }
  }, async (stand) => {
    const throttled = faults.times(1, faults.refuse(400, 'ThrottlingException', 'Rate exceeded.'));
    const some = faults.times(3, faults.failRecords(0.3));
    stand.front.fault = (exchange) => throttled(exchange) || some(exchange);
    const records = jsonRecords(400);
    await log(stand, records);
    const end = await allDelivered(stand, records.length);
    assertSame(data(records), data(end.records));
    const { requests, inCbor, failedRecords } = stand.front.statistics;
    assert.ok(failedRecords > 50, `${failedRecords} records failed`);
    assert.equal(inCbor, requests);
    assert.equal(end.ledger.duplicatesPossible, 0);
    assert.ok(stand.logs.every(({ message }) => !REFUSED.test(message)));
  });

  light(`replies to CBOR: ${what}; what an error says is told`, BRIEF, async (stand) => {
    stand.front.replies = replies;
    stand.front.fault = faults.refuse(400, 'AccessDeniedException', 'User: arn:aws:sts::1:x is not authorized.');
    await stand.log(['a', 'b']);
    const { ledger } = await stand.finish();
    assert.deepEqual(stand.complaints.filter((one) => /400/.test(one)).map((one) => one.replace(/^.*:\d+: /, '')),
      ['400 AccessDeniedException: User: arn:aws:sts::1:x is not authorized.']);
    assert.deepEqual([ledger.delivered, ledger.dropped.total], [0, 2]);
  });
}

/* --- a server that knows JSON alone ------------------------------------------------------------------ */

function raw(status, type, body, fields = []) {
  return (exchange) => {
    exchange.send({ status, headers: [['Content-Type', type], ...fields], body });
    return true;
  };
}

const JSON_TYPE = 'application/x-amz-json-1.1';
const WAYS = {
  '415 without a body': raw(415, 'text/plain', ''),
  '415 in JSON': raw(415, JSON_TYPE, '{"__type":"UnsupportedMediaTypeException","message":"x"}'),
  '415, and it closes': (exchange) => {
    raw(415, 'text/plain', 'no', [['Connection', 'close']])(exchange);
    exchange.close();
    return true;
  },
  '400 SerializationException in JSON': raw(400, JSON_TYPE, '{"__type":"com.amazon.coral.service#SerializationException"}'),
  '400 SerializationException in CBOR': faults.refuse(400, 'SerializationException'),
  '400 UnknownOperationException in a header': raw(400, 'text/plain', '', [['x-amzn-ErrorType', 'UnknownOperationException']]),
  '403 MissingAuthenticationTokenException in XML': raw(403, 'text/xml',
    '<MissingAuthenticationTokenException>\n  <Message>Missing Authentication Token</Message>\n</MissingAuthenticationTokenException>\n'),
  '404 UnknownOperationException in XML': raw(404, 'text/plain', '<UnknownOperationException/>\n'),
  '404 without a body': raw(404, 'text/plain', ''),
  '400 with a page': raw(400, 'text/html', '<html><body>Bad Request</body></html>'),
  '406 with a text': raw(406, 'text/plain', 'Not Acceptable'),

  /* errors that are none of Kinesis' */
  '403 without a code': raw(403, 'text/plain', ''),
  '500 with a page': raw(500, 'text/html', '<!doctype html>\n<html lang=en>\n<title>500 Internal Server Error</title>\n'),
  '500 with a code of its own': raw(500, JSON_TYPE, '{"__type":"InternalError","message":"\'utf-8\' codec can\'t decode"}'),
  '501 with a code of its own': raw(501, JSON_TYPE, '{"__type":"NotImplemented","message":"x"}'),

  /* replies that cannot be read */
  '200 in half a JSON text': raw(200, JSON_TYPE, '{"FailedRecordCount":0,"Rec'),
  '200 in half a CBOR text': raw(200, 'application/x-amz-cbor-1.1',
    encode({ FailedRecordCount: 0, Records: [{ SequenceNumber: '1', ShardId: 's' }] }, 'cbor').subarray(0, -3)),
  '200 with a page': raw(200, 'text/html', '<html><body>It works!</body></html>'),
  '200 without a body': raw(200, 'text/plain', ''),
  204: raw(204, 'text/plain', '')
};

/* Of these ways, those that leave open whether the records have been written. */
const LEAVES_OPEN = /^(200|500|501)/;

/* One such server: `fault` before it, requests in CBOR refused in this way, the others taken. */
function knowsJsonAlone(stand, way, fault = () => false) {
  const refuse = faults.jsonOnly(way);
  const accept = accepting(stand.arrived);
  stand.front.fault = async (exchange) => await fault(exchange) || refuse(exchange) || accept(exchange);
}

/* The one line of it; warnings and errors are none of it. */
function assertTold(stand, complaints = []) {
  const told = stand.logs.filter(({ message }) => REFUSED.test(message));
  assert.deepEqual(told.map(({ level }) => level), ['info'], JSON.stringify(stand.logs));
  assert.deepEqual(stand.complaints, complaints);
}

/* With one attempt, any failure would open the breaker, and a refusal would send a record to the dead letter. */
for (const [what, way] of Object.entries(WAYS)) {
  light(`a server that knows JSON alone: ${what}`,
    { env: { AWS_MAX_ATTEMPTS: '1', TELEMETRY_DEAD_LETTER: 'stderr' } }, async (stand) => {
      let firstBatch = 0;
      knowsJsonAlone(stand, (exchange) => {
        firstBatch = exchange.call.Records.length;
        return way(exchange);
      });
      const lines = Array.from({ length: 700 }, (_, i) => `line ${i}`);
      await stand.log(lines);
      await stand.log(['last']);
      const { ledger, arrived } = await stand.finish();
      assert.deepEqual(arrived.sort(), [...lines, 'last'].sort());
      assertTold(stand);
      const { requests, inCbor } = stand.front.statistics;
      assert.equal(inCbor, 1);
      const { retried, duplicatesPossible, breakerOpenings, deadLettered, dropped } = ledger;
      assert.deepEqual({ retried, duplicatesPossible, breakerOpenings, deadLettered, dropped: dropped.total },
        { retried: 0, duplicatesPossible: LEAVES_OPEN.test(what) ? firstBatch : 0,
          breakerOpenings: 0, deadLettered: 0, dropped: 0 });
      assert.equal(ledger.requests, requests);
    });
}

scenario('a server that knows JSON alone, and the stream behind it', {
  onFront: (front) => {
    front.fault = faults.jsonOnly(WAYS['404 UnknownOperationException in XML']);
  }
}, async (stand) => {
  const records = jsonRecords(2_000);
  await log(stand, records);
  const end = await allDelivered(stand, records.length);
  assertSame(data(records), data(end.records));
  assert.equal(stand.front.statistics.inCbor, 1);
  assert.equal(end.ledger.retried, 0);
});

/* What failed before for another reason is no proof of CBOR. */
light('a server that knows JSON alone, after errors of another kind', {}, async (stand) => {
  const first = [faults.refuse(503, 'ServiceUnavailableException'), faults.refuse(500, 'InternalFailure')];
  knowsJsonAlone(stand, WAYS['415 without a body'], (exchange) => first.shift()?.(exchange));
  await stand.log(['a', 'b']);
  const { ledger, arrived } = await stand.finish();
  assert.deepEqual(arrived.sort(), ['a', 'b']);
  assert.equal(stand.logs.filter(({ message }) => REFUSED.test(message)).length, 1);
  assert.equal(ledger.retried, 4);
  const { inCbor, requests } = stand.front.statistics;
  assert.equal(requests, inCbor + 1);
});

/*
 * The records wait while the first call is held, so that the next one is as large as one may be: sent
 * again in JSON, a third longer, it is still within what a request may have.
 */
light('a server that knows JSON alone: the largest batch',
  { env: { TELEMETRY_QUEUE_MAX_BYTES: String(16 * MIB), TELEMETRY_FLUSH: 'continuous' } }, async (stand) => {
    const gate = faults.gate();
    const busy = faults.times(1, faults.refuse(503, 'ServiceUnavailableException'));
    let refusedBytes = 0;
    knowsJsonAlone(stand, (exchange) => {
      refusedBytes = exchange.request.body.length;
      return WAYS['415 without a body'](exchange);
    }, async (exchange) => {
      await gate.fault();
      return busy(exchange);
    });
    const lines = Array.from({ length: 500 }, (_, i) => `${i} ${'x'.repeat(10_000)}`);
    await stand.log(lines);
    await until('all events are taken', () => stand.platform.posts.filter(({ status }) => status === 200)
      .reduce((sum, { events }) => sum + events, 0) >= lines.length);
    gate.open();
    await until('all records', () => stand.arrived.length === lines.length);
    const { arrived } = await stand.finish();
    assert.deepEqual(arrived.sort(), [...lines].sort());
    const { maxBodyBytes, inCbor } = stand.front.statistics;
    assert.ok(refusedBytes > 3 * MIB, `the refused request had ${refusedBytes} bytes`);
    assert.ok(maxBodyBytes > 4 * MIB && maxBodyBytes <= 5 * MIB, `the largest request had ${maxBodyBytes} bytes`);
    assert.equal(inCbor, 2);
  });

/* Nor does JSON help: told as an error, as ever. */
const HOPELESS = [
  ['404 UnknownOperationException in XML', '404 UnknownOperationException'],
  ['415 without a body', '415']
];
for (const [what, told] of HOPELESS) {
  light(`a server that refuses JSON like CBOR: ${what}`, BRIEF, async (stand) => {
    stand.front.fault = WAYS[what];
    await stand.log(['a', 'b']);
    const { ledger } = await stand.finish();
    assert.deepEqual([ledger.delivered, ledger.dropped.total], [0, 2]);
    assert.equal(stand.front.statistics.inCbor, 1);
    assert.ok(ledger.breakerOpenings > 0);
    assert.deepEqual(stand.complaints.map((one) => one.replace(/^.*:\d+: /, '')).filter((one) => one.startsWith('4')), [told]);
  });
}

/* Once CBOR has been taken, what looks like a refusal of it is a passing fault. */
for (const what of ['415 without a body', '404 without a body', '400 SerializationException in JSON',
  '403 MissingAuthenticationTokenException in XML', '500 with a page', '200 in half a JSON text']) {
  light(`CBOR was taken before: ${what}`, { env: { TELEMETRY_FLUSH: 'end' } }, async (stand) => {
    await stand.log(['first']);
    await until('the first line', () => stand.arrived.length === 1);
    const fault = faults.times(1, WAYS[what]);
    const accept = accepting(stand.arrived);
    stand.front.fault = (exchange) => fault(exchange) || accept(exchange);
    await stand.log(['second']);
    const { ledger, arrived } = await stand.finish();
    assert.deepEqual(arrived, ['first', 'second']);
    assert.equal(ledger.retried, 1);
    assert.ok(stand.logs.every(({ message }) => !REFUSED.test(message)));
    assert.equal(stand.front.statistics.inCbor, stand.front.statistics.requests);
  });
}

/* As kinesalite does: a small reply is whole, so that CBOR seems to be known; what it cuts has been written. */
light('replies in CBOR are cut from some size on', { env: { TELEMETRY_FLUSH: 'end' } }, async (stand) => {
  const accept = accepting(stand.arrived);
  stand.front.fault = (exchange) => {
    const { send } = exchange;
    exchange.send = ({ body, ...head }) => send.call(exchange,
      { ...head, body: exchange.form === 'cbor' ? body.subarray(0, 16 * 1024) : body });
    return accept(exchange);
  };
  await stand.log(['first']);
  await until('the first line', () => stand.arrived.length === 1);
  const lines = Array.from({ length: 2_000 }, (_, i) => `line ${i}`);
  await stand.log(lines);
  const { ledger, arrived } = await stand.finish();
  assert.deepEqual([...new Set(arrived)].sort(), ['first', ...lines].sort());
  assert.equal(ledger.delivered, lines.length + 1);
  assert.equal(ledger.duplicatesPossible, arrived.length - ledger.delivered);
  assert.equal(stand.front.statistics.inCbor, 3);
  assertTold(stand, stand.complaints.filter((one) => one.endsWith('the reply cannot be read')));
  assert.equal(stand.complaints.length, 1);
});

/* In neither form a reply that can be read, although the records have been written: each of them counts. */
light('replies that cannot be read, before the first success', {}, async (stand) => {
  const accept = accepting(stand.arrived);
  const cut = faults.times(4, (exchange) => {
    const { send } = exchange;
    exchange.send = ({ body, ...head }) => send.call(exchange, { ...head, body: body.subarray(0, -5) });
    return accept(exchange);
  });
  stand.front.fault = (exchange) => cut(exchange) || accept(exchange);
  await stand.log(['a', 'b']);
  const { ledger, arrived } = await stand.finish();
  assert.equal(arrived.length, 10);
  assert.deepEqual([ledger.delivered, ledger.duplicatesPossible, ledger.retried], [2, 8, 4]);
  const { inCbor, requests } = stand.front.statistics;
  assert.deepEqual([requests, inCbor], [5, 3]);
});

/* A load balancer without a server behind it says nothing of CBOR, which is the form when it has one again. */
for (const what of ['500 with a page', '502', '503 with a page']) {
  const page = WAYS[what] ?? raw(parseInt(what), 'text/html', '<html><body>Sorry</body></html>');

  light(`an outage before the first success: ${what}`, {}, async (stand) => {
    const outage = faults.times(6, page);
    const accept = accepting(stand.arrived);
    stand.front.fault = (exchange) => outage(exchange) || accept(exchange);
    await stand.log(['a', 'b']);
    const { ledger, arrived } = await stand.finish();
    assert.deepEqual(arrived.sort(), ['a', 'b']);
    assert.equal(ledger.retried, 6);
    assert.ok(stand.logs.every(({ message }) => !REFUSED.test(message)));
    /* each of three calls in both forms */
    const { inCbor, requests } = stand.front.statistics;
    assert.deepEqual([requests - inCbor, inCbor], [3, requests - 3]);
  });
}

/* It has one again between the two: JSON is taken this once. */
light('an outage before the first success: one page', { env: { TELEMETRY_FLUSH: 'end' } }, async (stand) => {
  const outage = faults.times(1, raw(503, 'text/html', '<html><body>Sorry</body></html>'));
  const accept = accepting(stand.arrived);
  stand.front.fault = (exchange) => outage(exchange) || accept(exchange);
  await stand.log(['a']);
  await stand.log(['b']);
  const { arrived } = await stand.finish();
  assert.deepEqual(arrived, ['a', 'b']);
  const { inCbor, requests } = stand.front.statistics;
  assert.deepEqual([requests, inCbor], [3, 2]);
  assert.ok(stand.logs.every(({ message }) => !REFUSED.test(message)));
});

/* Replies that say nothing of the form. */
const OTHERS = {
  503: faults.refuse(503, 'ServiceUnavailableException'),
  500: faults.refuse(500, 'InternalFailure'),
  '400 ProvisionedThroughputExceededException': faults.refuse(400, 'ProvisionedThroughputExceededException'),
  413: raw(413, 'text/plain', 'Too Large'),
  429: raw(429, 'text/plain', 'Too Many Requests'),
  'all records fail': (exchange) => {
    exchange.send(exchange.results(exchange.call.Records.map(() => faults.INTERNAL)));
    return true;
  }
};
for (const [what, fault] of Object.entries(OTHERS)) {
  light(`the first reply is no refusal of CBOR: ${what}`, {}, async (stand) => {
    const once = faults.times(1, fault);
    const accept = accepting(stand.arrived);
    stand.front.fault = (exchange) => once(exchange) || accept(exchange);
    await stand.log(['a', 'b']);
    const { ledger, arrived } = await stand.finish();
    assert.deepEqual(arrived.sort(), ['a', 'b']);
    assert.equal(ledger.retried, 2);
    const { inCbor, requests } = stand.front.statistics;
    assert.equal(inCbor, requests);
  });
}

light('TELEMETRY_WIRE=json is not tried in CBOR', { env: JSON_FORM }, async (stand) => {
  stand.front.fault = faults.times(1, WAYS['415 without a body']);
  const accept = accepting(stand.arrived);
  const fault = stand.front.fault;
  stand.front.fault = (exchange) => fault(exchange) || accept(exchange);
  await stand.log(['a']);
  const { ledger, arrived } = await stand.finish();
  assert.deepEqual(arrived, ['a']);
  assert.equal(ledger.retried, 1);
  assert.equal(stand.front.statistics.inCbor, 0);
});

scenario('the default is CBOR', {}, async (stand) => {
  const records = jsonRecords(10);
  await log(stand, records);
  await finished(stand);
  const { requests, inCbor } = stand.front.statistics;
  assert.ok(requests > 0 && requests === inCbor, `${inCbor} of ${requests} in CBOR`);
});

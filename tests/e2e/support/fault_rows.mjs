/*
 * The rows of the fault matrix. What happens in each run: fault_run.mjs.
 *
 *   name         for the command line
 *   what         for readers
 *   put(run)     puts the fault on, in the third invocation; with `between: true` just before it, while
 *                nothing is under way
 *   lift(run)    takes it off, where run.spell does not do so by itself
 *   spell        how long it lasts: { calls } or { ms }; run.spell is a Spell of it
 *   ambiguous    true: the extension cannot know for some calls whether they were accepted, so records
 *                may come twice, as many as the ledger says at most; otherwise none may
 *   stream       true: kinesis-local is the destination, otherwise a list in this process
 *   env, leaf, platform    as for Bench.stand
 *   form         of the records (forms.mjs), in place of one event each
 *   prepare(run)           what else Bench.stand is to be given, once what a row needs has been started
 *   drive(run)   in place of the usual ten invocations
 *   events       how many there are, in place of 10,000
 *   noise        true: they hardly become smaller by compression
 *   letters      true: what the dead letter has on standard error has arrived, too
 *   abrupt       true: SHUTDOWN follows at once
 *   quiet        true: no warning, no error, nothing retried
 *   special      records that need not arrive; check() looks after them
 *   refusals     true: signatures are refused at first
 *   tolerates    which of Stand's faults belong to it
 *   check(run, end, counts)    texts of what else is wrong
 *   unavailable()          why the row cannot be had on this machine, or null
 *   long         true: only by name, not among all
 *   asIn         another row, from which it differs in a code, a status or a side alone (ALIKE, below)
 */
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import * as faults from './faults.mjs';
import { FORMS } from './forms.mjs';
import { Front } from './front.mjs';
import { jsonRecords } from './lines.mjs';
import { Names } from './names.mjs';
import { proxyRows } from './proxy_rows.mjs';
import { recordBytes } from './put_records.mjs';
import { Shards } from './shards.mjs';
import { Trickle } from './trickle.mjs';
import { until } from './until.mjs';
import { TYPES, encode } from './wire.mjs';

const CALLS = 3;
const SHORT_MS = 1_000;
const LONG_MS = 1_500;

/* The extension's own time limits, where the fault is that something takes too long. */
const IMPATIENT = { TELEMETRY_CONNECT_TIMEOUT_MS: null, TELEMETRY_REQUEST_TIMEOUT_MS: null };

/* The client went away inside a request, or the TLS session ended in an error: part of the fault. */
const CUT_OFF = /^not HTTP\/1\.1: closed |^in the front: /;

/* --- what a call is answered with --------------------------------------------------------------- */

/* A row whose fault is one of front.fault. */
function answered(name, what, fault, row = {}) {
  return {
    name, what, spell: { calls: CALLS }, ...row,
    put: (run) => {
      run.front.fault = run.spell.fault(typeof fault === 'function' ? fault : fault(run));
    }
  };
}

const AMBIGUOUS = { ambiguous: true };
const SILENT = { ambiguous: true, env: IMPATIENT, tolerates: CUT_OFF };

const REPLIES = [
  answered('reset-before-reply', 'reset before the reply', faults.close('before', { how: 'reset' }),
    { ...AMBIGUOUS, stream: true }),
  answered('reset-before-reply-accepted', 'reset before the reply, records accepted',
    faults.close('before', { how: 'reset', accepted: true }), { ...AMBIGUOUS, stream: true, check: doubled }),
  answered('reset-in-head', 'reset in the head of the reply, records accepted',
    faults.close('head', { how: 'reset', accepted: true }), { ...AMBIGUOUS, check: doubled }),
  answered('reset-in-body', 'reset in the body of the reply, records accepted',
    faults.close('body', { how: 'reset', accepted: true }), { ...AMBIGUOUS, stream: true, check: doubled }),
  /* the reply may be lost in the reset, or a next request */
  answered('reset-after-reply', 'reset after the reply', faults.close('after', { how: 'reset' }),
    { ...AMBIGUOUS, stream: true }),
  answered('close-before-reply', 'close before the reply', faults.close('before'), AMBIGUOUS),
  answered('close-after-reply', 'close after the reply', faults.close('after'), AMBIGUOUS),
  answered('silence', 'no reply', faults.silence(), { ...SILENT, stream: true }),
  answered('silence-accepted', 'no reply, records accepted', faults.silence({ accepted: true }),
    { ...SILENT, check: doubled }),
  answered('reply-truncated', 'the reply ends in its body, records accepted', faults.close('body', { accepted: true }),
    { ...AMBIGUOUS, check: doubled }),
  answered('reply-not-json', '200 with half a JSON text', faults.page(200, TYPES.json,
    '{"FailedRecordCount":0,"Rec'), AMBIGUOUS),
  answered('reply-not-cbor', '200 with half a CBOR text', faults.page(200, TYPES.cbor,
    encode({ FailedRecordCount: 0, Records: [] }, 'cbor').subarray(0, -2)), AMBIGUOUS),
  answered('reply-too-few', '200 with too few results', faults.page(200, TYPES.cbor,
    encode({ FailedRecordCount: 0, Records: [] }, 'cbor')), AMBIGUOUS),
  answered('reply-in-json-too-few', '200 with too few results, in JSON', faults.page(200, TYPES.json,
    '{"FailedRecordCount":0,"Records":[]}'), AMBIGUOUS),
  answered('reply-oversized', '200 with a body of 8 MiB', faults.page(200, TYPES.json,
    `{"FailedRecordCount":0,"Records":[${' '.repeat(8 * 1024 * 1024)}`), { ...AMBIGUOUS, tolerates: CUT_OFF }),
  answered('reply-oversized-head', '200 with a head of 1 MiB', hugeHead, { ...AMBIGUOUS, tolerates: CUT_OFF }),
  answered('reply-not-http', 'a reply that is not HTTP', notHttp, AMBIGUOUS)
];

/* A fault that was to double records has done so: otherwise the row would show nothing. */
function doubled(run, end, { duplicates }) {
  return duplicates > 0 ? [] : ['no duplicates, although records were accepted without an answer'];
}

function hugeHead(exchange) {
  exchange.send({ status: 200, headers: [['X-Long', 'x'.repeat(1024 * 1024)]] });
  return true;
}

function notHttp(exchange) {
  exchange.socket.write('SSH-2.0-OpenSSH_9.2\r\n\r\n');
  exchange.close();
  return true;
}

/* --- errors for a whole request: section 4.4 of the reference ----------------------------------------- */

/* How long each lasts: those after which a client asks again soon, and those after which it does not. */
const PASSING = { spell: { calls: CALLS } };
const LASTING = { spell: { ms: SHORT_MS } };
/* 5xx: who knows how far the service had got. */
const SERVICE = { ...PASSING, ...AMBIGUOUS };

const ERRORS = [
  ['InternalFailure', 500, { ...SERVICE, stream: true }],
  ['InternalFailureException', 500, SERVICE],
  ['ServiceUnavailable', 503, SERVICE],
  ['ServiceUnavailableException', 503, { ...SERVICE, stream: true }],
  ['ProvisionedThroughputExceededException', 400, PASSING],
  ['ThrottlingException', 400, PASSING],
  ['LimitExceededException', 400, PASSING],
  ['RequestLimitExceeded', 400, PASSING],
  ['KMSThrottlingException', 400, PASSING],
  ['KMSDisabledException', 400, LASTING],
  ['KMSInvalidStateException', 400, LASTING],
  ['KMSAccessDeniedException', 400, LASTING],
  ['KMSNotFoundException', 400, LASTING],
  ['KMSOptInRequired', 400, LASTING],
  ['ResourceNotFoundException', 400, LASTING],
  ['ValidationException', 400, PASSING],
  ['InvalidArgumentException', 400, PASSING],
  ['AccessDeniedException', 400, LASTING],
  ['ExpiredTokenException', 400, LASTING],
  ['ExpiredTokenException', 403, LASTING],
  ['UnrecognizedClientException', 400, LASTING],
  ['InvalidClientTokenId', 403, LASTING],
  ['InvalidSignatureException', 400, LASTING],
  ['IncompleteSignatureException', 400, LASTING],
  ['UnknownOperationException', 404, LASTING]
].map(([code, status, row]) =>
  answered(`error-${code}-${status}`, `${status} ${code}`, faults.refuse(status, code), row));

function xml(code) {
  return faults.page(403, 'text/xml', `<${code}><Message>Refused by the test.</Message></${code}>\n`);
}

const OTHER_ERRORS = [
  answered('error-SignatureDoesNotMatch-403', '403 SignatureDoesNotMatch, in XML',
    xml('SignatureDoesNotMatch'), LASTING),
  answered('error-MissingAuthenticationTokenException-403', '403 MissingAuthenticationTokenException, in XML',
    xml('MissingAuthenticationTokenException'), LASTING),
  answered('error-SerializationException-400', '400 SerializationException',
    faults.page(400, TYPES.json, '{"__type":"SerializationException","Message":"x"}'), LASTING),
  answered('error-415', '415 without a code', faults.page(415, 'text/plain', ''), LASTING),
  answered('error-413', '413 for three calls', faults.page(413, 'text/plain', 'Request Entity Too Large'), PASSING),
  answered('error-429', '429 without a code', faults.page(429, 'application/json', '{}'), PASSING),
  answered('error-502', '502 with an HTML page', faults.page(502, 'text/html', '<html>Bad Gateway</html>'), SERVICE),
  answered('error-504', '504 with an empty body', faults.page(504, 'text/plain', ''), SERVICE)
];

/* --- failures of single records ------------------------------------------------------------------ */

const RECORDS = [
  answered('partial-30', '30 % of the records fail', faults.failRecords(0.3), { spell: { ms: LONG_MS }, stream: true }),
  answered('partial-100', 'all records fail', faults.failRecords(1), { spell: { ms: LONG_MS }, stream: true }),
  answered('record-ProvisionedThroughputExceededException', 'half of the records: throttled',
    faults.failRecords(0.5, { results: [faults.THROTTLED] }), { spell: { ms: SHORT_MS } }),
  answered('record-InternalFailure', 'half of the records: internal failure',
    faults.failRecords(0.5, { results: [faults.INTERNAL] }), { spell: { ms: SHORT_MS } })
];

/* --- shards that throttle ------------------------------------------------------------------------- */

const BURST = 5_000;

function shardsRow(count, latencyMs) {
  return {
    name: `shards-${count}-${latencyMs}ms`, events: BURST, abrupt: true,
    what: `${count === 1 ? 'one shard throttles' : `${count} shards throttle`}, replies after ${latencyMs} ms`,
    drive: async (run) => {
      run.shards = new Shards(count);
      run.front.fault = run.shards.fault({ latencyMs });
      await run.log(run.records);
    },
    check: ({ shards }) => shards.faults
  };
}

const SHARDS = [1, 4].flatMap((count) => [0, 20].map((latencyMs) => shardsRow(count, latencyMs)));

/* --- records that the service will never take, and requests that are too large for it ------------------- */

const SERVER_MAX = 1_000_000;
const REQUEST_MAX = 20_000;
const POISON = jsonRecords(1, 120, 'poison');

function dataBytes(record) {
  return recordBytes(record) - Buffer.byteLength(record.PartitionKey ?? '');
}

/* As Kinesis says it: every offender is named, counted from 1. */
function tooLarge({ call }) {
  const texts = call.Records.flatMap((record, i) => dataBytes(record) <= SERVER_MAX ? [] : [
    `Value at 'records.${i + 1}.member.data' failed to satisfy constraint: ` +
    `Member must have length less than or equal to ${SERVER_MAX}.`]);
  return texts.length === 0 ? null :
    `${texts.length} validation error${texts.length > 1 ? 's' : ''} detected: ${texts.join('; ')}`;
}

function refuseTooLarge(exchange) {
  const text = tooLarge(exchange);
  return text !== null && faults.refuse(400, 'ValidationException', text)(exchange);
}

function refusePoison(type) {
  const refuse = faults.refuse(400, type, 'Refused by the test.');
  const mark = Buffer.from('"poison-0"');
  return (exchange) =>
    exchange.call.Records.some(({ Data }) => Buffer.from(Data, 'base64').includes(mark)) && refuse(exchange);
}

function refuseLong(exchange) {
  return exchange.request.body.length > REQUEST_MAX && faults.page(413, 'text/plain', 'Too Large')(exchange);
}

/* What became of the one record: this in the ledger, and so many records that were not logged as they arrived. */
function became(expected) {
  return (run, { ledger }, { specialLost, foreign }) => {
    const { dropped, truncated, split } = ledger;
    const found = { dropped: dropped.total, truncated, split, foreign, specialLost };
    const same = Object.entries(expected).every(([name, value]) => (found[name] ?? 0) === value);
    return same && specialLost === 1 ? [] : [`the record became ${JSON.stringify(found)}`];
  };
}

/* Smaller than what the extension takes, larger than what the server takes. */
const LARGE = jsonRecords(1, SERVER_MAX + 20_000, 'large');

function tooLargeRow(policy, expected) {
  return answered(`record-too-large-${policy}`, `ValidationException that names a record: ${policy}`, refuseTooLarge,
    { spell: null, special: LARGE, env: { TELEMETRY_OVERSIZE: policy }, check: became(expected) });
}

function poisonRow(name, type) {
  return answered(`record-poison-${name}`, `${type} for a record, unnamed`, refusePoison(type),
    { spell: null, special: POISON, check: became({ dropped: 1, truncated: 0, split: 0, foreign: 0 }) });
}

const OFFENDERS = [
  tooLargeRow('truncate', { dropped: 0, truncated: 1, split: 0, foreign: 1 }),
  tooLargeRow('split', { dropped: 0, truncated: 0, split: 1, foreign: 2 }),
  tooLargeRow('drop', { dropped: 1, truncated: 0, split: 0, foreign: 0 }),
  poisonRow('validation', 'ValidationException'),
  poisonRow('argument', 'InvalidArgumentException'),
  answered('request-too-large', `413 for what is above ${REQUEST_MAX} bytes`, refuseLong, { spell: null })
];

/* --- connections -------------------------------------------------------------------------------- */

/* The connection that is kept is closed, so that the fault meets the next one. */
async function closeKept({ front }) {
  front.closeConnections('destroy');
  await until('the connection is gone', () => front.openConnections === 0);
}

/* A row whose fault is one of front.connectionFault. */
function connecting(name, what, fault, row = {}) {
  return {
    name, what, between: true, spell: { ms: LONG_MS }, env: IMPATIENT, ...row,
    put: async (run) => {
      run.front.connectionFault = run.spell.fault(fault);
      await closeKept(run);
    }
  };
}

/* The first bytes of a ServerHello (RFC 5246, 7.4.1.3), and no more. */
function halfHello(socket) {
  socket.once('data', () => socket.write(Buffer.from([0x16, 3, 3, 0, 0x5a, 2, 0, 0, 0x56, 3, 3])));
  return true;
}

/* A fatal alert, handshake_failure (RFC 5246, 7.2). */
function alert(socket) {
  socket.once('data', () => socket.end(Buffer.from([0x15, 3, 3, 0, 2, 2, 40])));
  return true;
}

function resetAtOnce(socket) {
  socket.resetAndDestroy();
  return true;
}

const CONNECTIONS = [
  {
    name: 'refused', what: 'connection refused', between: true, stream: true, spell: { ms: LONG_MS },
    put: async (run) => {
      run.front.refuse();
      await closeKept(run);
      run.spell.begin();
    },
    lift: ({ front }) => front.listen()
  },
  connecting('reset-at-once', 'reset as soon as connected', resetAtOnce),
  connecting('mute', 'connected, TLS never answered', faults.mute),
  connecting('half-hello', 'connected, TLS answered by half a ServerHello', halfHello),
  connecting('plain-http', 'plain HTTP in place of TLS', faults.plainHttp),
  connecting('alert-in-handshake', 'TLS alert in the handshake', alert)
];

const BEHIND_PROXIES = proxyRows(CONNECTIONS, closeKept);

/* --- bytes between the two ------------------------------------------------------------------------ */

async function withTrickle(run) {
  run.trickle = await Trickle.start();
  run.finally(() => run.trickle.stop());
  return {
    env: { AWS_ENDPOINT_URL_KINESIS: run.trickle.url },
    onFront: (front) => {
      run.trickle.target = front.port;
    }
  };
}

const BYTES_A_STEP = 300;

function slow(name, what, direction, row = {}) {
  return {
    name, what, prepare: withTrickle, spell: { ms: LONG_MS }, quiet: !row.ambiguous, ...row,
    put: (run) => {
      run.trickle[direction] = BYTES_A_STEP;
      run.spell.begin();
    },
    lift: (run) => {
      run.trickle[direction] = null;
    }
  };
}

const BYTES = [
  /* never silent for as long as the time-out, so nothing fails */
  slow('slow-reply', 'replies of 30 KB/s', 'down', { env: { TELEMETRY_REQUEST_TIMEOUT_MS: '1500' } }),
  /* the system takes the request at once, so all that the extension sees is silence */
  slow('slow-request', 'requests of 30 KB/s', 'up', { ...SILENT }),
  {
    name: 'alert-later', what: 'TLS alert in the place of a reply', prepare: withTrickle, spell: { calls: CALLS },
    ambiguous: true, tolerates: CUT_OFF,
    put: (run) => {
      run.trickle.spoil = () => run.spell.take();
    }
  }
];

/* --- certificates, addresses, the clock ------------------------------------------------------------ */

const TEST_NAME = 'kinesis.test';

const FREEZES = 20;
const FREEZE_WITHIN_MS = 60;
/* Longer than what the extension takes for a late turn. */
const LOOK_UP_FREEZE_MS = 350;

/* The extension asks our name server for the endpoint's address. */
async function withNames(run, options) {
  run.names = await Names.start(options);
  run.finally(() => run.names.stop());
  return {
    binary: run.names.launcher,
    env: ({ AWS_ENDPOINT_URL_KINESIS: url }) => ({ AWS_ENDPOINT_URL_KINESIS: url.replace('localhost', TEST_NAME) })
  };
}

/* What a row about names is made of. */
const NAMED = {
  between: true, leaf: { names: [TEST_NAME] }, unavailable: () => Names.unavailable(), prepare: (run) => withNames(run)
};

/* The name server has no address to tell for a while; then a line says why. */
function naming(name, what, answer, says) {
  return {
    name, what, ...NAMED, spell: { ms: LONG_MS }, env: IMPATIENT,
    put: async (run) => {
      await run.names.change(answer);
      await closeKept(run);
      run.spell.begin();
    },
    lift: ({ names }) => names.change('address'),
    check: ({ stand }) => stand.logsOf(['warn', 'error']).some(({ message }) => message.includes(says)) ? [] :
        [`no line says: ${says}`]
  };
}

/* It tells the address, but not in the plainest way: nobody needs to notice. */
function roundabout(name, what, answer, row = {}) {
  return {
    name, what, ...NAMED, quiet: true,
    put: async (run) => {
      await run.names.change(answer);
      run.asked = run.names.questions;
      await closeKept(run);
    },
    check: ({ names, asked }) => names.questions > asked || answer === 'nobody' ? [] : ['nothing was asked'],
    ...row
  };
}

const SECOND = { prepare: (run) => withNames(run, { second: true }) };

/* It is not heard before the freeze, and answers what is asked anew after it. */
async function freezeLookUp(run) {
  const size = run.records.length / FREEZES;
  for (let i = 0; i < FREEZES; i += 1) {
    await run.names.change(i === 0 ? 'address' : 'silence');
    const asked = run.names.questions;
    await closeKept(run);
    const invocation = run.log(run.records.slice(i * size, (i + 1) * size));
    if (i > 0) {
      await until('the name is asked for', () => run.names.questions > asked);
      run.platform.freeze();
      await run.names.change('address');
      await sleep(LOOK_UP_FREEZE_MS);
      run.platform.thaw();
    }
    await invocation;
  }
}

async function moveAway(run) {
  const { port } = run.front;
  const certificate = await run.bench.certificates.leaf({ names: [TEST_NAME] });
  run.second = await Front.start({ kinesis: run.bench.kinesis, certificate, host: '127.0.0.3', port });
  run.finally(() => run.second.stop());
  run.destination.behind(run.second);
  run.names.address = '127.0.0.3';
  run.front.refuse();
  await closeKept(run);
}

function clock(name, what, offsetMs) {
  return {
    name, what, refusals: true,
    prepare: () => ({ onFront: (front) => { front.clockOffsetMs = offsetMs; } }),
    put: () => {}
  };
}

const IDENTITY = [
  {
    name: 'certificate-untrusted', what: 'a certificate of an unknown CA for a while', between: true,
    spell: { ms: LONG_MS },
    put: async (run) => {
      run.front.useCertificate(await run.bench.certificates.leaf({ ca: 'other' }));
      await closeKept(run);
      run.spell.begin();
    },
    lift: async (run) => {
      run.front.useCertificate(await run.bench.certificates.leaf());
      run.front.closeConnections('destroy');
    }
  },
  {
    name: 'certificate-renewed', what: 'another good certificate, of another key', between: true, quiet: true,
    put: async (run) => {
      run.front.useCertificate(await run.bench.certificates.leaf({ intermediate: true }));
      await closeKept(run);
    },
    check: ({ front }) => front.statistics.handshakes > 1 ? [] : ['the second certificate was never shown']
  },
  {
    name: 'moved', what: 'the endpoint moves to another address', between: true, leaf: { names: [TEST_NAME] },
    unavailable: () => Names.unavailable(), put: moveAway,
    prepare: async (run) => {
      const options = await withNames(run);
      run.names.address = '127.0.0.2';
      return { ...options, front: { host: '127.0.0.2' } };
    },
    check: ({ second }) => second.statistics.requests > 0 ? second.violations : ['the second address was never used']
  },
  naming('name-unknown', 'name resolution: NXDOMAIN', 'NXDOMAIN', 'no such host'),
  naming('name-failing', 'name resolution: SERVFAIL', 'SERVFAIL', 'the name servers report a failure'),
  naming('name-refused', 'name resolution: REFUSED', 'REFUSED', 'the name servers report a failure'),
  naming('name-nobody', 'name resolution: nobody listens', 'nobody', 'the name servers cannot be reached'),
  naming('name-hanging', 'name resolution: no answer', 'silence', 'no answer from the name servers'),
  roundabout('name-second-hanging', 'name resolution: no answer but from the second server', 'silence', SECOND),
  roundabout('name-second-failing', 'name resolution: SERVFAIL but from the second server', 'SERVFAIL', SECOND),
  roundabout('name-second-nobody', 'name resolution: only the second server is there', 'nobody', SECOND),
  roundabout('name-cut', 'name resolution: truncated, over TCP', 'cut', {
    check: ({ names }) => names.streams > 0 ? [] : ['nothing was asked over TCP']
  }),
  roundabout('name-chain', 'name resolution: an alias', 'chain'),
  roundabout('name-many', 'name resolution: 20 addresses', 'many'),
  roundabout('name-deceit', 'name resolution: replies that are not ours', 'deceit'),
  {
    name: 'name-freeze', what: `name resolution: ${FREEZES - 1} freezes in the midst of it`, ...NAMED, quiet: true,
    drive: freezeLookUp
  },
  clock('clock-ahead', 'the service is 10 minutes ahead', 600_000),
  clock('clock-behind', 'the service is 10 minutes behind', -600_000)
];

/* --- frozen ------------------------------------------------------------------------------------- */

const WAYS = ['end', 'destroy', 'reset'];

/* While the extension is stopped, the peer closes; some turns of the loop let it do so. */
async function closeMeanwhile(run, how) {
  if (how === 'notify') {
    run.session?.end(); /* close_notify first */
  } else {
    run.front.closeConnections(how);
  }
  for (let i = 0; i < 4; i += 1) {
    await turn();
  }
}

/* At a random moment of each invocation and of what follows it. */
async function freezeAtRandom(run) {
  const roll = faults.dice(20);
  const size = run.records.length / FREEZES;
  run.front.fault = faults.delay(5);
  for (let i = 0; i < FREEZES; i += 1) {
    const invocation = run.log(run.records.slice(i * size, (i + 1) * size));
    await sleep(roll() * FREEZE_WITHIN_MS);
    run.platform.freeze();
    await closeMeanwhile(run, WAYS[Math.floor(roll() * WAYS.length)]);
    run.platform.thaw();
    await invocation;
  }
}

/* The platform freezes after each invocation; before the next one thaws, the peer has closed. */
function freezeBetween(count, sleepMs) {
  return async (run) => {
    const size = run.records.length / count;
    const ways = [...WAYS, 'notify'];
    run.front.fault = ({ socket }) => {
      run.session = socket;
      return false;
    };
    for (let i = 0; i < count; i += 1) {
      await run.log(run.records.slice(i * size, (i + 1) * size));
      await closeMeanwhile(run, ways[i % ways.length]);
      if (i % 2 === 0) {
        await sleep(sleepMs);
      }
    }
    run.connectionsSeen = run.front.statistics.connections;
  };
}

/* Held until all is delivered, so that nothing is under way when the freeze comes. */
const FROZEN_IDLE = { quiet: true, platform: { freeze: true }, env: { TELEMETRY_FLUSH_BUDGET_MS: '20000' } };

const FROZEN = [
  {
    name: 'freeze-random', what: '20 freezes at random points, the peer closes meanwhile', ambiguous: true,
    tolerates: CUT_OFF, stream: true, drive: freezeAtRandom
  },
  {
    name: 'freeze-200', what: '200 freezes between invocations, the peer closes meanwhile', ...FROZEN_IDLE,
    drive: freezeBetween(200, 20),
    check: ({ connectionsSeen }) => connectionsSeen >= 200 ? [] : [`only ${connectionsSeen} connections`]
  },
  {
    name: 'freeze-60s', what: 'a freeze of 60 s, the peer closes meanwhile', ...FROZEN_IDLE, long: true,
    drive: freezeBetween(2, 60_000)
  }
];

const USUAL = [
  ...CONNECTIONS, ...BEHIND_PROXIES, ...REPLIES, ...BYTES, ...ERRORS, ...OTHER_ERRORS, ...RECORDS, ...SHARDS,
  ...OFFENDERS, ...IDENTITY, ...FROZEN
];

/* --- over JSON, where the form of requests or replies may make a difference ------------------------------- */

const IN_JSON = [
  'reset-before-reply', 'reset-in-body', 'silence', 'reply-truncated', 'reply-not-json', 'slow-request',
  'error-InternalFailure-500', 'error-ValidationException-400', 'error-UnknownOperationException-404',
  'error-SerializationException-400', 'error-413', 'partial-30', 'record-InternalFailure', 'record-too-large-split',
  'record-poison-validation', 'request-too-large', 'freeze-random'
];

function inJson(name) {
  const row = USUAL.find((one) => one.name === name);
  return { ...row, name: `json-${name}`, what: `over JSON: ${row.what}`, env: { ...row.env, TELEMETRY_WIRE: 'json' } };
}

/* --- without keys ------------------------------------------------------------------------------------------ */

/* Of streams that take records so, where a refusal follows after some were taken; and of others, from the first on. */
const KEYLESS = [
  'partial-30', 'silence', 'reset-in-body', 'error-ValidationException-400', 'error-SerializationException-400',
  'error-413', 'record-too-large-split', 'record-poison-validation', 'freeze-random'
];

function keylessRow(name, prefix, what, keyless, check) {
  const row = USUAL.find((one) => one.name === name);
  return {
    ...row, name: `${prefix}-${name}`, what: `${what}: ${row.what}`, stream: false,
    env: { ...row.env, TELEMETRY_PARTITION_KEY: 'none' },
    prepare: async (run) => {
      const { onFront, ...options } = await row.prepare?.(run) ?? {};
      return {
        ...options,
        onFront: (front) => {
          front.keyless = keyless;
          onFront?.(front);
        }
      };
    },
    check: (run, end, counts) => [...row.check?.(run, end, counts) ?? [], ...check(run)]
  };
}

function takenKeyless(name) {
  return keylessRow(name, 'keyless', 'without keys', 'taken', ({ front: { statistics } }) =>
    statistics.keyless === statistics.requests ? [] : [`${statistics.keyless} of ${statistics.requests} without keys`]);
}

function refusedKeyless(name) {
  const refuse = faults.refuse(400, 'ValidationException');
  return keylessRow(name, 'keys-wanted', 'keys are wanted', refuse, ({ front: { statistics } }) =>
    statistics.keyless === 1 ? [] : [`${statistics.keyless} of ${statistics.requests} without keys`]);
}

/* --- over records of another form, where that can matter ------------------------------------------------------ */

const IN_FORMS = [
  'partial-30', 'reset-before-reply-accepted', 'reset-in-body', 'silence', 'slow-request', 'refused',
  'error-InternalFailure-500', 'error-ProvisionedThroughputExceededException-400', 'error-413', 'freeze-random', 'freeze-200'
];

function inForm(form, name) {
  const row = USUAL.find((one) => one.name === name);
  return { ...row, form, name: `${form.name.replaceAll(' ', '-')}-${name}`, what: `in ${form.name}: ${row.what}` };
}

/* What a proxy takes from then on, for as long as the sandbox lives: a third of an invocation's lines. */
const PROXY_MAX = 40_000;

function proxy(run) {
  run.refusals = 0;
  run.front.fault = (exchange) => {
    const refused = exchange.request.body.length > PROXY_MAX;
    run.refusals += refused ? 1 : 0;
    return refused && faults.page(413, 'text/html', '<html>Request Entity Too Large</html>')(exchange);
  };
}

/* Each event is delivered, or in the dead letter; of these there are so many at most, if any. */
function accounted(run, { received, delivered, deadLettered, dropped }, most) {
  const all = received === run.records.length && delivered + deadLettered === received && dropped.total === 0;
  const good = all && (most > 0) === (deadLettered > 0) && deadLettered <= most;
  return good ? [] : [`of ${received} ${delivered} were delivered, ${deadLettered} dead-lettered, ${dropped.total} dropped`];
}

/* most: calls that may be refused. dead: events that may be in the dead letter. */
function throughProxy(form, name, what, { most, dead = 0, ...row }) {
  return {
    name: `${form.replaceAll(' ', '-')}-${name}`, what: `in ${form}: ${what} of above ${PROXY_MAX} bytes: 413`,
    form: FORMS.find((one) => one.name === form), noise: true, letters: dead > 0, put: proxy, ...row,
    check: (run, { ledger }) => [
      ...run.refusals > 0 && run.refusals <= most ? [] : [`${run.refusals} calls were refused`],
      ...accounted(run, ledger, dead)
    ]
  };
}

/* A small request is over before it is slow. */
const FORM_ROWS = [
  ...FORMS.flatMap((form) =>
    IN_FORMS.filter((name) => !(form.gzip && name === 'slow-request')).map((name) => inForm(form, name))),
  throughProxy('lines', 'record-413', 'records', { most: 45 }),
  throughProxy('lines and gzip', 'request-413', 'requests', {
    env: { TELEMETRY_AGGREGATION_MAX_BYTES: '20000' }, most: 45
  }),
  /* one that is compressed is never taken apart, but those that are begun later are smaller; its line is a long one */
  throughProxy('lines and gzip', 'record-413', 'records', {
    env: { TELEMETRY_DEAD_LETTER: 'stderr' }, platform: { maxLineBytes: 1024 * 1024 }, most: 60, dead: 1_000
  })
];

/* --- what the tests run ----------------------------------------------------------------------------------- */

/*
 * Rows that take the same way through the program as the one before the colon. ./build.sh faults has them all, the
 * tests that one. What a code or a status means is a table of tests/unit/test_retry.c, how names are resolved is in
 * tests/unit/test_resolver.c and test_dns.c, and replies over JSON are what wire.test.mjs is about.
 */
const ALIKE = {
  refused: ['reset-at-once'],
  mute: ['half-hello'],
  'proxy-refused': ['proxy-reset-at-once', 'password-refused', 'password-reset-at-once'],
  'password-mute': ['proxy-mute', 'proxy-half-hello', 'password-half-hello'],
  'proxy-plain-http': ['password-plain-http'],
  'password-alert-in-handshake': ['proxy-alert-in-handshake'],
  'reset-before-reply-accepted': ['reset-before-reply', 'close-before-reply'],
  'reset-in-body': ['reset-in-head'],
  'reset-after-reply': ['close-after-reply'],
  silence: ['silence-accepted'],
  'reply-not-cbor': ['reply-not-json', 'reply-too-few', 'reply-in-json-too-few'],
  'reply-oversized': ['reply-oversized-head'],
  'error-InternalFailure-500': ['error-InternalFailureException-500', 'error-504'],
  'error-ServiceUnavailableException-503': ['error-ServiceUnavailable-503'],
  'error-ProvisionedThroughputExceededException-400': [
    'error-ThrottlingException-400', 'error-LimitExceededException-400', 'error-RequestLimitExceeded-400',
    'error-KMSThrottlingException-400', 'error-429'
  ],
  'error-AccessDeniedException-400': [
    'error-KMSDisabledException-400', 'error-KMSInvalidStateException-400', 'error-KMSAccessDeniedException-400',
    'error-KMSNotFoundException-400', 'error-KMSOptInRequired-400', 'error-ResourceNotFoundException-400',
    'error-IncompleteSignatureException-400'
  ],
  'error-ExpiredTokenException-400': [
    'error-ExpiredTokenException-403', 'error-UnrecognizedClientException-400', 'error-InvalidClientTokenId-403'
  ],
  'error-SignatureDoesNotMatch-403': ['error-InvalidSignatureException-400', 'error-MissingAuthenticationTokenException-403'],
  'error-UnknownOperationException-404': ['error-SerializationException-400', 'error-415'],
  'error-ValidationException-400': ['error-InvalidArgumentException-400'],
  'partial-30': ['partial-100', 'record-ProvisionedThroughputExceededException', 'record-InternalFailure'],
  'shards-1-20ms': ['shards-1-0ms', 'shards-4-0ms', 'shards-4-20ms'],
  'record-poison-validation': ['record-poison-argument'],
  'request-too-large': ['error-413'],
  'name-failing': ['name-unknown', 'name-refused', 'name-nobody'],
  'name-second-hanging': ['name-second-failing', 'name-second-nobody'],
  'name-cut': ['name-chain', 'name-many', 'name-deceit'],
  'clock-ahead': ['clock-behind'],
  'json-partial-30': [
    'json-reset-before-reply', 'json-reset-in-body', 'json-silence', 'json-reply-truncated', 'json-reply-not-json',
    'json-slow-request', 'json-error-InternalFailure-500', 'json-error-ValidationException-400',
    'json-error-UnknownOperationException-404', 'json-error-SerializationException-400', 'json-error-413',
    'json-record-InternalFailure', 'json-record-poison-validation', 'json-request-too-large', 'json-freeze-random'
  ],
  'keyless-record-poison-validation': [
    'keyless-silence', 'keyless-reset-in-body', 'keyless-error-ValidationException-400', 'keyless-error-SerializationException-400',
    'keyless-error-413', 'keyless-record-too-large-split', 'keyless-freeze-random'
  ],
  'keys-wanted-record-poison-validation': [
    'keys-wanted-silence', 'keys-wanted-reset-in-body', 'keys-wanted-error-ValidationException-400',
    'keys-wanted-error-SerializationException-400', 'keys-wanted-error-413', 'keys-wanted-record-too-large-split',
    'keys-wanted-freeze-random'
  ],
  'lines-and-gzip-partial-30': FORM_ROWS.map(({ name }) => name).filter((name) => !/-(partial-30|freeze-random|record-413|request-413)$/.test(name))
};

const asIn = new Map(Object.entries(ALIKE).flatMap(([name, others]) => others.map((other) => [other, name])));

export const rows = [
  ...USUAL, ...IN_JSON.map(inJson), ...KEYLESS.map(takenKeyless), ...KEYLESS.map(refusedKeyless), ...FORM_ROWS
]
  .map((row) => ({ ...row, asIn: asIn.get(row.name) }));

for (const name of [...asIn.keys(), ...asIn.values()]) {
  if (!rows.some((row) => row.name === name)) {
    throw new Error(`fault_rows.mjs: there is no row ${name}`);
  }
}

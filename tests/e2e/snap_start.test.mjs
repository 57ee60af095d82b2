/*
 * SnapStart: init runs once, and what it leaves is copied into every sandbox. So what it logs is delivered before the
 * snapshot, and nothing is open then; each copy is a sandbox of its own from its first invocation on.
 *
 * Here there is one copy: the process is stopped after init, its peers close their connections, and it goes on with
 * other credentials. Several copies of one snapshot are played in simulate/.
 */
import assert from 'node:assert/strict';
import { after } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ContainerCredentials } from './support/container_credentials.mjs';
import { refuse } from './support/faults.mjs';
import { CREDENTIALS } from './support/front.mjs';
import { accepting, light } from './support/light.mjs';
import { jsonRecords } from './support/lines.mjs';
import { data, finished, log, useBench } from './support/scenario.mjs';
import { sequences } from './support/sequence.mjs';
import { until } from './support/until.mjs';

const { scenario } = useBench();
let endpoint;

after(() => endpoint?.stop());

const OTHERS = { accessKeyId: 'AKIDCOPY', secretAccessKey: 'copy/secret', sessionToken: 'copy//token==' };
const ENRICHED = { TELEMETRY_RECORD_FORMAT: 'enriched' };
/* The freeze is what is played: so long that it cannot be taken for a slow machine. */
const FROZEN_MS = 1_500;
const INIT_LINES = ['init 0', 'init 1', 'init 2'];

const called = (name, { calls }) => calls.some((call) => call.name === name);

/* Events that the extension has taken, and those that it is to be told of. */
const taken = ({ posts }) => posts.filter((post) => post.status === 200).reduce((sum, post) => sum + post.events, 0);
const told = ({ events }) => events.filter((event) => event.category !== 'extension').length;
const allTaken = (journal) => journal.until(() => taken(journal) >= told(journal), 20_000);

/* The function's init: these lines, and then others once the extension has asked for the first event. */
function init({ first = INIT_LINES, late = [] } = {}) {
  return async (emit, journal) => {
    first.forEach((line) => emit('function', line));
    if (late.length > 0) {
      await journal.until(() => called('next', journal), 20_000);
      late.forEach((line) => emit('function', line));
      await allTaken(journal);
    }
  };
}

/* A run whose snapshot is restored elsewhere: no peer of before is there, and the credentials are others. */
function snapshot(name, { platform = {}, restored = OTHERS, ...options }, body) {
  let front;
  light(name, {
    ...options,
    onFront: (given, stand) => {
      front = given;
      options.onFront?.(given, stand);
    },
    platform: {
      snapStart: true, restoredCredentials: restored, ...platform,
      duringRestore: async (emit, journal) => {
        front.closeConnections('destroy');
        front.credentials = restored;
        await platform.duringRestore?.(emit, journal);
      }
    }
  }, body);
}

/* What the copy's ledger says, which is of its own events. */
function account({ ledger }) {
  const { received, delivered, duplicatesPossible, requests, connections } = ledger;
  return { received, delivered, duplicatesPossible, requests, connections };
}

for (const initDoneFirst of [false, true]) {
  const when = initDoneFirst ? 'before' : 'when';
  snapshot(`init is over ${when} the extensions are ready: what it logs is delivered once, and nothing stays open`, {
    env: { TELEMETRY_METRICS: 'emf' }, platform: { initDoneFirst, duringInit: init() }
  }, async (stand) => {
    assert.deepEqual(stand.arrived.map((one) => JSON.parse(one.data)), INIT_LINES);
    await until('the end of the connection', () => stand.front.openConnections === 0);
    await stand.log(['own']);
    const end = await stand.finish();
    assert.deepEqual(end.arrived, [...INIT_LINES, 'own']);
    assert.deepEqual(account(end),
      { received: 1, delivered: 1, duplicatesPossible: 0, requests: 1, connections: 1 });
    /* each event in one account, and in one document of metrics */
    const [ofInit] = end.logs.filter((one) => one.message === 'ledger of init');
    assert.deepEqual(account({ ledger: ofInit }),
      { received: 3, delivered: 3, duplicatesPossible: 0, requests: ofInit.requests, connections: 1 });
    const metrics = end.logs.filter((one) => one._aws);
    assert.deepEqual(metrics.map((one) => [one.Received, one.Connections]), [[3, 1], [1, 1], [0, 0]]);
    assert.deepEqual(stand.complaints, []);
  });
}

snapshot('an init that takes its time logging: all of it is delivered before the first next', {
  platform: {
    duringInit: async (emit) => {
      for (const line of INIT_LINES) {
        emit('function', line);
        await sleep(400); /* the function's own time */
      }
    }
  }
}, async (stand) => {
  await until('the end of the connection', () => stand.front.openConnections === 0);
  assert.deepEqual(stand.arrived.map((one) => JSON.parse(one.data)), INIT_LINES);
  await sleep(FROZEN_MS);
  await stand.log(['own']);
  assert.equal(account(await stand.finish()).received, 1);
});

snapshot('the platform buffers for longer than an init is silent: it is delivered before the first next all the same', {
  env: { TELEMETRY_BUFFER_TIMEOUT_MS: '1500' }, platform: { duringInit: init() }
}, async (stand) => {
  assert.deepEqual(stand.arrived.map((one) => JSON.parse(one.data)), INIT_LINES);
  await stand.finish();
});

snapshot('no telemetry is to be had: next is asked for at once', {
  platform: { telemetry: 'unsupported', duringInit: init() }
}, async (stand) => {
  await stand.log(['own']);
  assert.equal(account(await stand.finish()).received, 0);
});

snapshot('an init that logs nothing: no connection, and no credentials', {}, async (stand) => {
  assert.equal(stand.front.statistics.connections, 0);
  assert.ok(!called('credentials', stand.platform));
  await stand.log(['own']);
  assert.deepEqual((await stand.finish()).arrived, ['own']);
});

/* The platform's word for it may be lost, or come late. */
for (const restore of [true, false]) {
  const how = restore ? 'a restoration that the platform tells of' : 'a restoration of which nothing is heard';
  snapshot(`${how}: what came late is of the snapshot, and each copy delivers it; the rest is the copy's own`, {
    env: ENRICHED, platform: { duringInit: init({ late: ['late 0', 'late 1'] }) }
  }, async (stand) => {
    assert.equal(stand.arrived.length, INIT_LINES.length, 'nothing is sent behind the first next');
    for (const line of ['own 0', 'own 1']) {
      await stand.platform.invoke({}, { restore, during: async (emit) => emit('function', line) });
    }
    const end = await stand.finish();
    const [of, copy] = [end.arrived.slice(0, 5), end.arrived.slice(5)];
    assert.deepEqual(of.map((one) => [one.record, one.seq]),
      [...INIT_LINES, 'late 0', 'late 1'].map((line, seq) => [line, seq]));
    assert.deepEqual(copy.map((one) => [one.record, one.seq]), [['own 0', 0], ['own 1', 1]]);
    assert.equal(new Set(of.map((one) => one.sandbox)).size, 1);
    assert.equal(new Set(copy.map((one) => one.sandbox)).size, 1);
    assert.notEqual(of[0].sandbox, copy[0].sandbox);
    const { received, delivered, duplicatesPossible } = account(end);
    assert.deepEqual([received, delivered, duplicatesPossible], [4, 4, 2]);
  });
}

snapshot('what comes behind the freeze, and before the restoration is told, has no number that another copy gives', {
  env: ENRICHED, platform: { duringInit: init(), duringRestore: (emit, journal) => allTaken(journal) }
}, async (stand) => {
  stand.platform.emit('function', 'behind'); /* it goes ahead of the restoration's events */
  await sleep(FROZEN_MS);
  await stand.log(['own']);
  const end = await stand.finish();
  assert.deepEqual(end.arrived.map((one) => [one.record, one.seq]),
    [...INIT_LINES.map((line, seq) => [line, seq]), ['behind', 0], ['own', 0]]);
  assert.equal(new Set(end.arrived.map((one) => one.sandbox)).size, 3);
  assert.equal(account(end).received, 2);
});

/* Each is a peer's fault during init, which no copy may have to pay for. */
const troubles = {
  'a call that nobody answers': { answer: async () => true },
  'a stream that refuses': {
    answer: async (exchange) => {
      exchange.send(exchange.error(500, 'InternalFailure', 'Refused by the test.'));
      return true;
    }
  },
  'credentials that are not to be had': { credentials: { status: 500, body: 'no' } },
  'credentials that do not come': { credentials: 'hang' }
};

for (const [trouble, { answer, credentials = null }] of Object.entries(troubles)) {
  let over = () => {};
  let calls = () => 0;
  let reply = credentials;
  snapshot(`${trouble} during init: next is asked for all the same, and the copy knows nothing of it`, {
    onFront: (front, { arrived }) => {
      front.fault = answer ?? front.fault;
      calls = () => front.statistics.requests;
      over = () => {
        front.fault = accepting(arrived);
        reply = null;
      };
    },
    platform: {
      faults: { credentials: () => reply },
      duringInit: async (emit, journal) => {
        await init()(emit);
        await until('the trouble', () => called('credentials', journal) && (!answer || calls() > 0));
      },
      duringRestore: async () => over()
    }
  }, async (stand) => {
    assert.deepEqual(stand.arrived, []);
    await until('the end of the connections', () => stand.front.openConnections === 0);
    await stand.log(['own']);
    /* within the invocation, since the next one may be hours away */
    assert.deepEqual(stand.arrived.map((one) => JSON.parse(one.data)), [...INIT_LINES, 'own']);
    const end = await stand.finish();
    const { received, delivered, duplicatesPossible, connections } = account(end);
    assert.deepEqual([received, delivered, connections], [4, 4, 1]);
    /* for each record in doubt the call of init, and all other copies */
    assert.ok(duplicatesPossible >= (trouble.includes('nobody') ? 6 : 3), JSON.stringify(end.ledger));
  });
}

{
  let clock;
  snapshot('a clock that was wrong during init: the copy does not sign by it', {
    onFront: (front) => {
      front.clockOffsetMs = -3_600_000;
      clock = front;
    },
    platform: {
      duringInit: init(),
      duringRestore: async () => {
        clock.clockOffsetMs = 0;
        assert.equal(clock.refusals.splice(0).length, 1);
      }
    }
  }, async (stand) => {
    assert.equal(stand.arrived.length, INIT_LINES.length);
    await stand.log(['own']);
    await stand.finish(); /* which requires that nothing was refused */
  });
}

for (const taken of [true, false]) {
  const counted = () => [front.statistics.keyless, front.statistics.requests];
  let front;
  snapshot(`records without keys, which the stream ${taken ? 'takes' : 'refuses'} during init: the copy finds out by itself`, {
    env: { TELEMETRY_PARTITION_KEY: 'none' },
    onFront: (given) => {
      front = given;
      front.keyless = taken ? 'taken' : refuse(400, 'ValidationException');
    },
    platform: {
      duringInit: init(),
      /* the other way round */
      duringRestore: async () => {
        assert.deepEqual(counted(), [1, taken ? 1 : 2]);
        front.keyless = taken ? refuse(400, 'ValidationException') : 'taken';
      }
    }
  }, async (stand) => {
    await stand.log(['own']);
    assert.deepEqual(counted(), [2, 3]);
    const { arrived, ledger } = await stand.finish();
    assert.deepEqual(arrived, [...INIT_LINES, 'own']);
    assert.equal(ledger.dropped.total, 0);
  });
}

snapshot('SHUTDOWN without any invocation: what is left is delivered', {
  restored: CREDENTIALS, platform: { duringInit: init({ late: ['late'] }) }
}, async (stand) => {
  const end = await stand.finish();
  assert.deepEqual(end.arrived, [...INIT_LINES, 'late']);
});

light('what looks like SnapStart, where there are no invocations, is none', async () => {
  endpoint = await ContainerCredentials.start({ credentials: CREDENTIALS });
  return {
    platform: { managedInstances: true, duringInit: init() },
    env: { AWS_LAMBDA_INITIALIZATION_TYPE: null, ...endpoint.environment() }
  };
}, async (stand) => {
  await until('delivery', () => stand.arrived.length === INIT_LINES.length);
  assert.deepEqual((await stand.finish()).arrived, INIT_LINES);
});

scenario('over TLS: no session of before is resumed', () => ({
  env: ENRICHED, front: { sessions: new Map() }, platform: { snapStart: true, duringInit: init() }
}), async (stand) => {
  const { statistics } = stand.front;
  assert.deepEqual([statistics.handshakes, statistics.records], [1, 3]);
  stand.front.closeConnections('destroy');
  await log(stand, jsonRecords(20));
  const end = await finished(stand);
  const all = Object.values(sequences(data(end.records)));
  assert.deepEqual(all.map(({ numbers }) => numbers.length).sort((a, b) => a - b), [3, 20]);
  assert.deepEqual([statistics.handshakes, statistics.resumed, end.ledger.handshakes], [2, 0, 1]);
});

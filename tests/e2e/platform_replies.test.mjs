/*
 * Whatever the platform answers to register, subscribe and next: the extension never ends outside
 * SHUTDOWN, says once what is wrong, and goes on as well as it can.
 */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { light } from './support/light.mjs';
import { FORMS } from './support/relay.mjs';

/* Answers as the platform and its emulator have been seen to give them. */
const ANSWERS = {
  notSupported: { status: 202, body: { errorMessage: 'Telemetry API is not supported', errorType: 'Telemetry.NotSupported' } },
  /* The emulator leaves the quotes inside errorMessage as they are. */
  notJson: { status: 400, body: '{"errorMessage":"schemaVersion "2022-12-13" is not one of "2025-01-29"","errorType":"ValidationError"}' },
  closed: { status: 403, body: { errorMessage: 'Telemetry API subscription is closed', errorType: 'Telemetry.SubscriptionClosed' } },
  eventType: { status: 403, body: { errorMessage: 'INVOKE: ErrorInvalidEventType', errorType: 'Extension.InvalidEventType' } },
  absent: { status: 404, headers: { 'Content-Type': 'text/plain' }, body: '404 page not found\n' },
  internal: { status: 500, body: { errorMessage: 'Internal Server Error', errorType: 'InternalServerError' } },
  unavailable: { status: 503, body: '' },
  noReason: { status: 400, body: '' },
  page: { status: 502, headers: { 'Content-Type': 'text/html' }, body: `<html>${'x'.repeat(100_000)}</html>` }
};

/* Ways to give no answer that can be used. */
const BROKEN = {
  'dropped before the reply': 'drop',
  'dropped inside the head': { raw: 'HTTP/1.1 200 OK\r\nContent-Type: applica' },
  'dropped inside the body': { raw: 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"eventType":"INVO' },
  'dropped inside a chunk': { raw: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n{"eventType":' },
  'a reply that is no HTTP': { raw: 'SSH-2.0-OpenSSH_9.2\r\n\r\n' },
  'a reply with two lengths': { raw: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}' },
  'a head without end': { raw: `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(40_000)}` },
  'an interim reply and no other': { raw: 'HTTP/1.1 100 Continue\r\n\r\n' }
};

function repeated(count, answer) {
  return Array(count).fill(answer);
}

function calls(stand, name) {
  return stand.platform.calls.filter((one) => one.name === name);
}

/* Two invocations whose lines all arrive, and an orderly end. */
async function delivers(stand) {
  await stand.log(['first', 'second']);
  await stand.platform.flush(); /* so that all of the first invocation is known when the second one begins */
  await stand.log(['third']);
  const end = await stand.finish();
  assert.deepEqual(end.arrived.sort(), ['first', 'second', 'third']);
  return end;
}

/* The same where no telemetry can come: nothing waits for it. */
async function goesOn(stand) {
  await stand.log(['first']);
  await stand.log(['second']);
  const { ledger } = await stand.finish();
  assert.equal(ledger.received, 0);
  assert.ok(calls(stand, 'next').length >= 3);
}

/* Four at once: most of their time is the wait before the same is asked again. */
describe('what the platform answers', { concurrency: 4 }, () => {
  for (const [form, change] of Object.entries(FORMS)) {
    light(`every reply ${form}`, { change }, async (stand) => {
      await delivers(stand);
      assert.deepEqual(stand.complaints, []);
      assert.deepEqual(['register', 'subscribe', 'next'].map((name) => calls(stand, name).length), [1, 1, 3]);
    });
  }

  light('a platform at [::1]', { change: () => null, host: '::1' }, async (stand) => {
    await delivers(stand);
    assert.deepEqual(stand.complaints, []);
    assert.ok(calls(stand, 'next').length > 0);
  });

  light('replies that take their time', {
    platform: { faults: { register: [{ delay: 300 }], subscribe: [{ delay: 300 }], next: () => ({ delay: 100 }) } }
  }, async (stand) => {
    await delivers(stand);
    assert.deepEqual(stand.complaints, []);
  });

  /* register: asked again until there is an identifier. */
  const registerFaults = {
    ...Object.fromEntries(['notSupported', 'notJson', 'closed', 'absent', 'internal', 'unavailable', 'noReason', 'page']
      .map((name) => [`answered ${ANSWERS[name].status} (${name})`, ANSWERS[name]])),
    'answered 200 without an identifier': { status: 200, body: {} },
    ...BROKEN
  };
  for (const [what, fault] of Object.entries(registerFaults)) {
    light(`register ${what}, three times`, { platform: { faults: { register: repeated(3, fault) } } }, async (stand) => {
      await delivers(stand);
      assert.equal(calls(stand, 'register').length, 4);
      assert.equal(stand.complaints.length, 1, stand.complaints.join('\n'));
      assert.match(stand.complaints[0], /extensions API: register/);
    });
  }

  for (const accountId of ['210987654321', null]) {
    light(`register ${accountId ? 'tells the account when asked' : 'does not know the account'}: enriched`, {
      env: { TELEMETRY_RECORD_FORMAT: 'enriched' }, platform: { accountId }
    }, async (stand) => {
      await stand.log(['first']);
      const { arrived } = await stand.finish();
      assert.deepEqual(arrived.map((one) => [one.record, one.accountId]), [['first', accountId ?? undefined]]);
    });
  }

  light('register answered 403 Extension.InvalidEventType: for SHUTDOWN alone, then', {
    platform: { faults: { register: [ANSWERS.eventType] } }
  }, async (stand) => {
    await delivers(stand);
    assert.deepEqual(stand.bodies('register').map((one) => one.events), [['INVOKE', 'SHUTDOWN'], ['SHUTDOWN']]);
    assert.deepEqual(stand.complaints, []);
  });

  /* subscribe: what is refused for good is told once, and the function goes on without telemetry. */
  const refusals = [
    ['202 not supported', ANSWERS.notSupported, 1, /not supported/],
    ['403 SubscriptionClosed', ANSWERS.closed, 1, /403 Telemetry\.SubscriptionClosed/],
    ['400 that is no JSON, for every schema', ANSWERS.notJson, 2, /400 ValidationError/],
    ['400 with an empty body', ANSWERS.noReason, 2, /400/],
    ['404', ANSWERS.absent, 2, /404/],
    ['500', ANSWERS.internal, 3, /500 InternalServerError/],
    ['503', ANSWERS.unavailable, 3, /503/]
  ];
  for (const [what, answer, asked, words] of refusals) {
    light(`subscribe answered ${what}`, { platform: { faults: { subscribe: () => answer } } }, async (stand) => {
      await goesOn(stand);
      assert.equal(calls(stand, 'subscribe').length, asked);
      assert.equal(stand.complaints.length, 1, stand.complaints.join('\n'));
      assert.match(stand.complaints[0], words);
    });
  }

  for (const [what, fault] of Object.entries(BROKEN)) {
    light(`subscribe: ${what}, always`, { platform: { faults: { subscribe: () => fault } } }, async (stand) => {
      await goesOn(stand);
      assert.equal(stand.complaints.length, 1, stand.complaints.join('\n'));
    });

    light(`subscribe: ${what}, once`, { platform: { faults: { subscribe: [fault] } } }, async (stand) => {
      await delivers(stand);
      assert.deepEqual(stand.complaints, []);
    });
  }

  /* Init has ten seconds; here it has half of that. */
  light('subscribe: never answered', {
    platform: { initTimeoutMs: 5_000, faults: { subscribe: () => 'hang' } }
  }, async (stand) => {
    await goesOn(stand);
    assert.deepEqual(stand.complaints, ['telemetry API: subscribing: no reply in time; going on without telemetry']);
  });

  light('subscribe: the reply is lost but the platform has subscribed us', {
    platform: { faults: { subscribe: [{ act: true, drop: true }] } }
  }, async (stand) => {
    await stand.platform.until(() => stand.platform.posts.length > 0);
    await delivers(stand);
  });

  light('subscribe: the new schema is refused, the older one taken', {
    platform: { faults: { subscribe: ({ body }) => (body.includes('2025-01-29') ? ANSWERS.notJson : null) } }
  }, async (stand) => {
    await delivers(stand);
    assert.deepEqual(stand.bodies('subscribe').map((one) => one.schemaVersion), ['2025-01-29', '2022-12-13']);
    assert.deepEqual(stand.complaints, []);
  });

  /* next: asked again; one line for as long as the failure is the same. */
  const nextFaults = {
    ...Object.fromEntries(['notSupported', 'notJson', 'closed', 'eventType', 'absent', 'internal', 'unavailable', 'page']
      .map((name) => [`answered ${ANSWERS[name].status} (${name})`, ANSWERS[name]])),
    ...BROKEN,
    'an event of a kind unknown to us': { status: 200, body: { eventType: 'RESTORE', deadlineMs: 1 } },
    'an event that ends too early': { status: 200, body: '{"eventType":"INVOKE","deadli' },
    'an event that is no object': { status: 200, body: ['INVOKE'] },
    'an event without a kind': { status: 200, body: { deadlineMs: 1, requestId: 'x' } },
    'an event that is no text': { status: 200, body: Buffer.from([0, 255, 254, 1]) },
    'an empty event': { status: 200, body: '' },
    'an event of 100 KB': { status: 200, body: { eventType: 'x'.repeat(100_000) } }
  };
  for (const [what, fault] of Object.entries(nextFaults)) {
    light(`next: ${what}, four times`, { platform: { faults: { next: repeated(4, fault) } } }, async (stand) => {
      await delivers(stand);
      assert.equal(stand.complaints.length, 1, stand.complaints.join('\n'));
      assert.match(stand.complaints[0], /extensions API/);
    });
  }

  /* Pauses that grew, as after other failures, would go beyond the test's own limit. */
  light('next: forty events that cannot be read, each followed by the next one at once', {
    platform: { faults: { next: repeated(40, { status: 200, body: '{"eventType":7}' }) } }
  }, async (stand) => {
    await delivers(stand);
    assert.equal(stand.complaints.length, 1, stand.complaints.join('\n'));
    assert.match(stand.complaints[0], /event that cannot be read/);
  });

  light('next: nothing but events that cannot be read, which is no reason to hurry', () => {
    let asked = 0;
    const unreadable = () => ((asked += 1) === 1 ? null : { status: 200, body: '{}' });
    return { platform: { faults: { next: unreadable } } };
  }, async (stand) => {
    const began = performance.now();
    stand.log(['first']).catch(() => {}); /* this invocation never ends */
    await stand.platform.until(() => calls(stand, 'next').length > 50);
    assert.ok(calls(stand, 'next').length <= 10 * (Math.ceil((performance.now() - began) / 100) + 2));
  });

  light('next: the connection is cut while the call waits, again and again', { change: () => null }, async (stand) => {
    for (let i = 0; i < 5; i += 1) {
      const asked = calls(stand, 'next').length;
      stand.relay.dropWaiting();
      await stand.platform.until(() => calls(stand, 'next').length > asked && stand.relay.waiting === 1);
    }
    await delivers(stand);
    /* as AWS, the platform refuses a next that follows one whose connection broke: each is told once in a row */
    const told = new Set(stand.complaints.map((one) => one.replace(/.*(closed by the peer|InvalidExtensionState).*/, '$1')));
    assert.ok([...told].every((one) => ['closed by the peer', 'InvalidExtensionState'].includes(one)), [...told].join('\n'));
    assert.ok(stand.complaints.length <= 10, stand.complaints.join('\n'));
  });

  /* Members of an INVOKE that are not as expected; the invocation is over long before its deadline. */
  const invokes = {
    'behind a trace id of 100,000 characters': ({ requestId, ...event }) =>
      ({ tracing: { value: 'Root='.padEnd(100_000, '1') }, ...event, trace: 't'.repeat(100_000), requestId }),
    'with 1,000 more members': (event) =>
      ({ ...Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`m${i}`, i])), ...event }),
    'with extra members': (event) => ({ ...event, extra: { deep: [[[{ a: 1 }]]], eventType: 'SHUTDOWN' }, more: 'x'.repeat(2_000) }),
    'without requestId': ({ requestId, ...event }) => event,
    'with a requestId of 1,000 characters': (event) => ({ ...event, requestId: 'r'.repeat(1_000) }),
    'with a requestId that is a number': (event) => ({ ...event, requestId: 7 }),
    'without deadlineMs': ({ deadlineMs, ...event }) => event,
    'with a deadline that has passed': (event) => ({ ...event, deadlineMs: 676051 }),
    'with a deadline that is text': (event) => ({ ...event, deadlineMs: 'soon' }),
    'with a negative deadline': (event) => ({ ...event, deadlineMs: -1 }),
    'with nothing but its kind': () => ({ eventType: 'INVOKE' })
  };
  function rewritten(eventType, rewrite) {
    return (reply) => {
      const event = reply.name === 'next' && reply.status === 200 && JSON.parse(reply.body);
      return event?.eventType === eventType ? { body: JSON.stringify(rewrite(event)) } : null;
    };
  }
  for (const [what, rewrite] of Object.entries(invokes)) {
    light(`INVOKE ${what}`, { change: rewritten('INVOKE', rewrite), platform: { timeoutMs: 600_000 } }, async (stand) => {
      const { ledger } = await delivers(stand);
      assert.equal(ledger.received, 3);
      assert.deepEqual(stand.complaints, []);
    });
  }

  const shutdowns = {
    'without deadlineMs': ({ deadlineMs, ...event }) => event,
    'with a deadline that has passed': (event) => ({ ...event, deadlineMs: 1 }),
    'with a deadline in a thousand years': (event) => ({ ...event, deadlineMs: event.deadlineMs + 31_556_952_000_000 }),
    'with a deadline beyond 64 bits': (event) => ({ ...event, deadlineMs: 2 ** 69 }),
    'with a deadline that is no whole number': (event) => ({ ...event, deadlineMs: event.deadlineMs + 0.5 }),
    'with a reason of 5,000 characters': (event) => ({ ...event, shutdownReason: 'r'.repeat(5_000) }),
    'with nothing but its kind': () => ({ eventType: 'SHUTDOWN' })
  };
  for (const [what, rewrite] of Object.entries(shutdowns)) {
    light(`SHUTDOWN ${what}`, { change: rewritten('SHUTDOWN', rewrite) }, delivers);
  }

  /* Managed Instances: SHUTDOWN alone, the newest schema alone, posts to / whatever the path. */
  for (const [how, initializationType, asked] of [
    ['told by the environment', 'lambda-managed-instances', [['SHUTDOWN']]],
    ['found out by the refusal of INVOKE', 'on-demand', [['INVOKE', 'SHUTDOWN'], ['SHUTDOWN']]]
  ]) {
    light(`Managed Instances, ${how}`, {
      platform: { managedInstances: true, initializationType, deliver: { dropPath: true } }
    }, async (stand) => {
      await Promise.all([stand.log(['first']), stand.log(['second']), stand.log(['third'])]);
      const end = await stand.finish();
      assert.deepEqual(end.arrived.sort(), ['first', 'second', 'third']);
      assert.deepEqual(stand.bodies('register').map((one) => one.events), asked);
      assert.deepEqual(stand.bodies('subscribe').map((one) => one.schemaVersion), ['2025-01-29']);
      assert.deepEqual(stand.complaints, []);
      assert.equal(calls(stand, 'next').length, 1);
    });
  }
});

/*
 * While an invocation is held a full queue keeps the platform waiting for the budget in all. What nobody has
 * waited for does not count.
 */
import assert from 'node:assert/strict';
import { setTimeout as passed } from 'node:timers/promises';
import { events, batch, stopsReading } from './support/listening.mjs';
import { light } from './support/light.mjs';
import { RawClient, request } from './support/raw_client.mjs';
import { ANY_PATH, NAME } from './support/stand.mjs';

const BUDGET_MS = 2_000;
const OPTIONS = {
  platform: { deliver: ANY_PATH },
  env: {
    TELEMETRY_FLUSH: 'end', TELEMETRY_FLUSH_BUDGET_MS: String(BUDGET_MS), TELEMETRY_QUEUE_MAX_BYTES: '65536',
    TELEMETRY_TYPES: 'function'
  }
};

/* The stream does not answer until the function that is returned is called. */
function closeStream(stand) {
  const accept = stand.front.fault;
  let open;
  const gate = new Promise((resolve) => {
    open = resolve;
  });
  stand.front.fault = async (exchange) => {
    await gate;
    return accept(exchange);
  };
  return open;
}

async function begins(stand, body) {
  const { body: subscribed } = stand.platform.calls.find((call) => call.name === 'subscribe');
  const client = await RawClient.connect(Number(new URL(JSON.parse(subscribed).destination.URI).port));
  client.write(request(body));
  return client;
}

async function isTaken(client) {
  await client.replies(1);
  assert.deepEqual(client.statuses, [200]);
  client.destroy();
}

/* An invocation in which the body runs when the extension will have heard of it. */
function invoke(stand, body) {
  return stand.platform.invoke({}, { during: async () => {
    await passed(BUDGET_MS / 10);
    await body();
  } });
}

light('time in which the queue was full before INVOKE is none of the budget', OPTIONS, async (stand) => {
  const lines = events('line', 5_000);
  const openStream = closeStream(stand);
  const client = await begins(stand, batch(lines));
  await stopsReading(stand.platform.pids[NAME]);
  await passed(BUDGET_MS * 1.1);
  await invoke(stand, async () => {
    openStream();
    await isTaken(client);
  });
  const { ledger } = await stand.finish();
  assert.deepEqual([ledger.dropped.total, stand.arrived.length], [0, lines.length]);
});

light('a sender that has gone does not wait', OPTIONS, async (stand) => {
  const openStream = closeStream(stand);
  const gone = await begins(stand, batch(events('gone', 5_000)));
  await stopsReading(stand.platform.pids[NAME]);
  gone.reset();
  await passed(BUDGET_MS * 1.1);
  openStream();
  await invoke(stand, async () => isTaken(await begins(stand, batch(events('line', 5_000)))));
  const { ledger } = await stand.finish();
  assert.equal(ledger.dropped.total, 0);
});

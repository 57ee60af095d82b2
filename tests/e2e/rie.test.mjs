/*
 * The shipped binary under AWS's own emulator, in both of its modes: on demand, where the Telemetry API
 * answers that it is not supported, and Managed Instances, where it is AWS's.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Certificates } from './support/certificates.mjs';
import { Kinesis } from './support/kinesis.mjs';
import { Rie, rieMissing } from './support/rie.mjs';
import { kinesisEnvironment } from './support/stand.mjs';
import { assertSame } from './support/tally.mjs';

const INVOCATIONS = 5;
const LINES = 20;
const TIMEOUT_MS = 180_000;

const skip = await rieMissing() ?? false;
const shared = {};

before(async () => {
  if (!skip) {
    shared.certificates = await Certificates.make();
    shared.kinesis = await Kinesis.start({ certificate: await shared.certificates.leaf() });
  }
});
after(async () => {
  await shared.kinesis?.stop();
  await shared.certificates?.remove();
});

/* A run of INVOCATIONS: { exitCode, ledger, logs, lines that the function wrote }. */
async function run(stream, concurrency) {
  const { certificates, kinesis } = shared;
  await kinesis.createStream(stream, 4);
  const rie = await Rie.start({
    concurrency,
    env: {
      ...await kinesisEnvironment({
        url: `https://localhost:${kinesis.tlsPort}`, caBundle: await certificates.bundle(), stream
      }),
      TELEMETRY_CONNECT_TIMEOUT_MS: '10000', TELEMETRY_REQUEST_TIMEOUT_MS: '20000', TELEMETRY_LOG_LEVEL: 'debug'
    }
  });
  try {
    for (let i = 0; i < INVOCATIONS; i += 1) {
      assert.deepEqual(await rie.invoke({ lines: LINES }), { lines: LINES });
    }
    const { exitCode, lines } = await rie.stop();
    const { logs } = rie;
    return {
      exitCode, logs, ledger: logs.find(({ message }) => message === 'ledger'),
      written: lines.filter((line) => line.startsWith('id='))
    };
  } catch (error) {
    error.stack += `\n${rie.output.slice(-5_000)}`;
    throw error;
  } finally {
    await rie.kill();
  }
}

const told = (logs, text) => logs.filter(({ message }) => text.test(message)).length;

test('on demand: it registers, is invoked, and ends, without telemetry', { skip, timeout: TIMEOUT_MS }, async () => {
  const { exitCode, logs, ledger, written } = await run('on-demand');
  assert.equal(written.length, INVOCATIONS * LINES);
  assert.equal(exitCode, 0);
  assert.equal(told(logs, /^telemetry API: not supported here/), 1);
  assert.equal(told(logs, /^shutting down: SandboxTerminated/), 1);
  assert.deepEqual([ledger.received, ledger.requests, ledger.dropped.total], [0, 0, 0]);
  assert.deepEqual(await shared.kinesis.readAll('on-demand'), []);
});

test('Managed Instances: what AWS\'s Telemetry API sends arrives once', { skip, timeout: TIMEOUT_MS }, async () => {
  const { exitCode, logs, ledger, written } = await run('managed', 1);
  assert.equal(written.length, INVOCATIONS * LINES);
  assert.equal(exitCode, 0);
  assert.equal(told(logs, /^shutting down: /), 1);
  const records = await shared.kinesis.readAll('managed');
  assertSame(written.map((line) => JSON.stringify(line)), records.map(({ data }) => data));
  const { received, delivered, duplicatesPossible, platformDropped, dropped } = ledger;
  const lost = { platformDropped: platformDropped.records, dropped: dropped.total };
  assert.deepEqual({ received, delivered, duplicatesPossible, ...lost },
    { received: written.length, delivered: written.length, duplicatesPossible: 0, platformDropped: 0, dropped: 0 });
  assert.deepEqual(logs.filter(({ level }) => ['warn', 'error'].includes(level)), []);
});

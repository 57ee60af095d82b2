/*
 * A stand without kinesis-local, for tests of everything before the stream: the extension under the
 * local Lambda platform, and a plain HTTP front that checks what is signed and accepts every record.
 *
 *   light('what is shown', { env: {…} }, async (stand) => {
 *     await stand.log(['a', 'b']);
 *     const end = await stand.finish();      // exit 0, one ledger that adds up, no stray line
 *   });
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Platform } from '../../platform/platform.mjs';
import { removeFolder } from './folder.mjs';
import { Front } from './front.mjs';
import { knownLines } from './operating.mjs';
import { Relay } from './relay.mjs';
import { BINARY, KEEP, NAME, extensionLogs, extensionsFolder, kinesisEnvironment } from './stand.mjs';

const TEST_MS = 60_000;
const TAIL = 15;

/* Limits that no test is to meet by accident, on a machine however busy. */
const PATIENT = {
  TELEMETRY_CONNECT_TIMEOUT_MS: '10000',
  TELEMETRY_REQUEST_TIMEOUT_MS: '20000',
  TELEMETRY_FLUSH_BUDGET_MS: '20000',
  TELEMETRY_LOG_LEVEL: 'info'
};

/* For front.fault: takes every record that is not to fail into `arrived`, as { data, partitionKey, stream }. */
export function accepting(arrived) {
  return (exchange) => {
    const { Records, StreamName, StreamARN } = exchange.call;
    const results = Records.map(({ Data, PartitionKey }, index) => {
      if (exchange.failing.has(index)) {
        return exchange.failing.get(index);
      }
      arrived.push({ data: String(Buffer.from(Data, 'base64')), partitionKey: PartitionKey, stream: StreamARN ?? StreamName });
      return { SequenceNumber: String(arrived.length), ShardId: 'shardId-000000000000' };
    });
    exchange.send(exchange.results(results));
    return true;
  };
}

export class Light {
  /*
   * env       of the extension; null takes a variable out
   * platform  options of Platform.start
   * change    what a relay between platform and extension does to the replies (relay.mjs); none without it
   * host      address that the relay listens at
   * binary    another one than the shipped
   * onFront   is called with the front and this stand before the extension starts
   */
  static async start(options = {}) {
    const stand = new Light();
    try {
      await stand.#start(options);
    } catch (error) {
      stand.platform ??= error.platform; /* its lines tell why */
      error.stack += stand.tail();
      await stand.stop();
      throw error;
    }
    return stand;
  }

  async #start({ env = {}, platform = {}, change = null, host, binary = BINARY, onFront }) {
    this.arrived = [];
    this.front = await Front.start({ plain: true });
    this.front.fault = accepting(this.arrived);
    onFront?.(this.front, this);
    this.folder = await extensionsFolder(binary);
    const relayed = {};
    if (change) {
      this.relay = await Relay.start(change, host);
      platform = { ...platform, port: this.relay.platformPort };
      relayed.AWS_LAMBDA_RUNTIME_API = this.relay.address;
    }
    const base = await kinesisEnvironment({
      url: this.front.url, caBundle: null, stream: 'logs', credentials: this.front.credentials
    });
    this.platform = await Platform.start({
      extensions: this.folder, timeoutMs: TEST_MS, initTimeoutMs: TEST_MS / 2, shutdownMs: TEST_MS / 2, ...platform,
      deliver: { ...KEEP, ...platform.deliver },
      env: { ...base, ...PATIENT, ...relayed, ...env }
    });
  }

  get logs() {
    return knownLines(extensionLogs(this.platform).logs);
  }

  /* Messages of the warnings and errors of the extension. */
  get complaints() {
    return this.logs.filter((one) => ['error', 'warn'].includes(one.level)).map((one) => one.message);
  }

  /* Bodies of the calls of this name, parsed. */
  bodies(name) {
    return this.platform.calls.filter((one) => one.name === name).map((one) => one.body && JSON.parse(one.body));
  }

  /* One invocation in which the function logs these lines. */
  async log(lines) {
    return this.platform.invoke({}, { during: async (emit) => lines.forEach((line) => emit('function', line)) });
  }

  /* Shuts down, and requires what holds in every run. Returns { ledger, logs, arrived: texts }. */
  async finish() {
    assert.equal(this.platform.crash, null, 'the extension runs');
    const report = await this.platform.shutdown();
    const { logs, stray } = extensionLogs(this.platform);
    const ledgers = knownLines(logs).filter((one) => one.message === 'ledger');
    const exit = report.extensions.find((one) => one.name === NAME);
    assert.deepEqual([stray, exit.exitCode, exit.late, ledgers.length], [[], 0, false, 1]);
    assert.deepEqual([...this.front.violations, ...this.front.refusals], []);
    const [ledger] = ledgers;
    assert.equal(ledger.received, ledger.delivered + ledger.deadLettered + ledger.dropped.total + ledger.filtered.total,
      JSON.stringify(ledger));
    return { ledger, logs, arrived: this.arrived.map(({ data }) => JSON.parse(data)) };
  }

  /* What was said last, for a failure's report. */
  tail() {
    const lines = this.platform?.lines.slice(-TAIL).map(({ line }) => String(line).slice(0, 300)) ?? [];
    return `\nlast lines of the extension:\n  ${lines.join('\n  ')}`;
  }

  async stop() {
    await this.platform?.kill();
    await this.relay?.stop();
    await this.front?.stop();
    if (this.folder) {
      removeFolder(this.folder);
    }
  }
}

/* A test of a whole run; options as of Light.start, or a function that gives them. The body gets them,
 * and the test's context. */
export function light(name, options, body) {
  test(name, { timeout: TEST_MS }, async (context) => {
    const given = typeof options === 'function' ? await options() : options;
    const stand = await Light.start(given);
    try {
      await body(stand, given, context);
    } catch (error) {
      error.stack += stand.tail();
      throw error;
    } finally {
      await stand.stop();
    }
  });
}

/*
 * An extension whose listener is to be tried out: what it holds is measured, what it was given is read
 * back from the stream. Once with the shipped binary, once with the one under ASan and UBSan, which
 * ends with a report on standard error and exit code 1 upon any finding.
 *
 *   listening((posted) => {
 *     posted('an empty body', async (target) => {
 *       const { statuses } = await talk(target.port, [request('')]);
 *       …
 *       target.expects(events);          // these have to be in the stream at the end
 *       target.drops('cut', 1);          // so many are to be counted
 *     });
 *   });
 *
 * After each: it lives, takes a good batch, and holds no more files and memory than it may.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, readdir, readlink } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { removeFolder } from './folder.mjs';
import { ANY_PATH, BINARY, Bench, EMULATED, NAME, built, extensionLogs, extensionsFolder } from './stand.mjs';
import { request, talk } from './raw_client.mjs';
import { assertNoneLost, assertSame } from './tally.mjs';
import { until } from './until.mjs';

const TEST_MS = 180_000;
const MIB = 1024 * 1024;
const SANITIZED = built('asan');

/* Queue 2 MiB, three large events, scratch of 128 connections, the reply's buffer, and the program. */
const RESIDENT_MAX = 8 * MIB;
const RESIDENT_MAX_SANITIZED = 256 * MIB;
const TEBIBYTE_KB = 2 ** 30; /* only a sanitizer maps so much */

/* `count` events, each with an id; a record of `bytes` bytes. */
export function events(label, count = 3, bytes = 100) {
  return Array.from({ length: count }, (_, i) => {
    const record = `${label} ${i} `.padEnd(bytes, 'event ');
    return `{"time":"2026-11-20T10:00:00.000Z","type":"function","record":${JSON.stringify(record)}}`;
  });
}

export function batch(list) {
  return `[${list.join(',')}]`;
}

/* Resolves when the queue of this extension is full, so that the loop watches some connection for errors only. */
export async function stopsReading(pid) {
  await until('the listener stops reading', async () => {
    for (const fd of await readdir(`/proc/${pid}/fd`)) {
      const file = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '');
      if (file.includes('eventpoll') && /events:\s+18 /.test(await readFile(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))) {
        return true;
      }
    }
    return false;
  });
}

export class Listening {
  #expected = [];
  #repeated = [];
  #tolerated = new Set();
  #drops = {};
  #arrived = new Set();
  #rounds = 0;

  static async start(bench, binary) {
    const folder = await extensionsFolder(binary);
    const target = new Listening(folder);
    target.stand = await bench.stand({
      shards: 16,
      platform: { extensions: folder, deliver: ANY_PATH },
      env: {
        TELEMETRY_RECORD_FORMAT: 'event', TELEMETRY_FLUSH: 'continuous', TELEMETRY_OVERSIZE: 'drop',
        TELEMETRY_QUEUE_MAX_BYTES: String(2 * MIB)
      }
    });
    target.stand.front.fault = (exchange) => target.#note(exchange);
    target.pid = target.stand.platform.pids[NAME];
    const subscribed = target.stand.platform.calls.find((call) => call.name === 'subscribe');
    target.port = Number(new URL(JSON.parse(subscribed.body).destination.URI).port);
    target.residentMax = (await target.memory('VmSize')) > TEBIBYTE_KB * 1024 ? RESIDENT_MAX_SANITIZED : RESIDENT_MAX;
    await target.goodBatch();
    target.residentMax += EMULATED ? await target.memory('VmRSS') : 0;
    target.files = await target.openFiles();
    return target;
  }

  constructor(folder) {
    this.folder = folder;
    this.gate = null; /* a promise: no request is answered before it */
  }

  /* What is on its way to the stream; where it ends the stream itself tells, at the end. */
  async #note({ call }) {
    await this.gate;
    for (const { Data } of call.Records) {
      this.#arrived.add(Buffer.from(Data, 'base64').toString());
    }
    return false;
  }

  expects(list) {
    this.#expected.push(...list);
  }

  /* These have to arrive but may do so more than once: they were posted until they were taken. */
  expectsOnceOrMore(list) {
    this.#repeated.push(...list);
  }

  /* These may arrive or not: nobody was told that they did. */
  tolerates(list) {
    list.forEach((one) => this.#tolerated.add(one));
  }

  drops(reason, count) {
    this.#drops[reason] = (this.#drops[reason] ?? 0) + count;
  }

  /* From now on the stream does not answer; the function that is returned lets it. */
  close() {
    let open;
    this.gate = new Promise((resolve) => {
      open = resolve;
    });
    return open;
  }

  async stopsReading() {
    await stopsReading(this.pid);
  }

  async arrived(list) {
    await until('what was posted arrives', () => list.every((one) => this.#arrived.has(one)), 60_000);
  }

  async openFiles() {
    return (await readdir(`/proc/${this.pid}/fd`)).length;
  }

  async memory(what) {
    const status = await readFile(`/proc/${this.pid}/status`, 'utf8');
    return Number(new RegExp(`^${what}:\\s*(\\d+) kB`, 'm').exec(status)[1]) * 1024;
  }

  async goodBatch() {
    this.#rounds += 1;
    const good = events(`good ${this.#rounds}`);
    this.expects(good);
    const { statuses } = await talk(this.port, [request(batch(good))]);
    assert.deepEqual(statuses, [200], 'the next good batch');
    await this.arrived(good);
  }

  /* After each case. */
  async settled() {
    assert.equal(this.stand.platform.crash, null, 'the extension runs');
    await this.goodBatch();
    await until('connections are given back', async () => await this.openFiles() <= this.files);
    const resident = await this.memory('VmRSS');
    assert.ok(resident <= this.residentMax, `${resident} bytes resident`);
  }

  /* All that was expected is in the stream; all that was dropped is in the ledger, by reason. */
  async finish() {
    const end = await this.stand.finish();
    assert.deepEqual(end.faults, []);
    const arrived = end.records.map(({ data }) => String(data));
    const repeated = new Set(this.#repeated);
    assertSame(this.#expected, arrived.filter((one) => !this.#tolerated.has(one) && !repeated.has(one)));
    assertNoneLost(this.#repeated, arrived.filter((one) => repeated.has(one)));
    const none = { oversize: 0, cut: 0, unreadable: 0, refused: 0, overflow: 0, shutdown: 0 };
    const { total, ...dropped } = end.ledger.dropped;
    assert.deepEqual(dropped, { ...none, ...this.#drops });
    return end;
  }

  async stop() {
    await this.stand?.stop();
    removeFolder(this.folder);
  }
}

/* What the extension said last. */
function tail({ stand }) {
  const { logs, stray } = extensionLogs(stand.platform);
  return `\nlast lines of the extension:\n  ${[...logs.slice(-5).map((one) => JSON.stringify(one)), ...stray].join('\n  ')}`;
}

function binaries() {
  const shipped = [['the shipped binary', BINARY]];
  return process.env.EXTENSION_BINARY ? shipped : [...shipped, ['the binary under ASan and UBSan', SANITIZED]];
}

/* define(posted) is called for each binary; posted(name, body) is a test with one extension for all of them. */
export function listening(define) {
  let bench;
  before(async () => {
    bench = await Bench.start();
  });
  after(() => bench?.stop());
  const tryOut = (label, binary) => describe(label, { skip: !existsSync(binary) && `${binary} is missing`, concurrency: 1 }, () => {
    let target;
    before(async () => {
      target = await Listening.start(bench, binary);
    });
    after(() => target?.stop());
    const guarded = (name, body) => test(name, { timeout: TEST_MS }, async () => {
      try {
        await body(target);
      } catch (error) {
        error.stack += tail(target);
        throw error;
      }
    });
    define((name, body) => guarded(name, async () => {
      await body(target);
      await target.settled();
    }));
    guarded('at the end all is in the stream, and what was dropped is in the ledger', () => target.finish());
  });
  /* All at once: most of the time records wait in the queue for others. */
  describe('the listener', { concurrency: true }, () => binaries().forEach(([label, binary]) => tryOut(label, binary)));
}

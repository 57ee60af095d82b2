/*
 * What takes long or is measured rather than judged: ./build.sh endurance [CASE...]
 *
 *   million   one million events posted while Kinesis is down: memory, and what comes after
 *   soak      100,000 invocations (or the number in SOAK): files and memory
 *   broken    200 POSTs of 14,000 lines (or the number in RUNS) that break off and come again; SEED repeats a run
 *   shutdown  from the last acknowledgement, or from an idle SHUTDOWN, to the exit
 *   drops     what falls due during a POST is dropped by the platform: all lines are accounted for, no hold is too long
 *
 * Exit code 1 when a limit is not kept.
 */
import { readFile, readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Platform } from '../platform/platform.mjs';
import { Front } from './support/front.mjs';
import { BUDGET_MS, dropRun } from './support/drop_run.mjs';
import { Certificates } from './support/certificates.mjs';
import { removeFolder } from './support/folder.mjs';
import { brokenPosts, counted } from './support/broken_posts.mjs';
import { Light, accepting } from './support/light.mjs';
import { RawClient, request } from './support/raw_client.mjs';
import { ANY_PATH, KEEP, NAME, extensionLogs, extensionsFolder, kinesisEnvironment } from './support/stand.mjs';
import { until } from './support/until.mjs';

const MIB = 1024 * 1024;
const SHUTDOWNS = 15;
const DROP_INVOCATIONS = 20;

let failures = 0;

function say(name, value, ok = true) {
  failures += ok ? 0 : 1;
  console.log(`  ${name.padEnd(44)} ${value}${ok ? '' : '   NOT KEPT'}`);
}

/* An extension with the default settings, and a front that takes every record and remembers only ids. */
class Run {
  static async start({ env = {}, platform = {} } = {}) {
    const run = new Run();
    run.certificates = await Certificates.make();
    run.front = await Front.start({ certificate: await run.certificates.leaf() });
    run.count = 0;
    run.front.fault = (exchange) => run.#take(exchange);
    run.folder = await extensionsFolder();
    run.platform = await Platform.start({
      extensions: run.folder, shutdownMs: 2_000, timeoutMs: 600_000, ...platform,
      deliver: { ...KEEP, ...ANY_PATH, ...platform.deliver },
      env: {
        ...await kinesisEnvironment({
          url: run.front.url, caBundle: await run.certificates.bundle(), stream: 'logs', credentials: run.front.credentials
        }),
        ...env
      }
    });
    run.pid = run.platform.pids[NAME];
    return run;
  }

  async #take(exchange) {
    const taken = [];
    accepting(taken)(exchange);
    this.count += taken.length;
    this.ackAt = performance.now();
    return true;
  }

  get port() {
    const { body } = this.platform.calls.find((call) => call.name === 'subscribe');
    return Number(new URL(JSON.parse(body).destination.URI).port);
  }

  get logs() {
    return extensionLogs(this.platform).logs;
  }

  async memory(what) {
    const status = await readFile(`/proc/${this.pid}/status`, 'utf8');
    return Number(new RegExp(`^${what}:\\s*(\\d+) kB`, 'm').exec(status)[1]) * 1024;
  }

  async files() {
    return (await readdir(`/proc/${this.pid}/fd`)).length;
  }

  /* Returns { exit, ledger }. */
  async shutdown() {
    const report = await this.platform.shutdown();
    const exit = report.extensions.find((one) => one.name === NAME);
    return { exit, ledger: this.logs.find((one) => one.message === 'ledger') };
  }

  async stop() {
    await this.platform.kill();
    await this.front.stop();
    await this.certificates.remove();
    removeFolder(this.folder);
  }
}

function events(from, count) {
  const list = Array.from({ length: count }, (_, i) => JSON.stringify({
    time: '2026-11-20T10:00:00.000Z', type: 'function',
    record: { timestamp: '2026-11-20T10:00:00.000Z', level: 'INFO', message: { id: from + i, pad: 'x'.repeat(100) } }
  }));
  return `[${list.join(',')}]`;
}

async function million() {
  const POSTS = 1_000;
  const run = await Run.start({ env: { TELEMETRY_LOG_LEVEL: 'debug' } });
  const ceiling = Number(/at most (\d+) bytes/.exec(run.logs.find((one) => /at most/.test(one.message)).message)[1]);
  run.front.server.close();
  run.front.closeConnections('destroy');
  const { port: address } = run.front;
  const client = await RawClient.connect(run.port);
  const began = performance.now();
  for (let i = 0; i < POSTS; i += 1) {
    const before = client.text.length;
    client.socket.write(request(events(i * 1_000, 1_000)));
    while (client.text.length === before) {
      await sleep(1);
    }
  }
  say('one million events posted, s', ((performance.now() - began) / 1_000).toFixed(1));
  const peak = await run.memory('VmHWM');
  say('printed ceiling, bytes', ceiling);
  say('peak resident memory, bytes', peak, peak < ceiling && peak < 8 * MIB);
  run.front.server.listen(address, '127.0.0.1');
  const more = await run.platform.invoke({}, { during: async (emit) => emit('function', 'after the outage') });
  say('the next invocation was held for, ms', more.holdMs.toFixed(1));
  await until('delivery', () => run.logs.some((one) => /delivering again/.test(one.message)), 60_000);
  await until('all that is queued', async () => {
    const before = run.count;
    await sleep(1_000);
    return run.count > 0 && run.count === before;
  }, 60_000);
  say('delivered by itself after recovery, events', run.count, run.count > 1_000);
  const { ledger, exit } = await run.shutdown();
  const { received, delivered, dropped } = ledger;
  say('received = delivered + dropped', `${received} = ${delivered} + ${dropped.total}`, received === delivered + dropped.total);
  say('exit code', exit.exitCode, exit.exitCode === 0);
  await run.stop();
}

async function soak() {
  const invocations = Number(process.env.SOAK ?? 100_000);
  const run = await Run.start();
  const marks = [];
  for (let i = 0; i <= invocations; i += 1) {
    if (i === 1_000 || (i > 1_000 && i % Math.ceil(invocations / 10) === 0)) {
      marks.push({ i, files: await run.files(), memory: await run.memory('VmRSS') });
      /* the platform keeps everything that happened, which is too much of it here */
      for (const list of [run.platform.lines, run.platform.events, run.platform.calls, run.platform.posts]) {
        list.length = 0;
      }
    }
    await run.platform.invoke({}, { during: async (emit) => emit('function', `invocation ${i}`) });
  }
  for (const { i, files, memory } of marks) {
    say(`after ${i} invocations`, `${files} files, ${memory} bytes resident`);
  }
  const [first, last] = [marks[0], marks.at(-1)];
  say('growth', `${last.files - first.files} files, ${last.memory - first.memory} bytes`,
    last.files <= first.files && last.memory - first.memory < 256 * 1024);
  const { ledger } = await run.shutdown();
  say('received = delivered', `${ledger.received} = ${ledger.delivered}`, ledger.received === ledger.delivered);
  await run.stop();
}

function median(list) {
  return [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
}

function spread(list) {
  return `${median(list).toFixed(1)} (${Math.min(...list).toFixed(1)} to ${Math.max(...list).toFixed(1)})`;
}

/* Events that the listener and the platform hold when SHUTDOWN comes, since the stream answers nobody before. */
async function shutdownWithPending(pending) {
  const run = await Run.start({ env: { TELEMETRY_LOG_LEVEL: 'info' }, platform: { deliver: { timeoutMs: 60_000 } } });
  const held = [];
  const { fault } = run.front;
  run.front.fault = (exchange) => {
    held.push(exchange);
    return true;
  };
  for (let i = 0; i < pending; i += 1) {
    run.platform.emit('function', `pending ${i}`);
  }
  await run.platform.flush();
  run.front.fault = fault;
  held.forEach((exchange) => fault(exchange));
  const { exit, ledger } = await run.shutdown();
  const ms = performance.now() - run.ackAt;
  const lost = pending - run.count;
  await run.stop();
  return { ms, lost, good: exit.exitCode === 0 && !exit.late && ledger.delivered === pending };
}

async function shutdown() {
  const idle = [];
  const full = [];
  for (let i = 0; i < SHUTDOWNS; i += 1) {
    const run = await Run.start();
    await run.platform.invoke({}, { during: async (emit) => emit('function', 'one') });
    await sleep(200);
    const { exit } = await run.shutdown();
    idle.push(exit.ms);
    await run.stop();
    full.push(await shutdownWithPending(9_000));
  }
  say('idle SHUTDOWN to exit, ms', spread(idle), median(idle) <= 100);
  say('9,000 pending: last acknowledgement to exit, ms', spread(full.map((one) => one.ms)),
    median(full.map((one) => one.ms)) <= 150);
  say('lost', full.reduce((sum, one) => sum + one.lost, 0), full.every((one) => one.lost === 0 && one.good));
}

/* The budget, and what a busy machine may add to it. */
const HELD_MAX_MS = BUDGET_MS + 50;

async function drops() {
  for (const bytes of [200_000, 3_000_000, 10_000_000]) {
    for (const kinesisMs of [0, 20, 200]) {
      for (const queueBytes of [64 * 1024, 4 * MIB]) {
        const what = `${bytes / 1e6} MB, Kinesis ${kinesisMs} ms, queue ${queueBytes / 1024} KiB`;
        const { logged, received, dropped, ledgers, exit, invocations } = await dropRun({
          bytes, kinesisMs, queueBytes, invocations: DROP_INVOCATIONS
        });
        say(`${what}: received + dropped`, `${received} + ${dropped} of ${logged}`, received + dropped === logged);
        const held = invocations.map(({ heldMs }) => heldMs ?? Infinity);
        say('  held, ms', spread(held), Math.max(...held) <= HELD_MAX_MS);
        say('  ended by itself, with a ledger', exit.exitCode === 0, exit.exitCode === 0 && ledgers === 1);
      }
    }
  }
}

async function broken() {
  const runs = Number(process.env.RUNS ?? 200);
  const seed = Number(process.env.SEED ?? 1 + Math.floor(Math.random() * 1e6));
  const stand = await Light.start({
    env: { TELEMETRY_FLUSH: 'continuous', TELEMETRY_QUEUE_MAX_BYTES: String(16 * MIB) }, platform: { timeoutMs: 3_600_000, deliver: ANY_PATH }
  });
  say('seed', seed);
  const { least, most } = await brokenPosts(stand, { runs, seed });
  const { ledger, arrived } = await stand.finish();
  const { lost, doubles } = counted(arrived, runs);
  say('lost', lost, lost === 0);
  say('doubled, possible', `${doubles}, ${ledger.duplicatesPossible}`, doubles === 0 && ledger.duplicatesPossible === 0);
  say('passed over', `${ledger.repeated} of ${least} to ${most}`, ledger.repeated >= least && ledger.repeated <= most);
  say('received', ledger.received, ledger.received === arrived.length);
  await stand.stop();
}

const cases = { million, soak, broken, drops, shutdown };
const wanted = process.argv.slice(2);
for (const name of wanted.length > 0 ? wanted : Object.keys(cases)) {
  if (!cases[name]) {
    console.error(`no such case: ${name}; there are ${Object.keys(cases).join(', ')}`);
    process.exit(2);
  }
  console.log(name);
  await cases[name]();
}
process.exit(failures > 0 ? 1 : 0);

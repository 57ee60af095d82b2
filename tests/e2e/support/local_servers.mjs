/*
 * Local servers that speak Kinesis' protocol, as their users have them, and what comes of the lines of
 * a function that is sent to one with the extension's default settings.
 *
 *   for (const name of Object.keys(SERVERS)) { … }
 *   const faults = localFaults(await localRun('moto', 10_000));
 *
 * What is of Python is in build/local-servers; build.sh puts it there.
 */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Platform } from '../../platform/platform.mjs';
import { removeFolder, temporaryFolder } from './folder.mjs';
import { Kinesis } from './kinesis.mjs';
import { KEEP, NAME, extensionLogs, extensionsFolder, freePort, kinesisEnvironment } from './stand.mjs';
import { Streams } from './streams.mjs';
import { compare } from './tally.mjs';
import { until, within } from './until.mjs';

const START_MS = 60_000;
const RUN_MS = 300_000;
const POLL_MS = 2_000;
const STREAM = 'logs';

const python = fileURLToPath(new URL('../../../build/local-servers/bin/', import.meta.url));
const preload = fileURLToPath(new URL('./loopback.cjs', import.meta.url));

/* A process, what it says, and where it listens. */
class Server {
  constructor(child, folder, port = null) {
    Object.assign(this, { child, folder, port, output: '' });
    this.streams = null;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        this.output = (this.output + text).slice(-10_000);
      });
    }
    /* A program that is not there is an 'error', and what waits for the server hears of it. */
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => reject(new Error(`it ended (${signal ?? code})`)));
    });
    this.ended.catch(() => {});
  }

  /* Until it answers at all, in whichever way. */
  async ready(portTold) {
    try {
      this.port ??= await within('its port', START_MS, Promise.race([portTold, this.ended]));
      await Promise.race([this.ended, until('it answers', () => fetch(this.url).catch(() => null), START_MS)]);
    } catch (error) {
      await this.stop();
      throw new Error(`${error.message}\n${this.output}`, { cause: error });
    }
    this.streams = new Streams(this.url);
    return this;
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  async stop() {
    this.streams?.close();
    if (this.child.pid && this.child.exitCode === null && this.child.signalCode === null) {
      const ended = once(this.child, 'exit');
      this.child.kill('SIGKILL');
      await ended;
    }
    removeFolder(this.folder);
  }
}

/* A program of build/local-servers; command and environment are functions of the port. */
async function pythonServer(program, args, env = () => ({})) {
  const port = await freePort();
  const folder = await temporaryFolder('local-server-');
  const child = spawn(join(python, program), args(port), {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, TMPDIR: folder, ...env(port) },
    stdio: ['ignore', 'pipe', 'pipe']
  });
  return new Server(child, folder, port).ready();
}

async function kinesalite() {
  const folder = await temporaryFolder('local-server-');
  const child = fork(createRequire(import.meta.url).resolve('kinesalite/cli.js'), ['--createStreamMs', '1'], {
    cwd: folder, execArgv: ['--require', preload], stdio: ['ignore', 'pipe', 'pipe', 'ipc']
  });
  return new Server(child, folder).ready(once(child, 'message').then(([{ port }]) => port));
}

async function kinesisLocal() {
  const kinesis = await Kinesis.start();
  return { url: `http://127.0.0.1:${kinesis.plainPort}`, streams: kinesis.streams, stop: () => kinesis.stop() };
}

const WITHOUT_CBOR2 = "import sys; sys.modules['cbor2'] = None; from ministack.app import main; main()";
const ministack = (port) => ({ GATEWAY_PORT: String(port), BIND_HOST: '127.0.0.1' });

/* Each starts one: resolves with { url, streams, stop() }. */
export const SERVERS = {
  'kinesis-local': kinesisLocal,
  moto: () => pythonServer('moto_server', (port) => ['-H', '127.0.0.1', '-p', String(port)]),
  kinesalite,
  ministack: () => pythonServer('ministack', () => [], ministack),
  /* as PyPI has it */
  'ministack without cbor2': () => pythonServer('python', () => ['-c', WITHOUT_CBOR2], ministack)
};

const line = (i) => `line ${i} `.padEnd(200, '.');

/* So many lines, the first of them in an invocation of its own. */
async function logAll(platform, count) {
  for (const [first, end] of [[0, 1], [1, count]]) {
    await platform.invoke({}, {
      during: async (emit) => {
        for (let i = first; i < end; i++) {
          emit('function', line(i));
        }
      }
    });
  }
}

/*
 * Sends `count` lines by way of the shipped binary with its default settings, but for those in env, and reads the
 * stream back: { lines, lost, duplicates, foreign, exitCode, ledger, logs, seconds }.
 */
export async function localRun(name, count, env = {}) {
  const server = await SERVERS[name]();
  const folder = await extensionsFolder();
  let platform = null;
  try {
    await server.streams.createStream(STREAM, 4);
    const begin = performance.now();
    platform = await Platform.start({
      extensions: folder, timeoutMs: RUN_MS, shutdownMs: RUN_MS, deliver: KEEP,
      env: {
        ...await kinesisEnvironment({ url: server.url, caBundle: null, stream: STREAM }), TELEMETRY_LOG_LEVEL: 'info',
        ...env
      }
    });
    await logAll(platform, count);
    const read = await server.streams.reader(STREAM);
    const arrived = [];
    const more = async () => arrived.push(...(await read()).map(({ data }) => data.toString()));
    /* a slow server gets the time that it needs */
    const all = async () => await more() >= count && new Set(arrived).size >= count;
    await until('all lines have arrived', all, RUN_MS, POLL_MS).catch((error) => console.error(error.message));
    const seconds = (performance.now() - begin) / 1000;
    const report = await platform.shutdown();
    await more();
    const { logs } = extensionLogs(platform);
    const sent = Array.from({ length: count }, (_, i) => JSON.stringify(line(i)));
    const { lost, duplicated, foreign } = compare(sent, arrived);
    return {
      lines: count, lost: lost.length, duplicates: duplicated.length, foreign: foreign.length, seconds, logs,
      exitCode: report.extensions.find((one) => one.name === NAME).exitCode,
      ledger: logs.find((one) => one.message === 'ledger')
    };
  } finally {
    await platform?.kill();
    removeFolder(folder);
    await server.stop();
  }
}

/* What a run was to show, and did not. */
export function localFaults({ lines, lost, duplicates, foreign, exitCode, ledger }) {
  const all = [];
  if (exitCode !== 0 || !ledger) {
    all.push(`exit status ${exitCode}, ledger ${JSON.stringify(ledger)}`);
  }
  if (lost > 0 || foreign > 0) {
    all.push(`${lost} lost, ${foreign} that nobody sent`);
  }
  if (ledger?.received !== lines || ledger.delivered !== lines || duplicates > ledger.duplicatesPossible) {
    all.push(`${duplicates} duplicates, but the ledger says ${JSON.stringify(ledger)}`);
  }
  return all;
}

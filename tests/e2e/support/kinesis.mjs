/*
 * kinesis-local (kinesis-mock) on loopback, and the AWS SDK as its client.
 *
 *   const kinesis = await Kinesis.start({ certificate });  // certificate is optional
 *   await kinesis.createStream('logs', 4);
 *   const records = await kinesis.readAll('logs');         // every shard, from TRIM_HORIZON to its end
 *   await kinesis.stop();
 *
 * One server takes about a second to start and some 180 MB of memory: share it between the tests of a
 * file, a stream per test.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { removeFolder, temporaryFolder } from './folder.mjs';
import { Streams } from './streams.mjs';
import { until, within } from './until.mjs';

/* What loopback.cjs is told instead of port numbers. */
const TLS_PORT = 1;
const PLAIN_PORT = 2;

const START_MS = 60_000;

const preload = fileURLToPath(new URL('./loopback.cjs', import.meta.url));
const program = createRequire(import.meta.url).resolve('kinesis-local/main.js');

/* kinesis-local takes its certificate from a JSON file. */
async function certificateFile(folder, { cert, key }) {
  const path = join(folder, 'server.json');
  await writeFile(path, JSON.stringify({ server: { cert, key } }), { mode: 0o600 });
  return path;
}

function environment(certificatePath, logLevel) {
  const env = {
    PATH: process.env.PATH,
    KINESIS_MOCK_TLS_PORT: String(TLS_PORT),
    KINESIS_MOCK_PLAIN_PORT: String(PLAIN_PORT),
    CREATE_STREAM_DURATION: '1ms',
    DELETE_STREAM_DURATION: '1ms',
    SHARD_LIMIT: '1000',
    LOG_LEVEL: logLevel
  };
  if (certificatePath) {
    env.KINESIS_MOCK_CERT_PATH = certificatePath;
  }
  return env;
}

/* Resolves with { [TLS_PORT]: port, [PLAIN_PORT]: port } once both are open. */
function ports(child) {
  return new Promise((resolve, reject) => {
    const open = {};
    child.on('message', ({ told, port }) => {
      open[told] = port;
      if (open[TLS_PORT] && open[PLAIN_PORT]) {
        resolve(open);
      }
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => reject(new Error(`kinesis-local ended (${signal ?? code})`)));
  });
}

export class Kinesis {
  static async start({ certificate = null, logLevel = 'ERROR' } = {}) {
    const folder = await temporaryFolder('kinesis-local-');
    const path = certificate && await certificateFile(folder, certificate);
    const child = fork(program, [], {
      /* It reads its own server.json from the working directory. */
      cwd: dirname(program),
      env: environment(path, logLevel),
      execArgv: ['--require', preload],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc']
    });
    const kinesis = new Kinesis(child, folder);
    try {
      await kinesis.#ready();
    } catch (error) {
      await kinesis.stop();
      throw new Error(`${error.message}\n${kinesis.output}`, { cause: error });
    }
    return kinesis;
  }

  constructor(child, folder) {
    this.child = child;
    this.folder = folder;
    this.output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        this.output = (this.output + text).slice(-100_000);
      });
    }
  }

  async #ready() {
    const open = await within('kinesis-local opens its ports', START_MS, ports(this.child));
    this.plainPort = open[PLAIN_PORT];
    this.tlsPort = open[TLS_PORT];
    this.streams = new Streams(`http://127.0.0.1:${this.plainPort}`);
    await until('kinesis-local answers', async () => {
      const reply = await fetch(`http://127.0.0.1:${this.plainPort}/healthcheck`).catch(() => null);
      return reply?.ok;
    }, START_MS);
  }

  async stop() {
    this.streams?.close();
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = once(this.child, 'exit');
      this.child.kill('SIGKILL');
      await ended;
    }
    removeFolder(this.folder);
  }

  get client() {
    return this.streams.client;
  }

  createStream(name, shards) {
    return this.streams.createStream(name, shards);
  }

  deleteStream(name) {
    return this.streams.deleteStream(name);
  }

  readAll(name) {
    return this.streams.readAll(name);
  }
}

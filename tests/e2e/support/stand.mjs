/*
 * What an end-to-end test stands on: the shipped binary under the local Lambda platform, the front,
 * kinesis-local.
 *
 *   const bench = await Bench.start();              // one per test file: certificates, kinesis-local
 *   const stand = await bench.stand({ env: { TELEMETRY_RECORD_FORMAT: 'event' } });
 *   await stand.platform.invoke({}, { during: async (emit) => { emit('function', 'line'); } });
 *   const end = await stand.finish();               // { ledger, records, exit, logs }
 *   await bench.stop();
 */
import { randomInt } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { access, symlink } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Platform } from '../../platform/platform.mjs';
import { Certificates } from './certificates.mjs';
import { CREDENTIALS, Front } from './front.mjs';
import { removeFolder, temporaryFolder } from './folder.mjs';
import { Kinesis } from './kinesis.mjs';
import { knownLines } from './operating.mjs';

const root = fileURLToPath(new URL('../../..', import.meta.url));

export const NAME = 'kinesis-telemetry-api-extension';

/* The ELF file of a CPU, by the name that build.sh has for it. */
export function built(cpu) {
  return join(root, 'build', cpu, NAME);
}

export const NATIVE = process.arch === 'arm64' ? 'arm64' : 'x86_64';
export const BINARY = resolve(root, process.env.EXTENSION_BINARY ?? built(NATIVE));

/* A script that has an emulator run the other CPU's binary: to the process' memory the emulator's own is added. */
export const EMULATED = existsSync(BINARY) && readFileSync(BINARY).subarray(0, 2).equals(Buffer.from('#!'));

/*
 * kinesis-local takes up to a second for a call, under a sanitizer the binary some too. These times
 * are limits that a test must not meet by accident; what a test wants of them it sets itself.
 */
const PATIENT = {
  TELEMETRY_CONNECT_TIMEOUT_MS: '10000',
  TELEMETRY_REQUEST_TIMEOUT_MS: '20000',
  TELEMETRY_LOG_LEVEL: 'info'
};
const SHUTDOWN_MS = 60_000;

/*
 * The platform drops what falls due while a POST is outstanding (its default, AWS's rule). Where a test asks what
 * becomes of every line that was handed over, none may be missing because this machine is busy; drops.test.mjs and
 * ends.test.mjs are about the rule.
 */
export const KEEP = { busy: 'keep' };

/* The platform posts to "/", as AWS's emulator does, so the listener asks nobody for the path of its subscription. */
export const ANY_PATH = { dropPath: true };

/*
 * A port that nobody listens on: the listener's own default would let two runs meet. It is below those
 * that the system gives to whoever asks for any (port 0, outgoing connections), since one of these may
 * be given away again before the extension binds it. Each call goes on where the last one ended; where
 * the first one begins is a matter of chance, so that runs side by side do not meet.
 */
const FIRST_PORT = 10_081; /* fetch never connects to 10080. Source: Fetch standard, port blocking */
const [END_OF_PORTS] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s/).map(Number);
let nextPort = randomInt(FIRST_PORT, END_OF_PORTS);

export async function freePort() {
  for (;;) {
    const port = nextPort;
    nextPort = port + 1 < END_OF_PORTS ? port + 1 : FIRST_PORT;
    const server = createServer().listen(port);
    const free = await once(server, 'listening').then(() => true, () => false);
    if (free) {
      server.close();
      await once(server, 'close');
      return port;
    }
  }
}

/* A folder as /opt/extensions, with the binary under its own name or another one. */
export async function extensionsFolder(binary = BINARY, name = NAME) {
  await access(binary).catch(() => {
    throw new Error(`${binary} is missing: ./build.sh makes it`);
  });
  const folder = await temporaryFolder('extensions-');
  await symlink(binary, join(folder, name));
  return folder;
}

/* What the extension needs to know to reach a Kinesis endpoint here. */
export async function kinesisEnvironment({ url, caBundle, stream, credentials = CREDENTIALS }) {
  return {
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
    AWS_ENDPOINT_URL_KINESIS: url,
    AWS_CA_BUNDLE: caBundle,
    KINESIS_STREAM_NAME: stream,
    TELEMETRY_LISTENER_PORT: String(await freePort())
  };
}

/* The JSON lines that the extension wrote; `stray` are lines that are none. */
export function extensionLogs(platform, source = NAME) {
  const logs = [];
  const stray = [];
  for (const { source: from, line } of platform.lines) {
    if (from !== source) {
      continue;
    }
    try {
      logs.push(JSON.parse(line));
    } catch {
      stray.push(String(line));
    }
  }
  return { logs, stray };
}

export class Stand {
  #folder;
  #ended = null;

  /* See Bench.stand for the options. */
  static async start(bench, options) {
    const stand = new Stand(bench, options.stream ?? bench.nextStream());
    try {
      await stand.#start(options);
    } catch (error) {
      await stand.stop();
      throw error;
    }
    return stand;
  }

  constructor(bench, stream) {
    this.bench = bench;
    this.stream = stream;
  }

  async #start({ shards = 8, front = {}, leaf = {}, caBundle, env = {}, platform = {}, onFront,
    binary = BINARY, opt }) {
    const { certificates, kinesis } = this.bench;
    if (shards > 0) {
      await kinesis.createStream(this.stream, shards);
      this.created = true;
    }
    this.front = await Front.start({ kinesis, certificate: await certificates.leaf(leaf), ...front });
    onFront?.(this.front);
    this.#folder = opt ?? await extensionsFolder(binary);
    const base = {
      ...await kinesisEnvironment({
        url: this.front.url, stream: this.stream, credentials: this.front.credentials,
        caBundle: caBundle ?? await certificates.bundle({ key: leaf.caKey ?? leaf.key })
      }),
      ...PATIENT
    };
    this.platform = await Platform.start({
      extensions: opt ? join(opt, 'extensions') : this.#folder,
      bootstrap: null,
      shutdownMs: SHUTDOWN_MS,
      timeoutMs: 120_000,
      initTimeoutMs: 60_000,
      ...platform,
      /* A POST may wait for room in the queue; a POST broken off would come twice. */
      deliver: { ...KEEP, timeoutMs: 120_000, ...platform.deliver },
      env: { ...base, ...typeof env === 'function' ? env(base) : env }
    });
  }

  get logs() {
    return knownLines(extensionLogs(this.platform).logs);
  }

  /* Log lines of the extension of this level; level may be an array. */
  logsOf(level) {
    return this.logs.filter((one) => [level].flat().includes(one.level));
  }

  /* Events of these types that the platform produced, as bytes. */
  eventBytes(...types) {
    return this.platform.events.filter((one) => types.includes(one.category)).map((one) => one.bytes);
  }

  /* Resolves when the listener has taken `count` events in all. */
  async taken(count, ms = 60_000) {
    await this.platform.until(() => {
      const good = this.platform.posts.filter((post) => post.status === 200);
      return good.reduce((sum, post) => sum + post.events, 0) >= count;
    }, ms);
  }

  /*
   * Shuts down, and reads the stream back: { exit, ledger, records, logs }. What holds in every test
   * is found in `faults`, a list of texts.
   */
  async finish(reason = 'spindown') {
    const report = await this.platform.shutdown(reason);
    const { logs, stray } = extensionLogs(this.platform);
    const ledgers = logs.filter((one) => one.message === 'ledger');
    this.#ended = {
      exit: report.extensions.find((one) => one.name === NAME),
      ledger: ledgers.at(-1),
      records: this.created ? await this.bench.kinesis.readAll(this.stream) : [],
      logs: knownLines(logs)
    };
    this.#ended.faults = this.#faults(stray, ledgers);
    return this.#ended;
  }

  #faults(stray, ledgers) {
    const { exit, ledger } = this.#ended;
    const all = [...this.front.violations, ...stray.map((line) => `not a JSON line: ${line}`)];
    if (exit?.exitCode !== 0) {
      all.push(`exit ${JSON.stringify(exit)}`);
    }
    if (ledgers.length !== 1) {
      all.push(`${ledgers.length} ledgers`);
    } else if (ledger.received !==
      ledger.delivered + ledger.deadLettered + ledger.dropped.total + ledger.filtered.total) {
      all.push(`the ledger does not add up: ${JSON.stringify(ledger)}`);
    }
    const { secretAccessKey, sessionToken } = this.front.credentials;
    const text = this.platform.lines.map((one) => String(one.line)).join('\n');
    for (const secret of [secretAccessKey, sessionToken, 'Signature=']) {
      if (text.includes(secret)) {
        all.push('a credential in the log');
      }
    }
    return all;
  }

  /* Ends whatever still runs. */
  async stop() {
    await this.platform?.kill();
    await this.front?.stop();
    if (this.#folder) {
      removeFolder(this.#folder);
    }
    if (this.created) {
      await this.bench.kinesis.deleteStream(this.stream);
      this.created = false;
    }
  }
}

export class Bench {
  #streams = 0;
  #stands = [];

  static async start() {
    const bench = new Bench();
    bench.certificates = await Certificates.make();
    try {
      bench.kinesis = await Kinesis.start();
    } catch (error) {
      await bench.certificates.remove();
      throw error;
    }
    return bench;
  }

  nextStream() {
    this.#streams += 1;
    return `stream-${this.#streams}`;
  }

  /*
   * shards    of a new stream; 0: the stream does not exist
   * stream    its name
   * front     options of Front; onFront is called with the front before the extension starts
   * leaf      options of Certificates.leaf for the front's certificate
   * caBundle  path for AWS_CA_BUNDLE, otherwise the CA of the leaf's kind of key
   * env       environment of the extension, or a function of the usual one; null takes a variable out
   * platform  options of Platform.start
   * binary    what is started under the extension's name, if not the shipped binary
   * opt       a folder that stands for /opt, such as an unpacked layer, in place of that; removed in the end
   */
  async stand(options = {}) {
    const stand = await Stand.start(this, options);
    this.#stands.push(stand);
    return stand;
  }

  /* After each test. */
  async clear() {
    for (const stand of this.#stands.splice(0)) {
      await stand.stop();
    }
  }

  async stop() {
    await this.clear();
    await this.kinesis?.stop();
    await this.certificates?.remove();
  }
}

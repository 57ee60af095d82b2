/*
 * AWS's own Lambda Runtime Interface Emulator, with the shipped binary beside a function in shell.
 *
 *   const rie = await Rie.start({ concurrency: 1, env });   // concurrency: Managed Instances
 *   await rie.invoke({ lines: 5 });
 *   const { exitCode, lines } = await rie.stop();           // of the extension; what was said on stdout
 *
 * The emulator looks for extensions in /opt/extensions, and for /var/task. So it runs in a mount namespace
 * of its own, in which temporary folders are /opt and /var; and in a process namespace, so that all that it
 * has started ends with it. On Managed Instances, processes are those of user 993: what they need is
 * copied to where anybody may read.
 *
 * When it drops telemetry it can wait for itself for ever, so that every wait here has a limit, and few
 * lines are logged.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { removeFolder, temporaryFolder } from './folder.mjs';
import { BINARY, NAME, freePort } from './stand.mjs';
import { until, within } from './until.mjs';

const LIMIT_MS = 60_000;

const PROGRAM = fileURLToPath(new URL('../../../build/rie/aws-lambda-rie', import.meta.url));
const BOOTSTRAP = fileURLToPath(new URL('../../platform/examples/shell/bootstrap', import.meta.url));

const NAMESPACES = ['--mount', '--pid', '--fork', '--kill-child'];
const IN_ITS_PLACE = 'mount --bind "$1" /opt && mount --bind "$2" /var && shift 2 && exec "$@"';

/* Why it cannot be run here; null when it can. */
export async function rieMissing() {
  if (!existsSync(PROGRAM)) {
    return 'AWS\'s emulator was not built: no Go, or its module cannot be had (build/rie/log)';
  }
  if (process.getuid() !== 0) {
    return 'AWS\'s emulator gives processes to another user: only root can';
  }
  return promisify(execFile)('unshare', [...NAMESPACES, 'true']).then(() => null,
    () => 'AWS\'s emulator needs namespaces of its own, which are not allowed here');
}

/* As the file in /opt/extensions: the binary, by the same name, and its exit status for us. */
const launcher = (binary, status) => `#!/bin/sh\n'${binary}'\necho $? >'${status}'\n`;

export class Rie {
  static async start({ concurrency = null, env = {} } = {}) {
    const rie = new Rie();
    try {
      await rie.#start(concurrency, env);
    } catch (error) {
      await rie.kill();
      throw new Error(`${error.message}\n${rie.output}`, { cause: error });
    }
    return rie;
  }

  output = '';

  async #start(concurrency, env) {
    this.folder = await temporaryFolder('rie-');
    await chmod(this.folder, 0o755);
    const at = (...names) => join(this.folder, ...names);
    this.statusFile = at('status', 'exit');
    await mkdir(at('opt', 'extensions'), { recursive: true });
    await mkdir(at('var', 'task'), { recursive: true });
    await mkdir(at('status'));
    await chmod(at('status'), 0o777);
    await copyFile(BINARY, at(NAME));
    await copyFile(BOOTSTRAP, at('opt', 'bootstrap'));
    await writeFile(at('opt', 'extensions', NAME), launcher(at(NAME), this.statusFile), { mode: 0o755 });
    if (env.AWS_CA_BUNDLE) {
      await copyFile(env.AWS_CA_BUNDLE, at('ca.pem'));
      await chmod(at('ca.pem'), 0o644);
      env = { ...env, AWS_CA_BUNDLE: at('ca.pem') };
    }
    this.port = await freePort();
    const address = (port) => `127.0.0.1:${port}`;
    this.child = spawn('unshare', [...NAMESPACES, 'sh', '-c', IN_ITS_PLACE, 'sh', at('opt'), at('var'), PROGRAM,
      '--runtime-api-address', address(await freePort()), '--runtime-interface-emulator-address', address(this.port),
      '/opt/bootstrap'], {
      cwd: at(),
      env: {
        PATH: process.env.PATH, AWS_REGION: 'us-east-1', AWS_LAMBDA_FUNCTION_NAME: 'local-function',
        ...concurrency && { AWS_LAMBDA_MAX_CONCURRENCY: String(concurrency) }, ...env
      },
      stdio: ['ignore', 'pipe', 'pipe']
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        this.output += text;
      });
    }
    this.ended = once(this.child, 'close');
    await until('the emulator answers', () => this.#running() && fetch(`http://${address(this.port)}/`).catch(() => null),
      LIMIT_MS);
  }

  #running() {
    if (this.child.exitCode !== null || this.child.signalCode !== null) {
      throw new Error('the emulator ended');
    }
    return true;
  }

  /* Returns what the function answers; one that has not asked for its next event yet is asked again. */
  async invoke(event) {
    return until('the function has time', async () => {
      const reply = await fetch(`http://127.0.0.1:${this.port}/2015-03-31/functions/function/invocations`,
        { method: 'POST', body: JSON.stringify(event), signal: AbortSignal.timeout(LIMIT_MS) });
      const answer = await reply.json();
      return answer.errorType !== 'Runtime.Unavailable' && answer;
    }, LIMIT_MS);
  }

  /* JSON lines of the extension. */
  get logs() {
    return this.output.split('\n').filter((line) => line.startsWith('{') && line.includes(`"logger":"${NAME}"`))
      .map((line) => JSON.parse(line));
  }

  /* Shuts the environment down: { exitCode, lines } of the extension, null when it was killed; all that was printed. */
  async stop() {
    const { pid } = this.child;
    process.kill(Number(await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')), 'SIGTERM');
    await within('the emulator ends', LIMIT_MS, this.ended);
    const status = await readFile(this.statusFile, 'utf8').catch(() => null);
    return { exitCode: status && Number(status), lines: this.output.split('\n') };
  }

  /* Ends whatever still runs. */
  async kill() {
    if (this.child?.exitCode === null && this.child.signalCode === null) {
      this.child.kill('SIGKILL');
      await this.ended;
    }
    if (this.folder) {
      removeFolder(this.folder);
    }
  }
}

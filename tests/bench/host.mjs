/*
 * Runs of the bench host (host.c), one process for each, with certificates made for all of them.
 *
 *   const host = await Host.start();
 *   const figures = await host.run(program, { events: 1000, size: 200 });
 *   await host.stop();
 *
 * As AWS' endpoints do, the sink presents an RSA certificate that an intermediate CA has signed.
 */
import { execFile } from 'node:child_process';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Certificates } from '../e2e/support/certificates.mjs';
import { NATIVE_FOLDER, OUTPUT_FOLDER } from './subjects.mjs';

const KEY = 'rsa';
const LOG_SHOWN = 2000;

/* { perInvocation: 10 } becomes ['--per-invocation', '10']. */
function options(given) {
  return Object.entries(given).flatMap(([name, value]) =>
    [`--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`, String(value)]);
}

export class Host {
  static async start() {
    const host = new Host();
    host.certificates = await Certificates.make();
    const leaf = await host.certificates.leaf({ key: KEY, intermediate: true });
    /* The path that leaf gives is of the leaf alone; the server has to present the chain. */
    const certificate = await host.certificates.write(leaf.cert);
    host.paths = { key: leaf.keyPath, certificate, ca: await host.certificates.bundle({ key: KEY }) };
    await mkdir(OUTPUT_FOLDER, { recursive: true });
    host.log = join(OUTPUT_FOLDER, 'extension.log');
    return host;
  }

  /* The figures; an Error with what the extension printed when something was wrong. */
  async run(program, given) {
    await rm(this.log, { force: true });
    return this.#call(['run', program, ...options({ ...this.paths, log: this.log, ...given })], program);
  }

  /* Events a second that each half of the host manages alone. */
  async ceilings(given) {
    return this.#call(['ceilings', ...options({ ...this.paths, ...given })], 'ceilings');
  }

  async stop() {
    await this.certificates.remove();
  }

  async #call(list, what) {
    try {
      const { stdout } = await promisify(execFile)(join(NATIVE_FOLDER, 'host'), list, { maxBuffer: 1 << 26 });
      return JSON.parse(stdout);
    } catch (error) {
      const { error: reason } = error.stdout ? JSON.parse(error.stdout) : {};
      const said = await readFile(this.log, 'utf8').catch(() => '');
      const silent = `the host ended by ${error.signal ?? error.code}`;
      throw new Error(`${what}: ${reason ?? (error.stderr || silent)}\n${said.slice(-LOG_SHOWN)}`, { cause: error });
    }
  }
}

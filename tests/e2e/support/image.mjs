/*
 * The image that others copy from, and the programs that look at it: skopeo, umoci and buildah, which Debian has, and
 * crane, which is a registry, too.
 *
 *   skopeo('inspect', '--raw', `oci:${LAYOUT}`)     what is written
 *   const registry = await Registry.start();        registry.host; await registry.stop()
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { NAME, freePort } from './stand.mjs';
import { until } from './until.mjs';

export const OUT = fileURLToPath(new URL('../../../build/image/', import.meta.url));
export const LAYOUT = `${OUT}${NAME}`;
export const ARCHIVE = `${OUT}${NAME}.oci.tar`;
/* As images name them: { CPU: … } */
export const ARCHITECTURES = { x86_64: 'amd64', arm64: 'arm64' };

const CRANE = fileURLToPath(new URL('../../../build/registry/crane', import.meta.url));

const caller = (program) => async (...words) => (await promisify(execFile)(program, words)).stdout;
export const skopeo = caller('skopeo');
export const umoci = caller('umoci');
export const buildah = caller('buildah');
export const crane = caller(CRANE);

/* Why there is no registry here; null when there is one. */
export function registryMissing() {
  return existsSync(CRANE) ? null : 'no registry was built: no Go, or its module cannot be had (build/registry/log)';
}

/* On the loopback, and in memory. */
export class Registry {
  static async start() {
    const registry = new Registry();
    registry.host = `127.0.0.1:${await freePort()}`;
    registry.child = spawn(CRANE, ['registry', 'serve', '--address', registry.host], { stdio: 'ignore' });
    registry.ended = once(registry.child, 'close');
    await until('the registry answers', () => fetch(`http://${registry.host}/v2/`).catch(() => null));
    return registry;
  }

  async stop() {
    this.child.kill();
    await this.ended;
  }
}

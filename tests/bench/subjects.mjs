/*
 * What is measured: { name, program, alone } each, in the order of all tables.
 *
 * alone: only started and ended, since it does nothing else, or the same as another one.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../..', import.meta.url));
const NAME = 'kinesis-telemetry-api-extension';
const NATIVE = process.arch === 'arm64' ? 'arm64' : 'x86_64';
export const NATIVE_FOLDER = join(root, 'build', NATIVE, 'bench');
export const OUTPUT_FOLDER = join(root, 'build', 'bench');
export const LAYER_FOLDER = join(root, 'layer', 'dist');

/* Rivals are built by a script that prints NAME<TAB>PATH of each, and on stderr why one is left out. */
async function rivals() {
  const script = join(root, 'tests/bench/rivals/build.sh');
  if (!existsSync(script)) {
    console.error('bench: no rivals: there is no tests/bench/rivals/build.sh');
    return [];
  }
  const { stdout, stderr } = await promisify(execFile)(script, { maxBuffer: 1 << 26 });
  process.stderr.write(stderr);
  return stdout.split('\n').filter(Boolean).map((line) => {
    const [name, program] = line.split('\t');
    return { name, program };
  });
}

/*
 * wanted  names; empty: all. Rivals are built only when one may be wanted.
 */
export async function subjects(wanted) {
  const own = [
    { name: 'ours', program: join(root, 'build', NATIVE, NAME) },
    { name: 'launcher', program: join(NATIVE_FOLDER, 'opt/extensions', NAME), alone: true },
    { name: 'empty', program: join(NATIVE_FOLDER, 'empty_extension'), alone: true }
  ].filter(({ program }) => existsSync(program));
  const named = (name) => wanted.length === 0 || wanted.includes(name);
  const onlyOwn = wanted.length > 0 && wanted.every((name) => ['ours', 'launcher', 'empty'].includes(name));
  return [...own, ...onlyOwn ? [] : await rivals()].filter(({ name }) => named(name));
}

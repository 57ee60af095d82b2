/*
 * The files of the repository, as far as they are ours: neither built nor brought.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const TOP = fileURLToPath(new URL('../..', import.meta.url));

const NOT_OURS = new Set(['.git', 'build', 'node_modules', 'vendor/cache', 'layer/dist', 'cdk/cdk.out', 'cdk/dist', 'cdk/layer']);

/* Paths of files and folders below the top, folders with a slash at their end. */
export function tree(folder = '') {
  return readdirSync(join(TOP, folder), { withFileTypes: true }).flatMap((one) => {
    const path = folder + one.name;
    if (NOT_OURS.has(path) || one.name === 'node_modules') {
      return [];
    }
    return one.isDirectory() ? [`${path}/`, ...tree(`${path}/`)] : [path];
  });
}

export function read(path) {
  return readFileSync(join(TOP, path), 'utf8');
}

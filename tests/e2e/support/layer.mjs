/*
 * The layer's zips, unpacked as Lambda does it: to a folder that stands for /opt.
 *
 *   const opt = await unpack(UNIVERSAL);       // the folder; removed by removeFolder
 *   await emulate(opt, 'arm64');               // a binary of another CPU runs under qemu from here on
 */
import { execFile } from 'node:child_process';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { temporaryFolder } from './folder.mjs';
import { NAME, NATIVE } from './stand.mjs';

export const run = promisify(execFile);

export const DIST = fileURLToPath(new URL('../../../layer/dist/', import.meta.url));
export const CPUS = ['x86_64', 'arm64'];
export const UNIVERSAL = join(DIST, `${NAME}.zip`);
export const zipFor = (cpu) => join(DIST, `${NAME}-${cpu}.zip`);

const QEMU = { x86_64: '/usr/bin/qemu-x86_64-static', arm64: '/usr/bin/qemu-aarch64-static' };

export async function unpack(zip) {
  const folder = await temporaryFolder('opt-');
  await run('unzip', ['-q', zip, '-d', folder]).catch((error) => {
    throw new Error(`${zip}: ${error.message}; ./build.sh layer makes it`);
  });
  return folder;
}

/* Puts the emulator in front of a binary below `opt`, when this machine's CPU is another one. */
export async function emulate(opt, cpu, file = join(opt, NAME, cpu)) {
  if (cpu !== NATIVE) {
    const elf = join(opt, `${cpu}.elf`);
    await rename(file, elf);
    await writeFile(file, `#!/bin/sh\nexec ${QEMU[cpu]} -0 "$0" '${elf}' "$@"\n`, { mode: 0o755 });
  }
}

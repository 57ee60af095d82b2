/*
 * A machine of one's own making for build.sh: a folder of commands in the place of PATH, and an os-release.
 *
 *   const machine = await newMachine({ lacks: ['flock'], stands: { uname: 'echo Darwin' }, system: UBUNTU });
 *   const { status, stdout, stderr } = await machine.build(['layer'], { env: {}, cwd: folder, user: NOBODY });
 *   machine.top        a copy of the clone, without what was built
 */
import { execFile } from 'node:child_process';
import { chmod, chown, cp, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '../e2e/support/folder.mjs';

export const TOP = fileURLToPath(new URL('../..', import.meta.url));
export const DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\n';
export const UBUNTU = 'PRETTY_NAME="Ubuntu 24.04.1 LTS"\nID=ubuntu\nID_LIKE=debian\nVERSION_ID="24.04"\n';
export const FEDORA = 'PRETTY_NAME="Fedora Linux 42 (Workstation Edition)"\nID=fedora\nVERSION_ID=42\n';
/* Who may not install anything. */
export const NOBODY = 65534;

const FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/* Ends with the status and what was written, whatever the status is. */
export function call(file, words, options) {
  return new Promise((resolve, reject) => {
    execFile(file, words, { maxBuffer: 16 * 1024 * 1024, ...options }, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') {
        reject(error);
      } else {
        resolve({ status: error?.code ?? 0, stdout, stderr });
      }
    });
  });
}

async function copyOfTheClone(folder) {
  const entries = ['build.sh', 'src', 'vendor', 'layer', 'tests/build', 'tests/parts.sh', 'LICENSE',
    'cdk/packages/requirements.txt', 'cdk/test/deploy/requirements.txt', 'cdk/test/packages/requirements.txt'];
  for (const entry of entries) {
    await cp(join(TOP, entry), join(folder, entry), {
      recursive: true, filter: (path) => !path.endsWith('/vendor/cache') && !path.endsWith('/layer/dist')
    });
  }
}

export async function newMachine({ lacks = [], stands = {}, system = DEBIAN } = {}) {
  const folder = await temporaryFolder('a machine ');
  const bin = join(folder, 'bin');
  const top = join(folder, 'clone');
  await mkdir(bin);
  const known = new Set([...lacks, ...Object.keys(stands)]);
  for (const from of FOLDERS) {
    for (const name of await readdir(from).catch(() => [])) {
      if (!known.has(name)) {
        known.add(name);
        await symlink(join(from, name), join(bin, name));
      }
    }
  }
  for (const [name, script] of Object.entries(stands)) {
    await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  await writeFile(join(folder, 'os-release'), system);
  await copyOfTheClone(top);
  await chmod(folder, 0o777);
  return {
    folder, bin, top,
    build(words, { env = {}, cwd = top, user = process.getuid() } = {}) {
      const own = { PATH: bin, HOME: folder, LC_ALL: 'C.UTF-8', OS_RELEASE: join(folder, 'os-release'), ...env };
      return call(join(top, basename('build.sh')), words, { cwd, env: own, uid: user, gid: user || process.getgid() });
    },
    /* The clone belongs to that user from here on. */
    async give(user) {
      for (const name of await readdir(top, { recursive: true })) {
        await chown(join(top, name), user, user);
      }
      await chown(top, user, user);
    }
  };
}

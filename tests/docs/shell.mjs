/*
 * Shell as documents show it, run by a real shell with stand-ins for all commands, which write down how they were
 * called.
 *
 *   const { status, stderr, calls } = await runWithStandIns('cd cdk && npm ci', { aws });
 *   calls[0]    { name: 'npm', args: ['ci'], folder: 'cdk' }
 *
 * The shell's folder looks like the repository, so that scripts may change folders; only commands that documents name
 * are there. `aws` is the path of a program that is really run, after its call was written down.
 */
import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { removeFolder, temporaryFolder } from '../e2e/support/folder.mjs';
import { TOP } from '../tidy/tree.mjs';

export const COMMANDS = ['aws', 'cp', 'docker', 'git', 'make', 'mkdir', 'node', 'npm', 'npx', 'skopeo'];
/* Programs that are built, by their paths. */
const BUILT = /(?<![\w./])build\/[\w./-]*\w/g;

/* A record is the number of its fields, its fields, each ended by a zero. Both ends of a pipe run at once: the one that
 * reads is written down after the other has ended, as a reader of the document thinks of them. A program that fails is
 * another call, since a shell does not mind what fails at the beginning of a pipe. */
function standIn(name, record, program) {
  const write = (fields, called) => `printf '%s\\0' $(($# + ${fields})) ${called} "$PWD" "$@" >>'${record}'`;
  return `#!/bin/sh
${program === undefined ? 'case "$*" in *-stdin*) /bin/cat >/dev/null ;; esac' : ''}
${write(2, name)}
${program === undefined ? '' : `'${program}' "$@"`}
status=$?
[ $status -eq 0 ] || ${write(2, `'${name}, which fails:'`)}
exit $status
`;
}

async function repositoryLikeFolder(top, script, record) {
  await mkdir(top);
  for (const name of await readdir(TOP)) {
    if (name !== 'build.sh' && name !== 'build') {
      await symlink(join(TOP, name), join(top, name));
    }
  }
  for (const path of ['build.sh', ...script.match(BUILT) ?? []]) {
    await mkdir(dirname(join(top, path)), { recursive: true });
    await writeFile(join(top, path), standIn(path, record), { mode: 0o755 });
  }
}

async function callsOf(record, top) {
  const fields = (await readFile(record, 'utf8').catch(() => '')).split('\0').slice(0, -1);
  const calls = [];
  for (let at = 0; at < fields.length; at += Number(fields[at]) + 1) {
    const [name, folder, ...args] = fields.slice(at + 1, at + 1 + Number(fields[at]));
    calls.push({ name, args, folder: folder.slice(top.length + 1) });
  }
  return calls;
}

export async function runWithStandIns(script, { aws, env = {} } = {}) {
  const folder = await temporaryFolder('documents-');
  try {
    const [bin, top, record] = ['bin', 'clone', 'calls'].map((name) => join(folder, name));
    await repositoryLikeFolder(top, script, record);
    await mkdir(bin);
    for (const name of COMMANDS) {
      await writeFile(join(bin, name), standIn(name, record, name === 'aws' ? aws : undefined));
      await chmod(join(bin, name), 0o755);
    }
    const ended = await new Promise((resolve) => {
      execFile('/bin/sh', ['-euc', script], { cwd: top, env: { HOME: folder, ...env, PATH: bin } }, (error, stdout, stderr) => {
        resolve({ status: error?.code ?? 0, stdout, stderr });
      });
    });
    return { ...ended, calls: await callsOf(record, top) };
  } finally {
    await removeFolder(folder);
  }
}

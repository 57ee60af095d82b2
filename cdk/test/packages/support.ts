import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LAYER_DIRECTORY, ROOT } from '../support/app';
import { temporaryFolder } from '../support/temporary';

const BUILD = join(ROOT, '..', 'build');

/** Where the packages are made. Beside the modules that they are made of, of which there would be copies elsewhere. */
export const PACKAGES = join(BUILD, 'packages-tested');

export const { name: NAME, version: VERSION } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

/** A Python for apps. */
export const PYTHON = join(BUILD, 'construct-python', 'bin', 'python');

/** Without what the caller's shell says to AWS, the CDK and Node. */
function environment(more: Record<string, string>): NodeJS.ProcessEnv {
  const env = Object.entries(process.env).filter(([name]) => !/^(AWS|CDK|NODE|JSII)_/.test(name));
  const silenced = { JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION: process.versions.node.split('.')[0] };
  return { ...Object.fromEntries(env), ...silenced, ...more };
}

/** What a program prints that ends well and has nothing to complain of. */
export function printed(command: string, args: string[], options: { cwd: string; env?: Record<string, string> }): string {
  const { error, status, stdout, stderr } = spawnSync(command, args, {
    ...options,
    env: environment(options.env ?? {}),
    encoding: 'utf8',
    maxBuffer: 1e8,
  });
  assert.equal(error, undefined);
  // Maven puts a terminal's colours back, whether there is one or not.
  assert.deepEqual([status, stderr.replace(/\x1b\[\d*m/g, '')], [0, ''], stdout);
  return stdout;
}

/** The packages, of zips that are small. */
export function makePackages(...what: string[]): void {
  const env = { LAYER_DIRECTORY, PYTHON: join(BUILD, 'packages-python', 'bin', 'python') };
  printed(process.execPath, [join(ROOT, 'packages', 'make.mjs'), PACKAGES, ...what], { cwd: ROOT, env });
}

// The oldest aws-cdk-lib makes a log group for each function unless told otherwise; later ones do when they are told to.
const CDK_CONTEXT_JSON = JSON.stringify({ '@aws-cdk/aws-lambda:useCdkManagedLogGroup': false });

/** What an app prints, and a stack's template as it has synthesized it. */
export function synthesized(stack: string, command: string, args: string[], cwd: string, env: Record<string, string> = {}) {
  const out = temporaryFolder();
  const stdout = printed(command, args, { cwd, env: { ...env, CDK_CONTEXT_JSON, CDK_OUTDIR: out } });
  return { stdout, template: JSON.parse(readFileSync(join(out, `${stack}.template.json`), 'utf8')) };
}

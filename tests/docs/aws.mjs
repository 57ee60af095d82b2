/*
 * The AWS CLI, and moto's server for it.
 *
 *   const aws = await Aws.start();
 *   aws.program, aws.env      for whoever runs it
 *   await aws.call('lambda', 'list-functions')      what it prints, read as JSON
 *   await aws.stop()
 *
 * The CLI of PyPI is version 1, whose models are older than what documents name: it reads those of the newer botocore.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { removeFolder, temporaryFolder } from '../e2e/support/folder.mjs';
import { TOP } from '../tidy/tree.mjs';

const run = promisify(execFile);
const PYTHON = join(TOP, 'build/python/bin');

/* Calls that moto does not know: the CLI compares their parameters with the model, and sends nothing. */
const UNKNOWN = ['kinesis create-channel'];

const PROGRAM = `#!/bin/sh
case "$1 $2" in
${UNKNOWN.map((call) => `'${call}'`).join(' | ')}) exec '${PYTHON}/aws' "$@" --generate-cli-skeleton output ;;
esac
exec '${PYTHON}/aws' "$@"
`;

export class Aws {
  static async start() {
    const { stdout } = await run(join(PYTHON, 'python'), ['-c', 'import botocore; print(botocore.__path__[0])']);
    const server = spawn(join(PYTHON, 'python'), [join(TOP, 'cdk/test/deploy/moto_server.py')], {
      stdio: ['pipe', 'pipe', 'ignore'], env: { ...process.env, PYTHONWARNINGS: 'ignore' }
    });
    const [endpoint] = await Promise.race([
      once(createInterface(server.stdout), 'line'),
      once(server, 'exit').then(() => Promise.reject(new Error('moto\'s server ended')))
    ]);
    const folder = await temporaryFolder('aws-');
    const program = join(folder, 'aws');
    await writeFile(program, PROGRAM, { mode: 0o755 });
    return new Aws(server, folder, program, {
      AWS_ENDPOINT_URL: endpoint, AWS_DATA_PATH: join(stdout.trim(), 'data'), AWS_REGION: 'us-east-1',
      AWS_DEFAULT_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test',
      AWS_EC2_METADATA_DISABLED: 'true', AWS_PAGER: '', PYTHONWARNINGS: 'ignore', PYTHONDONTWRITEBYTECODE: '1', LC_ALL: 'C.UTF-8'
    });
  }

  constructor(server, folder, program, env) {
    Object.assign(this, { server, folder, program, env });
  }

  async call(...args) {
    const { stdout } = await run(this.program, [...args, '--output', 'json'], { env: { HOME: this.folder, ...this.env } });
    return stdout === '' ? null : JSON.parse(stdout);
  }

  async stop() {
    const ended = once(this.server, 'exit');
    this.server.stdin.end();
    await ended;
    await removeFolder(this.folder);
  }
}

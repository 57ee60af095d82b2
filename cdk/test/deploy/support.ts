import assert from 'node:assert/strict';
import { ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { ROOT } from '../support/app';
import { temporaryFolder } from '../support/temporary';

/** Python with the packages of requirements.txt; ./build.sh test cdk makes it. */
export const PYTHON = process.env.CDK_TEST_PYTHON ?? join(ROOT, '..', 'build', 'python', 'bin', 'python');

/** Of the bootstrap stack with the qualifier `localhost`. */
export const BUCKET = 'cdk-localhost-assets-123456789012-us-east-1';

/** moto's server, with nothing in it at first. */
export class Moto {
  public static async start(): Promise<Moto> {
    const server = spawn(PYTHON, [join(__dirname, 'moto_server.py')], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, PYTHONWARNINGS: 'ignore' },
    });
    const log: string[] = [];
    createInterface(server.stderr!).on('line', (line) => log.push(line));
    const [endpoint] = await Promise.race([
      once(createInterface(server.stdout!), 'line'),
      once(server, 'exit').then(() => assert.fail(`moto's server ended: ${log.join('\n')}`)),
    ]);
    return new Moto(endpoint, server, log);
  }

  private constructor(
    public readonly endpoint: string,
    private readonly server: ChildProcess,
    private readonly log: string[],
  ) {}

  /** An SDK client that talks to it. */
  public client<T>(type: new (config: any) => T, region = 'us-east-1'): T {
    return new type({
      endpoint: this.endpoint,
      region,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      forcePathStyle: true,
      // HTTP/1.1 throughout: the client of Kinesis would begin with HTTP/2.
      requestHandler: new NodeHttpHandler(),
      maxAttempts: 1,
    });
  }

  /** What it said last besides its log of requests: mostly why it answered 500. */
  public complaints(): string {
    return this.log.filter((line) => !line.startsWith('127.0.0.1 ')).slice(-20).join('\n');
  }

  public async stop(): Promise<void> {
    const ended = once(this.server, 'exit');
    this.server.stdin!.end();
    await ended;
  }
}

/** A folder with the command `aws`: AWS's own, loaded once; or, where AWS_CLI names it, another one, such as version 2. */
export class AwsCli {
  public static async start(): Promise<AwsCli> {
    const folder = temporaryFolder();
    mkdirSync(join(folder, '.aws'));
    writeFileSync(join(folder, '.aws', 'config'), '[profile production]\nregion = us-west-2\n');
    if (process.env.AWS_CLI !== undefined) {
      symlinkSync(process.env.AWS_CLI, join(folder, 'aws'));
      return new AwsCli(folder);
    }
    const program = join(__dirname, 'aws_cli.py');
    const socket = join(folder, 'socket');
    const server = spawn(PYTHON, [program, 'serve', socket], { stdio: ['pipe', 'pipe', 'inherit'] });
    await Promise.race([
      once(createInterface(server.stdout!), 'line'),
      once(server, 'exit').then(() => assert.fail('AWS\'s command line ended')),
    ]);
    writeFileSync(join(folder, 'aws'), `#!/bin/sh\nexec '${PYTHON}' -S -E '${program}' '${socket}' "$@"\n`, { mode: 0o755 });
    return new AwsCli(folder, server);
  }

  private constructor(
    private readonly folder: string,
    private readonly server?: ChildProcess,
  ) {}

  /** For what calls it, with this address for AWS, and nothing of the user's settings. */
  public environment(endpoint: string): NodeJS.ProcessEnv {
    return {
      HOME: this.folder,
      PATH: `${this.folder}:${process.env.PATH}`,
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_MAX_ATTEMPTS: '1',
    };
  }

  public async stop(): Promise<void> {
    if (this.server !== undefined) {
      const ended = once(this.server, 'exit');
      this.server.stdin!.end();
      await ended;
    }
  }
}

/** The CDK CLI on this package's app. */
export class Cdk {
  private readonly out = temporaryFolder();

  public constructor(
    private readonly moto: Moto,
    private readonly context: Record<string, string>,
  ) {}

  /** Runs a command that has to succeed; returns all that it said. */
  public run(command: string, ...args: string[]): Promise<string> {
    const context = {
      ...this.context,
      // moto finds the bucket in the path of a template's URL when "localhost" is in the URL; so this
      // is the qualifier, by which all of the bootstrap stack is named.
      '@aws-cdk/core:bootstrapQualifier': 'localhost',
    };
    const all = [
      join(ROOT, 'node_modules', 'aws-cdk', 'bin', 'cdk'),
      command,
      '--no-notices',
      '--no-color',
      ...['--output', join(this.out, 'cdk.out')],
      ...Object.entries(context).flatMap(([key, value]) => ['-c', `${key}=${value}`]),
      ...args,
    ];
    return new Promise((resolve, reject) => {
      execFile(process.execPath, all, { cwd: ROOT, env: this.environment() }, (error, stdout, stderr) => {
        const said = stdout + stderr;
        if (error) {
          reject(new Error(`cdk ${command}: ${said}${this.moto.complaints()}`));
        } else {
          resolve(said);
        }
      });
    });
  }

  // Nothing of the user's AWS settings, and no calls but to moto.
  private environment(): NodeJS.ProcessEnv {
    const others = Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_') && !name.startsWith('CDK_'));
    return {
      ...Object.fromEntries(others),
      HOME: this.out,
      CI: 'true',
      NODE_NO_WARNINGS: '1',
      AWS_ENDPOINT_URL: this.moto.endpoint,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_EC2_METADATA_DISABLED: 'true',
      CDK_DISABLE_VERSION_CHECK: 'true',
      CDK_DISABLE_CLI_TELEMETRY: 'true',
    };
  }
}

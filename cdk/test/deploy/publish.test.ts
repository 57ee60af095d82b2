// layer/publish.sh with AWS's own command line against moto, behind a stub that refuses what a test says.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import * as http from 'node:http';
import { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { CloudFormationClient, CreateStackCommand } from '@aws-sdk/client-cloudformation';
import { GetLayerVersionCommand, GetLayerVersionPolicyCommand, LambdaClient, ListLayerVersionsCommand } from '@aws-sdk/client-lambda';
import { AddTagsToResourceCommand, GetParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { ROOT } from '../support/app';
import { snippet } from '../support/readme';
import { zipFolder, ZIPS } from '../support/zips';
import { AwsCli, Moto } from './support';

const TOP = join(ROOT, '..');
const NAME = 'kinesis-telemetry-api-extension';
const ACCOUNT = '123456789012';

/** Each request goes on to moto, unless its region and service are refused. */
class Stub {
  public refused?: { region: string; service: string };
  public calls: string[] = [];
  public readonly server: http.Server;

  public constructor(moto: Moto) {
    this.server = http.createServer((request, response) => {
      const [, region, service] = request.headers.authorization!.match(/Credential=[^/]*\/\d+\/([^/]+)\/([^/]+)\//)!;
      this.calls.push(`${region} ${service} ${request.method}`);
      if (region === this.refused?.region && service === this.refused.service) {
        request.resume();
        response.writeHead(403, { 'x-amzn-errortype': 'AccessDeniedException' });
        response.end('{"message": "not in this region"}');
        return;
      }
      const { method, headers, url } = request;
      request.pipe(http.request(moto.endpoint + url, { method, headers }, (answer) => {
        response.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(response);
      }));
    });
  }
}

interface Run {
  readonly status: number;
  readonly table: string;
  readonly said: string;
}

/** Cells by region and zip; asserts that it is a table. */
function cells(table: string): Record<string, Record<string, string>> {
  const [head, rule, ...rows] = table.trimEnd().split('\n').map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()));
  assert.equal(head[0], 'Region');
  assert.deepEqual(rule, head.map(() => '---'));
  return Object.fromEntries(rows.map(([region, ...row]) => {
    assert.equal(row.length, head.length - 1);
    return [region, Object.fromEntries(row.map((cell, i) => [head[i + 1], cell.replace(/^`(.*)`$/, '$1')]))];
  }));
}

function arn(region: string, version: number, suffix = ''): string {
  return `arn:aws:lambda:${region}:${ACCOUNT}:layer:${NAME}${suffix}:${version}`;
}

/** A folder of zips with their sums, each with this program. */
function dist(program: string): string {
  const folder = zipFolder(ZIPS, program);
  const sums = ZIPS.map((zip) => `${createHash('sha256').update(readFileSync(join(folder, zip))).digest('hex')}  ${zip}\n`);
  writeFileSync(join(folder, 'SHA256SUMS'), sums.join(''));
  return folder;
}

describe('layer/publish.sh', () => {
  let moto: Moto;
  let stub: Stub;
  let aws: AwsCli;

  before(async () => {
    [moto, aws] = await Promise.all([Moto.start(), AwsCli.start()]);
    stub = new Stub(moto);
    stub.server.listen(0, '127.0.0.1');
    await once(stub.server, 'listening');
  });
  after(async () => {
    stub?.server.close();
    await Promise.all([moto?.stop(), aws?.stop()]);
  });

  const shell = (command: string, ...args: string[]): Promise<Run> => {
    stub.calls = [];
    const { address, port } = stub.server.address() as AddressInfo;
    const env = aws.environment(`http://${address}:${port}`);
    return new Promise((resolve) => {
      execFile(command, args, { cwd: TOP, env }, (error, table, said) =>
        resolve({ status: error === null ? 0 : Number(error.code), table, said }));
    });
  };
  const publish = (...args: string[]) => shell('layer/publish.sh', ...args);
  const parameter = async (region: string, Name: string) =>
    (await moto.client(SSMClient, region).send(new GetParameterCommand({ Name }))).Parameter?.Value;
  const versions = async (region: string, LayerName: string) =>
    (await moto.client(LambdaClient, region).send(new ListLayerVersionsCommand({ LayerName }))).LayerVersions!.map(({ Version }) => Version);
  const policy = async (region: string, VersionNumber: number) => {
    const { Policy } = await moto.client(LambdaClient, region).send(new GetLayerVersionPolicyCommand({ LayerName: NAME, VersionNumber }));
    return JSON.parse(Policy!).Statement;
  };

  it('publishes what ./build.sh layer has made: each zip in each region, with a parameter', async () => {
    const [made, ...command] = snippet('publish.sh').trim().split('\n');
    assert.equal(made, './build.sh layer');
    const { status, table, said } = await shell('sh', '-ec', command.join('\n'));
    assert.equal(status, 0, said);
    assert.equal(table, snippet('publish-output'));
    assert.match(said, /^publish\.sh: account 123456789012, as arn:/);
    for (const region of ['eu-central-1', 'us-east-1']) {
      assert.deepEqual(cells(table)[region], Object.fromEntries(ZIPS.map((zip) => [zip, arn(region, 1, zip.slice(NAME.length, -4))])));
      assert.equal(await parameter(region, '/telemetry/kinesis/extension/arn'), arn(region, 1));
      assert.equal(await parameter(region, '/telemetry/kinesis/extension/x86_64/arn'), arn(region, 1, '-x86_64'));
      assert.equal(await parameter(region, '/telemetry/kinesis/extension/arm64/arn'), arn(region, 1, '-arm64'));
    }
    const zip = readFileSync(join(TOP, 'layer', 'dist', ZIPS[0]));
    const layer = await moto.client(LambdaClient).send(new GetLayerVersionCommand({ LayerName: NAME, VersionNumber: 1 }));
    assert.equal(layer.Content?.CodeSha256, createHash('sha256').update(zip).digest('base64'));
    assert.deepEqual(layer.CompatibleArchitectures, ['x86_64', 'arm64']);
    assert.deepEqual(layer.CompatibleRuntimes ?? [], []);
    assert.equal(layer.LicenseInfo, 'MIT');
    assert.match(layer.Description!, /^Kinesis telemetry extension \d+\.\d+\.\d+ for x86_64 and arm64(, commit [0-9a-f]{12})?$/);
    await assert.rejects(policy('us-east-1', 1), /ResourceNotFound/);
  });

  it('publishes the same bytes once, and says so', async () => {
    const { status, table, said } = await publish('eu-central-1', 'us-east-1');
    assert.equal(status, 0, said);
    assert.equal(said.match(/has these bytes already/g)?.length, 6);
    assert.equal(cells(table)['us-east-1'][ZIPS[0]], arn('us-east-1', 1));
    assert.deepEqual(await versions('us-east-1', NAME), [1]);
  });

  it('allows the use of what is there already as the README says', async () => {
    const { status, said } = await shell('sh', '-ec', snippet('publish-share.sh'));
    assert.equal(status, 0, said);
    assert.deepEqual((await policy('us-east-1', 1)).map(({ Sid }: any) => Sid), ['account-210987654321', 'organization-o-a1b2c3d4e5']);
    assert.deepEqual(await versions('us-east-1', NAME), [1]);
  });

  it('publishes other bytes as the next version, keeps the last, and allows what was asked for', async () => {
    const args = ['--zip', 'universal', '--dist', dist('two'), '--account', '210987654321', '--organization=o-a1b2c3d4e5', '--runtimes', 'python3.13 nodejs24.x', 'us-east-1'];
    const { status, table, said } = await publish(...args);
    assert.equal(status, 0, said);
    assert.deepEqual(cells(table), { 'us-east-1': { [ZIPS[0]]: arn('us-east-1', 2) } });
    assert.deepEqual((await versions('us-east-1', NAME)).sort(), [1, 2]);
    assert.equal(await parameter('us-east-1', '/telemetry/kinesis/extension/arn'), arn('us-east-1', 2));
    const common = { Effect: 'Allow', Action: 'lambda:GetLayerVersion', Resource: arn('us-east-1', 2) };
    const statements = (await policy('us-east-1', 2)).map((one: any) => ({ ...one, Resource: one.Resource.replace(/:\$LATEST$/, '') }));
    assert.deepEqual(statements, [
      { Sid: 'account-210987654321', ...common, Principal: { AWS: 'arn:aws:iam::210987654321:root' } },
      { Sid: 'organization-o-a1b2c3d4e5', ...common, Principal: '*', Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-a1b2c3d4e5' } } },
    ]);
    const { CompatibleRuntimes } = await moto.client(LambdaClient).send(new GetLayerVersionCommand({ LayerName: NAME, VersionNumber: 2 }));
    assert.deepEqual(CompatibleRuntimes, ['python3.13', 'nodejs24.x']);

    // Once more, and for everybody: only that is new.
    const again = await publish(...args.slice(0, -1), '--public', 'us-east-1');
    assert.match(again.said, /has these bytes already\n.*is allowed to public\n$/);
    assert.deepEqual((await policy('us-east-1', 2)).map(({ Sid }: any) => Sid), ['account-210987654321', 'organization-o-a1b2c3d4e5', 'public']);
    assert.equal((await policy('us-east-1', 2))[2].Principal, '*');
  });

  it('changes nothing when dry', async () => {
    const { status, table, said } = await publish('--dry-run', '--public', '--zip=universal', '--dist', dist('three'), 'us-east-1', 'eu-north-1');
    assert.equal(status, 0, said);
    assert.deepEqual(cells(table), { 'us-east-1': { [ZIPS[0]]: 'would be new' }, 'eu-north-1': { [ZIPS[0]]: 'would be new' } });
    assert.match(said, /eu-north-1: would publish .*, and its newest version is 0\n.*would allow its use to public\n$/);
    assert.deepEqual((await versions('us-east-1', NAME)).sort(), [1, 2]);
    assert.deepEqual(await versions('eu-north-1', NAME), []);
    // Of services that have all calls by POST: who, the parameter's value, tags, stack.
    assert.deepEqual(stub.calls.filter((call) => /POST|PUT/.test(call) && !/ (sts|ssm|cloudformation) /.test(call)), []);
  });

  it('serves the other regions when one refuses, and says what is left', async () => {
    stub.refused = { region: 'eu-west-1', service: 'lambda' };
    const args = ['--zip', 'universal', '--zip', 'arm64', '--dist', dist('four'), 'eu-west-1', 'eu-west-2'];
    const { status, table, said } = await publish(...args);
    assert.equal(status, 1);
    assert.match(said, /eu-west-1: .*\(AccessDeniedException\).*not in this region/);
    assert.match(said, /not all is done in eu-west-1: the same command goes on where it stopped\n$/);
    assert.deepEqual(cells(table), {
      'eu-west-1': { [ZIPS[0]]: 'not published', [ZIPS[2]]: 'not published' },
      'eu-west-2': { [ZIPS[0]]: arn('eu-west-2', 1), [ZIPS[2]]: arn('eu-west-2', 1, '-arm64') },
    });
    assert.equal(stub.calls.filter((call) => call.startsWith('eu-west-1 lambda')).length, 1);

    // Published, but not yet told of.
    stub.refused = { region: 'eu-west-1', service: 'ssm' };
    assert.equal((await publish(...args)).status, 1);
    stub.refused = undefined;
    const last = await publish(...args);
    assert.equal(last.status, 0, last.said);
    assert.deepEqual(cells(last.table)['eu-west-1'], { [ZIPS[0]]: arn('eu-west-1', 1), [ZIPS[2]]: arn('eu-west-1', 1, '-arm64') });
    assert.equal(await parameter('eu-west-1', '/telemetry/kinesis/extension/arm64/arn'), arn('eu-west-1', 1, '-arm64'));
  });

  it('refuses to set what a CloudFormation stack has made, unless that is asked for', async () => {
    const region = 'ap-south-1';
    const Name = '/telemetry/kinesis/extension/arn';
    const Resources = { Parameter: { Type: 'AWS::SSM::Parameter', Properties: { Name, Type: 'String', Value: 'of the stack' } } };
    await moto.client(CloudFormationClient, region).send(new CreateStackCommand({ StackName: 'Telemetry', TemplateBody: JSON.stringify({ Resources }) }));
    const args = ['--zip', 'universal', '--dist', dist('five')];
    const { status, said } = await publish(...args, region);
    assert.equal(status, 1);
    assert.match(said, /parameter \/telemetry\/kinesis\/extension\/arn is of the CloudFormation stack Telemetry:/);
    assert.deepEqual(await versions(region, NAME), []);
    assert.equal(await parameter(region, Name), 'of the stack');

    const other = await publish(...args, '--prefix', '/other', region);
    assert.equal(other.status, 0, other.said);
    assert.equal(await parameter(region, '/other/extension/arn'), arn(region, 1));
    const overwritten = await publish(...args, '--overwrite', region);
    assert.equal(overwritten.status, 0, overwritten.said);
    assert.equal(await parameter(region, Name), arn(region, 1));
    // It is right as it is.
    assert.equal((await publish(...args, region)).status, 0);
  });

  it('knows such a parameter by its tag, too', async () => {
    const ssm = moto.client(SSMClient, 'ap-south-2');
    const Name = '/telemetry/kinesis/extension/arn';
    await ssm.send(new PutParameterCommand({ Name, Type: 'String', Value: 'tagged' }));
    const Tags = [{ Key: 'aws:cloudformation:stack-name', Value: 'Tagged' }];
    await ssm.send(new AddTagsToResourceCommand({ ResourceType: 'Parameter', ResourceId: Name, Tags }));
    const { status, said } = await publish('--zip', 'universal', '--dist', dist('six'), 'ap-south-2');
    assert.equal(status, 1);
    assert.match(said, /of the CloudFormation stack Tagged:/);
    const without = await publish('--zip', 'universal', '--no-parameters', '--dist', dist('six'), 'ap-south-2');
    assert.equal(without.status, 0, without.said);
    assert.equal(await parameter('ap-south-2', Name), 'tagged');
  });

  it('refuses a zip that is not what its sum says, before any call', async () => {
    const folder = dist('seven');
    writeFileSync(join(folder, ZIPS[1]), 'broken');
    const { status, table, said } = await publish('--dist', folder, 'us-east-1');
    assert.deepEqual([status, table], [2, '']);
    assert.match(said, /-x86_64\.zip is not what .*SHA256SUMS says: nothing was published\n$/);
    assert.deepEqual(stub.calls, []);
  });

  it('calls what the README says that it may', () => {
    const script = readFileSync(join(TOP, 'layer', 'publish.sh'), 'utf8');
    const called = [...script.matchAll(/^ *ask (?!sts)([a-z]+) ([a-z-]+)/gm)].map(([, service, operation]) =>
      `${service}:${operation.split('-').map((word) => word[0].toUpperCase() + word.slice(1)).join('')}`);
    const [{ Action }] = JSON.parse(snippet('publisher.json')).Statement;
    assert.deepEqual([...new Set(called)].sort(), [...Action].sort());
  });

  it('refuses words that mean nothing', async () => {
    for (const [args, message] of [
      [[], /no region/],
      [['Europe'], /a region: as eu-central-1, not 'Europe'/],
      [['--account', '*', 'us-east-1'], /--account: the 12 digits of an account, not '\*'/],
      [['--organization', 'a1b2c3d4e5', 'us-east-1'], /--organization: as o-/],
      [['--everybody', 'us-east-1', 'eu-west-1'], /no such option: --everybody/],
      [['--zip'], /--zip: what\?/],
    ] as [string[], RegExp][]) {
      const { status, said } = await publish(...args);
      assert.equal(status, 2);
      assert.match(said, message);
    }
    assert.deepEqual(stub.calls, []);
  });

  it('stops where it does not know for whom it works', async () => {
    stub.refused = { region: 'us-east-1', service: 'sts' };
    const { status, table } = await publish('us-east-1');
    stub.refused = undefined;
    assert.deepEqual([status, table, stub.calls.length], [1, '', 1]);
  });
});

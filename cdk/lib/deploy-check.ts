import { createHash } from 'node:crypto';
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AspectPriority, Aspects, Aws, CfnResource, FileSystem, Lazy, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct, IConstruct } from 'constructs';
import { CHECKER, RESPONDER } from './deploy-check-code';
import { inlinePolicies, presentVariables } from './function';
import { EXTENSION_NAME, findZip, runtimeOf } from './layer';
import { requireThat } from './validation';
import { fileOfZip } from './zip';

/** What a check is made of. */
export interface DeployCheckProps {
  /** The policy of the extension, which another check follows when it is another one. */
  readonly policy: iam.ManagedPolicy;
  /** @default - as that of layers */
  readonly layerDirectory?: string;
  /** Of the log group. */
  readonly removalPolicy: RemovalPolicy;
}

/**
 * A deployment fails unless what a function sends would be delivered: a custom resource runs the program
 * with `--check` as the function would run it, in its subnets, security groups and role, on its CPU, with
 * its settings. Whenever one of these changes it runs again.
 *
 * The program comes along as the code of a function. From the layer Lambda would start it as an extension
 * too: it would send what the check logs, and settings that it cannot start with would end the check before
 * it could tell them.
 *
 * The first function, `Checker`, is where the function is. The second, `Responder`, answers CloudFormation,
 * and lies in no network: from subnets without a way out, which is one of the findings, an answer would
 * never come through, and the deployment would wait for an hour.
 */
export class DeployCheck extends Construct {
  public constructor(fn: lambda.Function, props: DeployCheckProps) {
    super(fn, 'KinesisTelemetryCheck');
    const logGroup = new logs.LogGroup(this, 'Logs', { retention: logs.RetentionDays.ONE_MONTH, removalPolicy: props.removalPolicy });
    const checker = this.makeChecker(fn, logGroup, props.layerDirectory);
    const responder = this.makeResponder(checker, logGroup);
    const resource = new CfnResource(this, 'Resource', {
      type: 'Custom::KinesisTelemetryCheck',
      properties: {
        ServiceToken: responder.attrArn,
        // Seconds, should even the answer not come.
        ServiceTimeout: 240,
        Function: checker.attrArn,
        // Another value of these is another check.
        Stream: Lazy.uncachedAny({ produce: () => presentVariables(fn).KINESIS_STREAM_ARN }),
        Inputs: Lazy.uncachedString({ produce: () => fingerprint(checker, props.policy) }),
      },
    });
    // Of the role itself the checker knows.
    for (const policy of inlinePolicies(fn)) {
      resource.addDependency(policy);
    }
    // As late as the network may be made.
    Aspects.of(this).add({ visit: (node) => node === this && waitForNetwork(resource, checker) }, { priority: AspectPriority.MUTATING });
  }

  private makeChecker(fn: lambda.Function, logGroup: logs.ILogGroup, directory?: string): lambda.CfnFunction {
    const original = fn.node.defaultChild as lambda.CfnFunction;
    const { s3Location } = this.stage(checkerCode(fn.architecture, directory));
    return new lambda.CfnFunction(this, 'Checker', {
      description: `Whether telemetry of ${fn.node.path} would be delivered`.slice(0, 256),
      runtime: RUNTIME.name,
      handler: 'index.handler',
      code: { s3Bucket: s3Location!.bucketName, s3Key: s3Location!.objectKey },
      role: original.role,
      architectures: [fn.architecture.name],
      // As they will be, whatever is done to the function after this.
      vpcConfig: Lazy.uncachedAny({ produce: () => Stack.of(fn).resolve(original.vpcConfig) }),
      environment: Lazy.uncachedAny({ produce: () => ({ variables: settingsOf(fn) }) }),
      loggingConfig: { logGroup: logGroup.logGroupName },
      memorySize: 256,
      timeout: 45,
    });
  }

  // A copy lies in the app's output then, unless the CLI was told --no-staging.
  private stage(folder: string): lambda.CodeConfig {
    const code = lambda.Code.fromAsset(folder).bind(this);
    if (!this.node.tryGetContext('aws:cdk:disable-asset-staging')) {
      rmSync(folder, { recursive: true });
    }
    return code;
  }

  private makeResponder(checker: lambda.CfnFunction, logGroup: logs.ILogGroup): lambda.CfnFunction {
    const role = new iam.Role(this, 'ResponderRole', {
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      inlinePolicies: {
        Respond: new iam.PolicyDocument({
          statements: [
            new iam.PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [checker.attrArn] }),
            // By its state a roll-back is told from an update.
            new iam.PolicyStatement({ actions: ['cloudformation:DescribeStacks'], resources: [Aws.STACK_ID] }),
            new iam.PolicyStatement({ actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [logGroup.logGroupArn] }),
          ],
        }),
      },
    });
    return new lambda.CfnFunction(this, 'Responder', {
      description: 'Tells CloudFormation what the check of the Kinesis telemetry extension says',
      runtime: RUNTIME.name,
      handler: 'index.handler',
      code: { zipFile: RESPONDER },
      role: role.roleArn,
      environment: { variables: { PATIENCE_MS: '60000' } },
      loggingConfig: { logGroup: logGroup.logGroupName },
      memorySize: 256,
      timeout: 180,
    });
  }
}

/** By these a function in a network comes out of it: nothing that it refers to waits for them. */
const NETWORK = [
  ec2.CfnVPCEndpoint,
  ec2.CfnRoute,
  ec2.CfnSubnetRouteTableAssociation,
  ec2.CfnSecurityGroupEgress,
  ec2.CfnSecurityGroupIngress,
];

// Those of other stacks are there when this one is deployed.
function waitForNetwork(resource: CfnResource, checker: lambda.CfnFunction): void {
  const stack = Stack.of(resource);
  if (stack.resolve(checker.vpcConfig) === undefined) {
    return;
  }
  for (const node of stack.node.findAll()) {
    if (Stack.of(node) === stack && NETWORK.some((type) => node instanceof type)) {
      resource.addDependency(node as CfnResource);
    }
  }
}

/** Whether a resource is of a check: nothing is attached to it. */
export function isOfCheck(node: IConstruct): boolean {
  return node.node.scope instanceof DeployCheck;
}

const RUNTIME = runtimeOf('nodejs24.x', lambda.RuntimeFamily.NODEJS);

// What the program reads: the rest is the function's own, and some of it would change the checker, as
// AWS_LAMBDA_EXEC_WRAPPER and NODE_OPTIONS would.
const SETTING = /^(TELEMETRY_|KINESIS_STREAM_|AWS_(?!LAMBDA_))|^(https?|no)_proxy$/i;

function settingsOf(fn: lambda.Function): Record<string, unknown> {
  return Object.fromEntries(Object.entries(presentVariables(fn)).filter(([name]) => SETTING.test(name)));
}

/** A folder with the program of the layer for this CPU, and what runs it. */
function checkerCode(architecture: lambda.Architecture, directory?: string): string {
  const zip = findZip(`${EXTENSION_NAME}-${architecture.name}.zip`, directory);
  const program = fileOfZip(readFileSync(zip), `extensions/${EXTENSION_NAME}`);
  requireThat(program !== undefined, `${zip}: without extensions/${EXTENSION_NAME}: make it with ./build.sh layer`);
  const folder = FileSystem.mkdtemp('kinesis-telemetry-check');
  writeFileSync(join(folder, 'index.js'), CHECKER);
  writeFileSync(join(folder, EXTENSION_NAME), program);
  chmodSync(join(folder, EXTENSION_NAME), 0o755);
  return folder;
}

/** Of what the check looks at and how it looks. */
function fingerprint(checker: lambda.CfnFunction, policy: iam.ManagedPolicy): string {
  const stack = Stack.of(checker);
  const { code, environment, vpcConfig, role, architectures } = checker;
  const inputs = [stack.resolve({ code, environment, vpcConfig, role, architectures }), Stack.of(policy).resolve(policy.document)];
  return createHash('sha256').update(JSON.stringify(inputs)).digest('hex').slice(0, 16);
}

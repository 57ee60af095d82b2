import { ArnFormat, Stack, Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kinesis from 'aws-cdk-lib/aws-kinesis';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { acknowledgeWildcard } from './acknowledge';
import { DeadLetter } from './dead-letter';
import { mentioned } from './mentioned';

/** What the policy is made of. */
export interface RuntimePolicyProps {
  /** @default - made by CloudFormation */
  readonly name?: string;
  readonly stream: kinesis.IStream;
  /** @default - none, and nothing is allowed for it */
  readonly deadLetter?: DeadLetter;
  readonly denyCloudWatchLogs: boolean;
}

/** The managed policy for the roles of functions: what the extension calls, on what it calls it, no more. */
export function makeRuntimePolicy(scope: Construct, props: RuntimePolicyProps): iam.ManagedPolicy {
  const statements = [
    ...streamStatements(props.stream),
    ...(props.deadLetter?.statements() ?? []),
    props.denyCloudWatchLogs ? denyLogs() : allowLogs(scope),
  ];
  const policy = new iam.ManagedPolicy(scope, 'RuntimePolicy', {
    managedPolicyName: props.name,
    description: 'For functions with the Kinesis telemetry extension',
    statements,
  });
  for (const resource of statements.flatMap((statement) => statement.resources)) {
    acknowledgeWildcard(policy.node.defaultChild as iam.CfnManagedPolicy, resource, 'The names of log groups and of dead letters are made when functions run');
  }
  return policy;
}

function streamStatements(stream: kinesis.IStream): iam.PolicyStatement[] {
  const statements = [
    new iam.PolicyStatement({
      sid: 'PutTelemetry',
      actions: ['kinesis:PutRecords'],
      resources: [stream.streamArn],
    }),
  ];
  if (stream.encryptionKey !== undefined) {
    statements.push(
      new iam.PolicyStatement({
        sid: 'EncryptTelemetry',
        actions: ['kms:GenerateDataKey'],
        resources: [stream.encryptionKey.keyArn],
      }),
    );
  }
  return statements;
}

const LOGS_ACTIONS = ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'];

// Whose log group is called otherwise gets a statement of its own: see ownLogGroup().
function allowLogs(scope: Construct): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid: 'WriteLogs',
    actions: LOGS_ACTIONS,
    resources: [Stack.of(scope).formatArn({ service: 'logs', resource: 'log-group:/aws/lambda/*' })],
  });
}

/** How a function logs, as the template will have it. */
export function loggingOf(fn: lambda.Function): { readonly logGroup?: unknown; readonly systemLogLevel?: unknown } {
  const { loggingConfig } = fn.node.defaultChild as lambda.CfnFunction;
  return Stack.of(fn).resolve(loggingConfig) ?? {};
}

/**
 * What a function needs for a log group of another name than Lambda would give it, where its name is
 * known. What it is called below /aws/lambda/ the managed policy allows.
 */
export function ownLogGroup(fn: lambda.Function): iam.PolicyStatement[] {
  const { loggingConfig } = fn.node.defaultChild as lambda.CfnFunction;
  const { logGroup } = loggingOf(fn);
  const [resource] = mentioned(fn, loggingConfig).resources;
  const name = resource instanceof logs.CfnLogGroup ? resource.logGroupName : logGroup;
  if (logGroup === undefined || (typeof name === 'string' && name.startsWith('/aws/lambda/'))) {
    return [];
  }
  const resourceName = `${Token.asString(logGroup)}:*`;
  return [
    new iam.PolicyStatement({
      sid: 'WriteOwnLogs',
      // Without CreateLogGroup: it is there, or its name would not have been chosen.
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [Stack.of(fn).formatArn({ service: 'logs', resource: 'log-group', resourceName, arnFormat: ArnFormat.COLON_RESOURCE_NAME })],
    }),
  ];
}

function denyLogs(): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid: 'DenyLogs',
    effect: iam.Effect.DENY,
    actions: LOGS_ACTIONS,
    resources: ['*'],
  });
}

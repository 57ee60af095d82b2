import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import {
  KinesisTelemetryExtension,
  KinesisTelemetryExtensionProps,
  TableDeliveryOptions,
  TelemetryApiKinesisExtensionStack,
  TelemetryApiKinesisExtensionStackProps,
} from '../../lib';
import { temporaryFolder } from './temporary';
import { zipFolder } from './zips';

/** The package's folder. */
export const ROOT = join(__dirname, '..', '..');

/** Zips for everything that is synthesized. */
export const LAYER_DIRECTORY = zipFolder();

/** Context for everything that the stack can have. */
export const EVERYTHING = {
  alarms: 'true',
  checkAtDeploy: 'true',
  dashboard: 'true',
  deadLetterBucket: 'true',
  encryption: 'kms',
  layerPackaging: 'per-architecture',
  shardCount: '2',
};

/** A table that AWS can deliver into. */
export const TABLE: TableDeliveryOptions = {
  tableBucketArn: 'arn:aws:s3tables:us-east-1:123456789012:bucket/tables',
  namespace: 'logs',
  tableName: 'functions',
  schemaRegistry: 'telemetry',
  schemaName: 'event',
};

/** An app as the CDK CLI would start it: with the context of cdk.json. */
export function makeApp(context: Record<string, unknown> = {}): App {
  const { context: flags } = JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8'));
  return new App({ context: { ...flags, ...context }, outdir: temporaryFolder() });
}

/** A stack of an app of its own, as yet empty. */
export function makeStack(): Stack {
  return new Stack(makeApp(), 'Test');
}

/** The construct in a stack of its own. */
export function makeExtension(props: KinesisTelemetryExtensionProps = {}, stack = makeStack(), id = 'Telemetry') {
  return new KinesisTelemetryExtension(stack, id, { layerDirectory: LAYER_DIRECTORY, ...props });
}

/** Any function; props say what is particular about it. */
export function makeFunction(scope: Construct, id: string, props: Partial<lambda.FunctionProps> = {}): lambda.Function {
  return new lambda.Function(scope, id, {
    runtime: lambda.Runtime.NODEJS_22_X,
    handler: 'index.handler',
    code: lambda.Code.fromInline('exports.handler = async () => {};'),
    ...props,
  });
}

/** The stack of the app with the zips of the tests. */
export function makeAppStack(
  context: Record<string, unknown> = {},
  props: TelemetryApiKinesisExtensionStackProps = {},
): TelemetryApiKinesisExtensionStack {
  return new TelemetryApiKinesisExtensionStack(
    makeApp({ layerDirectory: LAYER_DIRECTORY, ...context }),
    'TelemetryApiKinesisExtensionStack',
    props,
  );
}

/** The one resource of its type. */
export function only(template: Template, type: string): any {
  const found = Object.values(template.findResources(type));
  if (found.length !== 1) {
    throw new Error(`${found.length} resources of type ${type}`);
  }
  return found[0];
}

/** The environment variables of the one function. */
export function variables(template: Template): Record<string, unknown> {
  return only(template, 'AWS::Lambda::Function').Properties.Environment?.Variables ?? {};
}

import { Stack, Stage, Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kinesis from 'aws-cdk-lib/aws-kinesis';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { IConstruct } from 'constructs';
import { differ } from './environment';
import { ownerOf } from './function';
import { shown } from './kinds';
import { EXTENSION_NAME } from './layer';
import { requireOneLibrary } from './one-library';
import { TelemetrySettings } from './settings';
import { ConfigurationError } from './validation';

/** What gives functions the extension: a {@link KinesisTelemetryExtension}. */
export interface IKinesisTelemetryExtension extends IConstruct {
  /** Where telemetry goes. */
  readonly stream: kinesis.IStream;

  /** Whether the function has been attached, or configured. */
  isAttachedTo(fn: lambda.IFunction): boolean;

  /** Attaches a function; throws when it cannot have the extension. */
  attachTo(fn: lambda.IFunction, overrides?: TelemetrySettings): void;
}

/** Why a function cannot have the extension from here, or undefined when it can. */
export function obstacle(extension: IConstruct, fn: lambda.IFunction): string | undefined {
  return obstacleToSettings(extension, fn) ?? obstacleToLayers(fn as lambda.Function);
}

/** The function, when layer, policy and settings can be attached to it; throws otherwise. */
export function attachable(extension: IConstruct, fn: lambda.IFunction): lambda.Function {
  return checked(fn, obstacle(extension, fn));
}

/** The function, when policy and settings can be attached to it; throws otherwise. */
export function configurable(extension: IConstruct, fn: lambda.IFunction): lambda.Function {
  return checked(fn, obstacleToSettings(extension, fn));
}

function checked(fn: lambda.IFunction, reason: string | undefined): lambda.Function {
  if (reason !== undefined) {
    throw new ConfigurationError(`${fn?.node?.path ?? shown(fn)}: ${reason}`);
  }
  return fn as lambda.Function;
}

function obstacleToSettings(extension: IConstruct, fn: lambda.IFunction): string | undefined {
  if (isPointer(fn)) {
    return 'versions and aliases cannot be changed: attach to the function itself';
  }
  if (!(fn instanceof lambda.Function)) {
    if (fn?.node !== undefined) {
      requireOneLibrary(fn);
    }
    return 'only a lambda.Function of this app can be changed: an imported function cannot, and others by an Aspect on their scope (attachToAll)';
  }
  if (isEdge(fn)) {
    return 'Lambda@Edge takes neither layers nor environment variables';
  }
  return elsewhere(extension, fn) ?? taken(extension, fn);
}

// Two extensions in one function would be one file over another in /opt/extensions/.
function taken(extension: IConstruct, fn: lambda.Function): string | undefined {
  const owner = ownerOf(fn) ?? extension;
  return owner === extension ? undefined : `has the extension of ${owner.node.path} already`;
}

function obstacleToLayers(fn: lambda.Function): string | undefined {
  if (fn.runtime === lambda.Runtime.FROM_IMAGE) {
    return `container images take no layers: COPY the binary to /opt/extensions/${EXTENSION_NAME} in the image, then configure() the function`;
  }
  return layersOf(fn) >= MOST_LAYERS
    ? `a function cannot have more than ${MOST_LAYERS} layers, and it has them already`
    : undefined;
}

const MOST_LAYERS = 5;

// Not by resolving the token: older aws-cdk-lib keep what they made of it then, and layers that come
// later would be missing in the template.
function layersOf(fn: lambda.Function): number {
  const { layers } = fn.node.defaultChild as lambda.CfnFunction;
  return (Token.isUnresolved(layers) ? fn._layers : layers)?.length ?? 0;
}

/** What somebody does whose functions lie in several stages. */
export const OWN_IN_EACH_STAGE = 'functions need a KinesisTelemetryExtension in their own stage, which may take the same stream';

/** Whether one of them can refer to the other. */
export function sameStage(a: IConstruct, b: IConstruct): boolean {
  return Stage.of(a) === Stage.of(b);
}

function isPointer(fn: lambda.IFunction): boolean {
  return fn instanceof lambda.Version || fn instanceof lambda.Alias;
}

function isEdge(fn: lambda.Function): boolean {
  const document = fn.role instanceof iam.Role ? fn.role.assumeRolePolicy : undefined;
  return JSON.stringify(document?.toJSON() ?? '').includes('edgelambda.amazonaws.com');
}

// A layer serves functions of its region, a managed policy roles of its account. Stages are deployed
// each by itself: the CDK lets nothing in one refer to what another has.
function elsewhere(extension: IConstruct, fn: lambda.Function): string | undefined {
  if (!sameStage(extension, fn)) {
    return `${extension.node.path} lies in another stage: ${OWN_IN_EACH_STAGE}`;
  }
  const ours = Stack.of(extension);
  const theirs = Stack.of(fn);
  return differ(ours.region, theirs.region) || differ(ours.account, theirs.account)
    ? `${extension.node.path} is for ${ours.account} ${ours.region}: functions of another account or region need a KinesisTelemetryExtension of their own there, which may take the same stream`
    : undefined;
}

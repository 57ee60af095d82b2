import { Stack, Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { IConstruct } from 'constructs';
import { EXTENSION_NAME } from './layer';
import { ConfigurationError } from './validation';

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
    throw new ConfigurationError(`${fn.node.path}: ${reason}`);
  }
  return fn as lambda.Function;
}

function obstacleToSettings(extension: IConstruct, fn: lambda.IFunction): string | undefined {
  if (isPointer(fn)) {
    return 'versions and aliases cannot be changed: attach to the function itself';
  }
  if (!(fn instanceof lambda.Function)) {
    return 'only a lambda.Function of this app can be changed: an imported function cannot, and others by an Aspect on their scope (attachToAll)';
  }
  if (isEdge(fn)) {
    return 'Lambda@Edge takes neither layers nor environment variables';
  }
  return elsewhere(extension, fn);
}

function obstacleToLayers(fn: lambda.Function): string | undefined {
  return fn.runtime === lambda.Runtime.FROM_IMAGE
    ? `container images take no layers: COPY the binary to /opt/extensions/${EXTENSION_NAME} in the image, then configure() the function`
    : undefined;
}

function isPointer(fn: lambda.IFunction): boolean {
  return fn instanceof lambda.Version || fn instanceof lambda.Alias;
}

function isEdge(fn: lambda.Function): boolean {
  const document = fn.role instanceof iam.Role ? fn.role.assumeRolePolicy : undefined;
  return JSON.stringify(document?.toJSON() ?? '').includes('edgelambda.amazonaws.com');
}

// A layer serves functions of its region, a managed policy roles of its account.
function elsewhere(extension: IConstruct, fn: lambda.Function): string | undefined {
  const ours = Stack.of(extension);
  const theirs = Stack.of(fn);
  const differ = (a: string, b: string) => !Token.isUnresolved(a) && !Token.isUnresolved(b) && a !== b;
  return differ(ours.region, theirs.region) || differ(ours.account, theirs.account)
    ? `${extension.node.path} is for ${ours.account} ${ours.region}: functions of another account or region need a KinesisTelemetryExtension of their own there, which may take the same stream`
    : undefined;
}

import { Annotations, Stack, Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct, IConstruct } from 'constructs';
import { acknowledgeWildcard } from './acknowledge';
import { ExtensionLayer } from './layer';
import { weakReference } from './weak-reference';

const owners = new WeakMap<lambda.Function, IConstruct>();

/** The construct whose extension a function has, if it has one. */
export function ownerOf(fn: lambda.Function): IConstruct | undefined {
  return owners.get(fn);
}

/** From now on a function has the extension of this construct. */
export function claim(fn: lambda.Function, extension: IConstruct): void {
  owners.set(fn, extension);
}

/** The layer of an extension, of whatever stack. */
export function attachLayer(extension: Construct, fn: lambda.Function, layer: lambda.ILayerVersion): void {
  const layerVersionArn = weakReference(extension, layer.node.id, layer.layerVersionArn, fn);
  if (layerVersionArn === layer.layerVersionArn) {
    fn.addLayers(layer);
    return;
  }
  fn.addLayers(lambda.LayerVersion.fromLayerVersionAttributes(fn, 'KinesisTelemetryLayer', { layerVersionArn }));
  // By the reference alone the CDK would not see that currentVersion has to be another one.
  if (layer instanceof ExtensionLayer) {
    fn.invalidateVersionBasedOn(layer.identity);
  }
}

/** A role that the CDK may not change is left alone with a warning. */
export function attachPolicy(extension: Construct, fn: lambda.Function, policy: iam.ManagedPolicy): void {
  if (fn.role === undefined || isImmutable(fn.role)) {
    Annotations.of(fn).addWarningV2(
      'kinesis-telemetry-api-extension:immutable-role',
      'The role of this function cannot be changed from here: attach the managed policy of the Kinesis telemetry extension to it, or nothing is delivered',
    );
    return;
  }
  fn.role.addManagedPolicy(policyFor(extension, fn.role, policy));
}

// To a role that is not of this app the policy attaches itself.
function policyFor(extension: Construct, role: iam.IRole, policy: iam.ManagedPolicy): iam.IManagedPolicy {
  const arn = isOfClass(role, 'ImportedRole')
    ? policy.managedPolicyArn
    : weakReference(extension, 'Policy', policy.managedPolicyArn, role);
  if (arn === policy.managedPolicyArn) {
    return policy;
  }
  // The same for all functions of a role, which knows by it that it has it.
  const id = `KinesisTelemetryPolicy-${extension.node.addr}`;
  const known = role.node.tryFindChild(id) as unknown as iam.IManagedPolicy | undefined;
  return known ?? iam.ManagedPolicy.fromManagedPolicyArn(role as unknown as Construct, id, arn);
}

/** What one function needs and others do not. */
export function allow(fn: lambda.Function, statements: iam.PolicyStatement[]): void {
  for (const statement of statements) {
    fn.addToRolePolicy(statement);
  }
  const resources = statements.flatMap((statement) => statement.resources);
  for (const policy of resources.length === 0 ? [] : inlinePolicies(fn)) {
    for (const resource of resources) {
      acknowledgeWildcard(policy, resource, 'The names of log streams and of dead letters are made when functions run');
    }
  }
}

/** Below the role, or below the function with the feature flag createNewPoliciesWithAddToRolePolicy. */
export function inlinePolicies(fn: lambda.Function): iam.CfnPolicy[] {
  return [fn.role, fn]
    .flatMap((scope) => scope?.node.findAll() ?? [])
    .filter((node): node is iam.CfnPolicy => node instanceof iam.CfnPolicy);
}

/**
 * What the function has by itself wins; what was set by us can be set again.
 *
 * @param ours the names that were set by us before
 * @returns these and those that were set now
 */
export function setVariables(fn: lambda.Function, variables: Record<string, string>, ours = new Set<string>()): Set<string> {
  const present = presentVariables(fn);
  for (const [name, value] of Object.entries(variables)) {
    const before = ours.has(name) ? undefined : present[name];
    if (before !== undefined) {
      reportKept(fn, name, before, value);
    } else if (value !== '' || ours.has(name)) {
      // To the extension an empty one is none: it is needed only where it takes back another.
      ours.add(name);
      fn.addEnvironment(name, value);
    }
  }
  return ours;
}

/** As the template will have them; the function itself does not tell. */
export function presentVariables(fn: lambda.Function): Record<string, unknown> {
  const { environment } = fn.node.defaultChild as lambda.CfnFunction;
  return Stack.of(fn).resolve(environment)?.variables ?? {};
}

function reportKept(fn: lambda.Function, name: string, kept: unknown, value: string): void {
  if (typeof kept === 'string' && !Token.isUnresolved(value) && kept !== value) {
    // A proxy's URL may have a password.
    const secret = name === 'TELEMETRY_PROXY';
    Annotations.of(fn).addInfo(`${name}${secret ? '' : `=${kept}`} of the function itself is kept${secret ? '' : `; the telemetry extension's would be ${value}`}`);
  }
}

// ImmutableRole pretends to add what it is given.
function isImmutable(role: iam.IRole): boolean {
  return isOfClass(role, 'ImmutableRole');
}

// For classes of aws-iam that are not exported.
function isOfClass(role: iam.IRole, name: string): boolean {
  return Object(role.constructor).PROPERTY_INJECTION_ID === `aws-cdk-lib.aws-iam.${name}`;
}

import { Annotations, Stack, Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { IConstruct } from 'constructs';
import { acknowledgeWildcard } from './acknowledge';
import { requireThat } from './validation';

const owners = new WeakMap<lambda.Function, IConstruct>();

/** Two extensions in one function would be one file over another in /opt/extensions/. */
export function claim(fn: lambda.Function, extension: IConstruct): void {
  const owner = owners.get(fn) ?? extension;
  requireThat(owner === extension, `${fn.node.path}: has the extension of ${owner.node.path} already`);
  owners.set(fn, extension);
}

/** A role that the CDK may not change is left alone with a warning. */
export function attachPolicy(fn: lambda.Function, policy: iam.ManagedPolicy): void {
  if (fn.role === undefined || isImmutable(fn.role)) {
    Annotations.of(fn).addWarningV2(
      'kinesis-telemetry-api-extension:immutable-role',
      'The role of this function cannot be changed from here: attach the managed policy of the Kinesis telemetry extension to it, or nothing is delivered',
    );
    return;
  }
  fn.role.addManagedPolicy(policy);
}

/** What one function needs and others do not. */
export function allow(fn: lambda.Function, statements: iam.PolicyStatement[]): void {
  for (const statement of statements) {
    fn.addToRolePolicy(statement);
  }
  const resources = statements.flatMap((statement) => statement.resources);
  for (const policy of resources.length === 0 ? [] : inlinePolicies(fn)) {
    for (const resource of resources) {
      acknowledgeWildcard(policy, resource, 'The names of dead letters are made when functions run');
    }
  }
}

// Below the role, or below the function with the feature flag createNewPoliciesWithAddToRolePolicy.
function inlinePolicies(fn: lambda.Function): iam.CfnPolicy[] {
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

// As the template will have them; the function itself does not tell.
function presentVariables(fn: lambda.Function): Record<string, unknown> {
  const { environment } = fn.node.defaultChild as lambda.CfnFunction;
  return Stack.of(fn).resolve(environment)?.variables ?? {};
}

function reportKept(fn: lambda.Function, name: string, kept: unknown, value: string): void {
  if (typeof kept === 'string' && !Token.isUnresolved(value) && kept !== value) {
    Annotations.of(fn).addInfo(`${name}=${kept} of the function itself is kept; the telemetry extension's would be ${value}`);
  }
}

// ImmutableRole is not exported, and pretends to add what it is given.
function isImmutable(role: iam.IRole): boolean {
  return Object(role.constructor).PROPERTY_INJECTION_ID === 'aws-cdk-lib.aws-iam.ImmutableRole';
}

import * as cdk from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { IConstruct } from 'constructs';

/** Not in the oldest aws-cdk-lib; cdk-nag 3, which needs a newer one, reads what is said to it. */
interface Validations {
  of(scope: IConstruct): { acknowledge(rule: { id: string; reason: string }): void };
}

/** As cdk-nag 2 writes and reads it in the metadata of a resource. */
interface Suppression {
  readonly id: string;
  readonly reason: string;
  readonly applies_to?: string[];
}

/** Says to cdk-nag, where somebody runs it, why a rule of AwsSolutions does not hold for a resource. */
export function acknowledge(construct: IConstruct, rule: string, reason: string, finding?: string): void {
  const id = `AwsSolutions-${rule}`;
  const { Validations: validations } = cdk as { Validations?: Validations };
  try {
    validations?.of(construct).acknowledge({ id: finding === undefined ? id : `${id}[${finding}]`, reason });
  } catch (error) {
    // Some versions, such as 2.263.0, take no rule with '::' in what it has found: then it is left unsaid.
    if (!finding?.includes('::')) {
      throw error;
    }
  }
  suppress(construct, { id, reason, ...(finding !== undefined && { applies_to: [finding] }) });
}

/** The same for a wildcard in the resource of a policy: each is a finding of its own. */
export function acknowledgeWildcard(policy: iam.CfnPolicy | iam.CfnManagedPolicy | iam.CfnRole, resource: string, reason: string): void {
  const text = flat(cdk.Stack.of(policy).resolve(resource));
  if (text.includes('*')) {
    acknowledge(policy, 'IAM5', reason, `Resource::${text}`);
  }
}

// Whichever cdk-nag there is: version 2 works with every aws-cdk-lib, and sees nothing but this.
function suppress(construct: IConstruct, suppression: Suppression): void {
  const resource = (construct.node.defaultChild ?? construct) as cdk.CfnResource;
  const before: Suppression[] = resource.getMetadata('cdk_nag')?.rules_to_suppress ?? [];
  resource.addMetadata('cdk_nag', { rules_to_suppress: [...before, suppression] });
}

// As cdk-nag writes references: <Name>, <Name.Attribute>.
function flat(value: any): string {
  if (typeof value === 'string') {
    return value;
  }
  if (value['Fn::Join'] !== undefined) {
    const [delimiter, parts] = value['Fn::Join'];
    return parts.map(flat).join(delimiter);
  }
  if (value['Fn::GetAtt'] !== undefined) {
    return `<${value['Fn::GetAtt'].map(flat).join('.')}>`;
  }
  return value.Ref !== undefined ? `<${value.Ref}>` : JSON.stringify(value);
}

import { Stack, Validations } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';

/** Says to cdk-nag, where somebody runs it, why a rule of AwsSolutions does not hold for a construct. */
export function acknowledge(construct: IConstruct, rule: string, reason: string): void {
  Validations.of(construct).acknowledge({ id: `AwsSolutions-${rule}`, reason });
}

/** The same for a wildcard in the resource of a policy: each is a finding of its own. */
export function acknowledgeWildcard(construct: IConstruct, resource: string, reason: string): void {
  const text = flat(Stack.of(construct).resolve(resource));
  if (text.includes('*')) {
    acknowledge(construct, `IAM5[Resource::${text}]`, reason);
  }
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

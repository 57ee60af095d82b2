import { Names, Stack } from 'aws-cdk-lib';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import { Construct, IConstruct } from 'constructs';
import { EXTENSION_NAME } from './layer';

/**
 * A value of one stack for the template of another, without an export. CloudFormation refuses to change
 * an export while another stack imports it, and values such as a layer version's ARN have to change.
 * Here the value lies in an SSM parameter of its stack, and the other stack reads it whenever it is
 * deployed.
 *
 * @param owner in whose stack the value is known
 * @param id what it is called among the owner's
 * @param value is given back where it needs no reference: a literal, or of the same stack
 * @param user in whose stack it is wanted, of the same stage
 */
export function weakReference(owner: Construct, id: string, value: string, user: IConstruct): string {
  const from = outermostStack(owner);
  const to = outermostStack(user);
  if (from === to || !refersToResource(Stack.of(owner).resolve(value))) {
    return value;
  }
  const parameterName = `/${EXTENSION_NAME}/${Names.uniqueResourceName(owner, { maxLength: 200, separator: '-' })}/${id}`;
  user.node.addDependency(publish(owner, id, parameterName, value));
  // In the outermost stack, which CloudFormation always looks at; nested ones are handed it from there.
  return ssm.StringParameter.valueForStringParameter(to, parameterName);
}

/** Nested stacks are deployed with that which they are in, and references between them are no exports. */
export function outermostStack(scope: IConstruct): Stack {
  const stack = Stack.of(scope);
  return stack.nestedStackParent === undefined ? stack : outermostStack(stack.nestedStackParent);
}

function publish(owner: Construct, id: string, parameterName: string, stringValue: string): IConstruct {
  const holder = (owner.node.tryFindChild('References') as Construct | undefined) ?? new Construct(owner, 'References');
  const known = holder.node.tryFindChild(id);
  if (known !== undefined) {
    return known;
  }
  return new ssm.StringParameter(holder, id, {
    parameterName,
    stringValue,
    description: 'Kinesis telemetry extension: for functions of other stacks of the app',
  });
}

// Beside these there are pseudo parameters, which are the same in all stacks of a region.
function refersToResource(value: unknown): boolean {
  return /"Fn::GetAtt"|"Ref":"(?!AWS::)/.test(JSON.stringify(value));
}

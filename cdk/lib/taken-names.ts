import { Annotations, Stack, Token } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';
import { ConfigurationError } from './validation';

/** Where a name may be used once. */
export type NameScope = 'account' | 'region';

interface Taken {
  readonly by: IConstruct;
  readonly where: NameScope;
}

/** By app, since nothing is known of what others deploy. */
const taken = new WeakMap<IConstruct, Map<string, Taken[]>>();

/**
 * Says before deployment that two stacks of an app want the same name, where AWS would take the first
 * alone (`EntityAlreadyExists` and the like).
 *
 * @param by whose stack makes what is called so
 * @param prop the prop that gives the name, also by which it is another one
 * @param name left alone when it is undefined, or not known yet
 * @param where the name may be used once per account, or once per account and region
 */
export function takeName(by: IConstruct, prop: string, name: string | undefined, where: NameScope): void {
  if (name === undefined || Token.isUnresolved(name)) {
    return;
  }
  const names = taken.get(by.node.root) ?? new Map<string, Taken[]>();
  taken.set(by.node.root, names);
  const key = `${prop} ${name}`;
  const others = names.get(key) ?? [];
  names.set(key, [...others, { by, where }]);
  for (const other of others) {
    const message = `${prop}: ${name} is of ${other.by.node.path} already, and a name is one per account${where === 'account' ? ', whatever the region' : ' and region'}: give one of them another ${prop}`;
    switch (samePlace(by, other.by, where)) {
      case 'yes':
        throw new ConfigurationError(message);
      case 'perhaps':
        Annotations.of(by).addWarningV2('kinesis-telemetry-api-extension:name-taken', `If both are of one account. ${message}`);
    }
  }
}

function samePlace(one: IConstruct, two: IConstruct, where: NameScope): 'yes' | 'no' | 'perhaps' {
  if (Stack.of(one) === Stack.of(two)) {
    return 'yes';
  }
  const pairs = [[Stack.of(one).account, Stack.of(two).account]];
  if (where === 'region') {
    pairs.push([Stack.of(one).region, Stack.of(two).region]);
  }
  const known = pairs.filter((pair) => !pair.some((value) => Token.isUnresolved(value)));
  if (known.some(([a, b]) => a !== b)) {
    return 'no';
  }
  return known.length === pairs.length ? 'yes' : 'perhaps';
}

import { Annotations, Stack, Token } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';
import { ConfigurationError } from './validation';

/** An account and a region, as far as they are known. */
export interface Environment {
  readonly account?: string;
  readonly region?: string;
}

/** Both of an ARN; of what is not one, or is not known yet, neither. */
export function environmentOf(arn: string): Environment {
  const [, region, account] = /^arn:[^:]*:[^:]*:([^:]*):([^:]*):/.exec(arn) ?? [];
  return { region, account };
}

/** Whether both are known, and differ. */
export function differ(a: string | undefined, b: string | undefined): boolean {
  return Boolean(a && b) && !Token.isUnresolved(a) && !Token.isUnresolved(b) && a !== b;
}

/**
 * Refuses what lies elsewhere than the stack of a construct, where both are known. A stack without an
 * environment goes where the CDK CLI says, most likely: a warning then, since it may be deployed
 * elsewhere after all.
 *
 * @param why what lies there and what comes of it
 */
export function requireSameEnvironment(scope: IConstruct, there: Environment, why: string): void {
  const { account, region } = Stack.of(scope);
  if (differ(account, there.account) || differ(region, there.region)) {
    throw new ConfigurationError(why);
  }
  const cli = { account: process.env.CDK_DEFAULT_ACCOUNT, region: process.env.CDK_DEFAULT_REGION };
  const likely = (known: string, other: string | undefined) => (Token.isUnresolved(known) ? other : known);
  if (differ(likely(account, cli.account), there.account) || differ(likely(region, cli.region), there.region)) {
    Annotations.of(scope).addWarningV2('kinesis-telemetry-api-extension:elsewhere', `Deployed to ${cli.account} ${cli.region}: ${why}`);
  }
}

import { DefaultTokenResolver, IResolvable, IResolveContext, IPostProcessor, Reference, StringConcat, Token, Tokenization } from 'aws-cdk-lib';
import * as firehose from 'aws-cdk-lib/aws-kinesisfirehose';
import * as kinesis from 'aws-cdk-lib/aws-kinesis';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as pipes from 'aws-cdk-lib/aws-pipes';
import { IConstruct } from 'constructs';

/**
 * Whether a function is invoked with the records of a stream: by an event source mapping, with or
 * without a consumer of its own (enhanced fan-out), by a pipe, or to transform what Firehose reads.
 * Were its telemetry to go to that stream, each of its invocations would cause the next.
 *
 * What is known in this app is looked at, as it is at the time of the call.
 */
export function readsStream(fn: lambda.Function, stream: kinesis.IStream): boolean {
  return fn.node.root.node
    .findAll()
    .map((node) => ({ node, link: linkOf(node) }))
    .some(({ node, link }) => link !== undefined && isStream(node, link.source, stream) && isFunction(node, link.functions, fn));
}

/** Why such a function is better not attached. */
export const LOOP =
  'it reads the stream, so that the telemetry of each invocation would cause the next, without end: let it send to another stream, by a KinesisTelemetryExtension of its own';

/** What a resource reads from, and values in which the functions are that it hands this to. */
interface Link {
  readonly source: unknown;
  readonly functions: unknown;
}

// The destinations that Firehose transforms records for.
const DESTINATIONS = [
  'extendedS3DestinationConfiguration',
  'httpEndpointDestinationConfiguration',
  'redshiftDestinationConfiguration',
  'splunkDestinationConfiguration',
  'amazonopensearchserviceDestinationConfiguration',
  'amazonOpenSearchServerlessDestinationConfiguration',
  'snowflakeDestinationConfiguration',
  'icebergDestinationConfiguration',
] as const;

function linkOf(node: IConstruct): Link | undefined {
  if (node instanceof lambda.CfnEventSourceMapping) {
    return { source: node.eventSourceArn, functions: node.functionName };
  }
  if (node instanceof pipes.CfnPipe) {
    return { source: node.source, functions: [node.target, node.enrichment] };
  }
  if (node instanceof firehose.CfnDeliveryStream) {
    return { source: node.kinesisStreamSourceConfiguration, functions: DESTINATIONS.map((name) => node[name]) };
  }
  return undefined;
}

function isStream(scope: IConstruct, value: unknown, stream: kinesis.IStream): boolean {
  const { resources, text } = mentioned(scope, value);
  const own = mentioned(stream, stream.streamArn);
  const name = ofArn(own.text, STREAM) ?? [...own.resources].map((one) => (one instanceof kinesis.CfnStream ? one.name : undefined))[0];
  return (
    [...resources].some((one) => own.resources.has(one) || (one instanceof kinesis.CfnStreamConsumer && isStream(one, one.streamArn, stream))) ||
    (name !== undefined && !Token.isUnresolved(name) && ofArn(text, STREAM) === name && !elsewhere(text, own.text, stream))
  );
}

function isFunction(scope: IConstruct, value: unknown, fn: lambda.Function): boolean {
  const { resources, text } = mentioned(scope, value);
  const resource = fn.node.defaultChild as lambda.CfnFunction;
  const name = resource.functionName;
  return (
    [...resources].some(
      (one) => one === resource || ((one instanceof lambda.CfnVersion || one instanceof lambda.CfnAlias) && isFunction(one, one.functionName, fn)),
    ) ||
    (name !== undefined && !Token.isUnresolved(name) && (JSON.parse(text) === name || ofArn(text, FUNCTION) === name))
  );
}

const STREAM = /:kinesis:[^"]*:stream\/([A-Za-z0-9_.-]+)/;
const FUNCTION = /:lambda:[^"]*:function:([A-Za-z0-9_-]+)/;

function ofArn(text: string, pattern: RegExp): string | undefined {
  return pattern.exec(text)?.[1];
}

// Streams of one name may lie in several accounts and regions.
function elsewhere(text: string, own: string, stream: kinesis.IStream): boolean {
  const [, region, account] = /:kinesis:([a-z0-9-]+):(\d{12}):/.exec(text) ?? [];
  const [, ownRegion = stream.env.region, ownAccount = stream.env.account] = /:kinesis:([a-z0-9-]+):(\d{12}):/.exec(own) ?? [];
  const differ = (a: string | undefined, b: string) => a !== undefined && !Token.isUnresolved(b) && a !== b;
  return differ(region, ownRegion) || differ(account, ownAccount);
}

/** The resources that a value refers to, and the value itself as the template will have it. */
function mentioned(scope: IConstruct, value: unknown): { resources: Set<IConstruct>; text: string } {
  const resolver = new Collector();
  const resolved = Tokenization.resolve(value, { scope, resolver, preparing: true });
  return { resources: resolver.resources, text: JSON.stringify(resolved) ?? 'null' };
}

class Collector extends DefaultTokenResolver {
  public readonly resources = new Set<IConstruct>();

  public constructor() {
    super(new StringConcat());
  }

  public override resolveToken(token: IResolvable, context: IResolveContext, postProcessor: IPostProcessor): any {
    if (Reference.isReference(token)) {
      this.resources.add(token.target);
    }
    return super.resolveToken(token, context, postProcessor);
  }
}

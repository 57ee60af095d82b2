import { Token } from 'aws-cdk-lib';
import * as firehose from 'aws-cdk-lib/aws-kinesisfirehose';
import * as kinesis from 'aws-cdk-lib/aws-kinesis';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as pipes from 'aws-cdk-lib/aws-pipes';
import { IConstruct } from 'constructs';
import { differ, environmentOf } from './environment';
import { mentioned } from './mentioned';

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
      (one) => one === resource ||
        ((one instanceof lambda.CfnVersion || one instanceof lambda.CfnAlias) && isFunction(one, one.functionName, fn)),
    ) ||
    (name !== undefined && !Token.isUnresolved(name) && ofArn(text, FUNCTION) === name)
  );
}

const STREAM = /:kinesis:[^"]*:stream\/([A-Za-z0-9_.-]+)/;
// Its name or account:function:name, both perhaps with an alias or version behind, or an ARN somewhere.
const FUNCTION = /(?:^"(?!arn:)(?:\d{12}:function:)?|:lambda:[^"]*:function:)([A-Za-z0-9_-]+)/;

function ofArn(text: string, pattern: RegExp): string | undefined {
  return pattern.exec(text)?.[1];
}

// Streams of one name may lie in several accounts and regions.
function elsewhere(text: string, own: string, stream: kinesis.IStream): boolean {
  const there = environmentOf(JSON.parse(text));
  const { region, account } = own.startsWith('"arn:') ? environmentOf(JSON.parse(own)) : stream.env;
  return differ(there.region, region) || differ(there.account, account);
}

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { App, Aspects, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import * as kinesis from 'aws-cdk-lib/aws-kinesis';
import * as firehose from 'aws-cdk-lib/aws-kinesisfirehose';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { KinesisConsumerEventSource, KinesisEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import * as pipes from 'aws-cdk-lib/aws-pipes';
import { KinesisTelemetryExtensionProps } from '../lib';
import { makeApp, makeExtension, makeFunction } from './support/app';

const env = { region: 'us-east-1', account: '123456789012' };
const ARN = 'arn:aws:kinesis:us-east-1:123456789012:stream/telemetry';
const START = lambda.StartingPosition.LATEST;

/** What makes a function read a stream. */
type Link = (fn: lambda.Function, stream: kinesis.IStream) => void;

const mapping = (fn: lambda.Function, eventSourceArn: string, functionName = fn.functionName) =>
  new lambda.CfnEventSourceMapping(Stack.of(fn), 'Mapping', { eventSourceArn, functionName, startingPosition: 'LATEST' });

const given = (stack: Stack, arn = ARN): KinesisTelemetryExtensionProps => ({ stream: kinesis.Stream.fromStreamArn(stack, 'Given', arn) });

/** Links of a function to the stream of the extension, which is new unless props say otherwise. */
const LOOPS: [string, Link, ((stack: Stack) => KinesisTelemetryExtensionProps)?][] = [
  ['an event source', (fn, stream) => fn.addEventSource(new KinesisEventSource(stream, { startingPosition: START }))],
  ['an event source of an alias', (fn, stream) => fn.addAlias('live').addEventSource(new KinesisEventSource(stream, { startingPosition: START }))],
  ['an event source of a version', (fn, stream) => fn.currentVersion.addEventSource(new KinesisEventSource(stream, { startingPosition: START }))],
  ['an EventSourceMapping', (fn, { streamArn }) => new lambda.EventSourceMapping(fn, 'Mapping', { target: fn, eventSourceArn: streamArn, startingPosition: START })],
  ['a CfnEventSourceMapping', (fn, { streamArn }) => mapping(fn, streamArn)],
  ['a CfnEventSourceMapping of an ARN', (fn) => mapping(fn, ARN), given],
  ['a CfnEventSourceMapping of names', (fn) => mapping(fn, ARN, 'reader'), () => ({ streamName: 'telemetry' })],
  ['a CfnEventSourceMapping of an alias by names', (fn) => mapping(fn, ARN, 'reader:live'), given],
  ['a CfnEventSourceMapping of a partial ARN', (fn) => mapping(fn, ARN, '123456789012:function:reader'), given],
  ['a CfnEventSourceMapping of an ARN of the function', (fn) => mapping(fn, ARN, 'arn:aws:lambda:us-east-1:123456789012:function:reader:live'), given],
  ['a stream that is imported twice', (fn) => fn.addEventSource(new KinesisEventSource(kinesis.Stream.fromStreamArn(fn, 'Again', ARN), { startingPosition: START })), given],
  ['a stream that is given by its name', (fn) => mapping(fn, Stack.of(fn).formatArn({ service: 'kinesis', resource: 'stream', resourceName: 'telemetry' })), () => ({ streamName: 'telemetry' })],
  [
    'a consumer (enhanced fan-out)',
    (fn, stream) => fn.addEventSource(new KinesisConsumerEventSource(new kinesis.StreamConsumer(fn, 'Consumer', { stream, streamConsumerName: 'c' }), { startingPosition: START })),
  ],
  ['the ARN of a consumer', (fn) => mapping(fn, `${ARN}/consumer/c:1700000000`), given],
  ['a pipe', (fn, { streamArn }) => new pipes.CfnPipe(fn, 'Pipe', { roleArn: 'arn:aws:iam::123456789012:role/r', source: streamArn, target: fn.functionArn })],
  [
    'the enrichment of a pipe',
    (fn, { streamArn }) => new pipes.CfnPipe(fn, 'Pipe', { roleArn: 'arn:aws:iam::123456789012:role/r', source: streamArn, enrichment: fn.functionArn, target: 'arn:aws:sqs:us-east-1:123456789012:q' }),
  ],
  [
    'a transformation by Firehose',
    (fn, { streamArn }) =>
      new firehose.CfnDeliveryStream(fn, 'Firehose', {
        kinesisStreamSourceConfiguration: { kinesisStreamArn: streamArn, roleArn: 'arn:aws:iam::123456789012:role/r' },
        extendedS3DestinationConfiguration: {
          bucketArn: 'arn:aws:s3:::b',
          roleArn: 'arn:aws:iam::123456789012:role/r',
          processingConfiguration: {
            enabled: true,
            processors: [{ type: 'Lambda', parameters: [{ parameterName: 'LambdaArn', parameterValue: `${fn.functionArn}:$LATEST` }] }],
          },
        },
      }),
  ],
];

/** Links that are no loop. */
const OTHERS: [string, Link, ((stack: Stack) => KinesisTelemetryExtensionProps)?][] = [
  ['another stream', (fn) => fn.addEventSource(new KinesisEventSource(new kinesis.Stream(fn, 'Other'), { startingPosition: START }))],
  ['another function', (fn, { streamArn }) => mapping(fn, streamArn, makeFunction(new Stack(Stack.of(fn).node.scope as App, 'Other', { env }), 'Fn').functionName)],
  ['another function by its name', (fn, { streamArn }) => mapping(fn, streamArn, 'reader2')],
  ['a stream of that name elsewhere', (fn) => mapping(fn, ARN.replace('us-east-1', 'eu-west-1')), given],
  ['a stream of that name in another account', (fn) => mapping(fn, ARN.replace('123456789012', '210987654321')), given],
  ['another consumer', (fn) => mapping(fn, `${ARN}2/consumer/c:1700000000`), given],
];

function make(props?: (stack: Stack) => KinesisTelemetryExtensionProps) {
  const app = makeApp();
  const stack = new Stack(app, 'Test', { env });
  const extension = makeExtension(props?.(stack), new Stack(app, 'Shared', { env }));
  return { stack, extension, fn: makeFunction(stack, 'Fn', { functionName: 'reader' }) };
}

/** How many layers the function has, and whether there was a warning of a loop. */
function outcome(stack: Stack): [number, string[]] {
  const functions = Object.values(Template.fromStack(stack).findResources('AWS::Lambda::Function', { Properties: { FunctionName: 'reader' } }));
  const warnings = Annotations.fromStack(stack).findWarning('*', Match.stringLikeRegexp('it reads the stream'));
  return [functions[0].Properties.Layers?.length ?? 0, warnings.map(({ id, entry }) => `${id} ${String(entry.data).split(':')[0]}`)];
}

describe('a function that reads the stream', () => {
  const LEFT = [0, ['/Test/Fn Not attached']];
  const WARNED = [1, ['/Test/Fn Attached to the Kinesis telemetry extension, but it reads the stream, so that the telemetry of each invocation would cause the next, without end']];
  for (const [name, link, props] of LOOPS) {
    it(`by ${name}: is left alone by attachToAll`, () => {
      const { stack, extension, fn } = make(props);
      extension.attachToAll(stack);
      link(fn, extension.stream);
      assert.deepEqual(outcome(stack), LEFT);
    });

    it(`by ${name}: is warned of when attached by hand, before or after`, () => {
      for (const order of ['before', 'after']) {
        const { stack, extension, fn } = make(props);
        const steps = [() => extension.attachTo(fn), () => link(fn, extension.stream)];
        (order === 'before' ? steps : steps.reverse()).forEach((step) => step());
        assert.deepEqual(outcome(stack), WARNED, order);
      }
    });
  }

  it('by what an Aspect adds later on: is warned of', () => {
    const { stack, extension, fn } = make();
    extension.attachToAll(stack);
    Aspects.of(fn).add({ visit: (node) => node === fn && !stack.node.tryFindChild('Mapping') && void mapping(fn, extension.stream.streamArn) });
    assert.deepEqual(outcome(stack), WARNED);
  });

  for (const [name, link, props] of OTHERS) {
    it(`${name}: is attached without a word`, () => {
      const { stack, extension, fn } = make(props);
      extension.attachToAll(stack);
      link(fn, extension.stream);
      assert.deepEqual(outcome(stack), [1, []]);
    });
  }
});

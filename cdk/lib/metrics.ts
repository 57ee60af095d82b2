import { Duration, Stack, Token } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as actions from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as kinesis from 'aws-cdk-lib/aws-kinesis';
import * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { requireSameEnvironment } from './environment';
import { DURATION, FLAG, having, listOf, NUMBER, requireKinds, TEXT } from './kinds';
import { requireThat } from './validation';

/** The CloudWatch namespace of the extension's metrics; their one dimension is `FunctionName`. */
export const METRICS_NAMESPACE = 'KinesisTelemetryExtension';

/** What the extension publishes with `MetricsFormat.EMF`. See src/protocol/ledger.c. */
export const METRICS = [
  'Received',
  'Delivered',
  'DeadLettered',
  'Retried',
  'DuplicatesPossible',
  'Repeated',
  'Dropped',
  'Filtered',
  'PlatformDropped',
  'BytesDelivered',
  'Records',
  'PayloadBytes',
  'Units',
  'Requests',
  'Connections',
  'Handshakes',
  'BreakerOpenings',
  'Queued',
] as const;

/** The name of a metric of the extension. */
export type MetricName = (typeof METRICS)[number];

/** Alarms of the construct. */
export interface AlarmOptions {
  /**
   * Where they are announced.
   *
   * @default - nowhere
   */
  readonly topic?: sns.ITopic;

  /**
   * What else they do, when they begin.
   *
   * @default - nothing
   */
  readonly actions?: cloudwatch.IAlarmAction[];

  /**
   * Time over which events are added up.
   *
   * @default Duration.minutes(5)
   */
  readonly period?: Duration;

  /**
   * How many periods in a row have to have events.
   *
   * @default 1
   */
  readonly evaluationPeriods?: number;

  /**
   * The share of records that the stream may throttle within a period, in percent. Each is sent again,
   * up to `maxAttempts` times: of those that are throttled once in ten, one in 100,000 is throttled
   * five times in a row.
   *
   * @default 10
   */
  readonly throttledPercent?: number;

  /**
   * Whether the stream is watched too, and not the functions alone. Its metrics are in its own account
   * and region: there, and nowhere else, alarms on them come to see anything.
   *
   * @default true
   */
  readonly watchStream?: boolean;
}

/** The dashboard of the construct. */
export interface DashboardOptions {
  /**
   * Its name.
   *
   * @default - made by CloudFormation
   */
  readonly name?: string;

  /**
   * Time that one point of a graph stands for.
   *
   * @default Duration.minutes(1)
   */
  readonly period?: Duration;

  /**
   * Whether the stream is shown too, and not the functions alone. Its metrics are in its own account and
   * region.
   *
   * @default true
   */
  readonly watchStream?: boolean;
}

/** The alarms that a construct made. */
export interface ExtensionAlarms {
  /** The stream refuses writes, by whomever, since they exceed its throughput; with `watchStream`. */
  readonly streamThrottled?: cloudwatch.Alarm;
  /** Records of PutRecords calls are refused for that reason; with `watchStream`. */
  readonly recordsThrottled?: cloudwatch.Alarm;
  /** The extension dropped records of some function. */
  readonly recordsDropped: cloudwatch.Alarm;
  /** Lambda dropped records of some function before the extension saw them. */
  readonly platformDropped: cloudwatch.Alarm;
  /** Records of some function went to the dead letter. */
  readonly deadLettered: cloudwatch.Alarm;
  /** The circuit breaker of some function opened: Kinesis cannot be reached, or refuses everything. */
  readonly breakerOpened: cloudwatch.Alarm;
}

/**
 * One alarm for each way in which records come to harm. A single event is enough, but for throttling:
 * what is refused so is sent again, and a stream on demand grows by refusing some for a while.
 */
export function makeAlarms(scope: Construct, stream: kinesis.IStream, options: AlarmOptions): ExtensionAlarms {
  checkAlarms(options);
  const period = options.period ?? Duration.minutes(5);
  const watchStream = options.watchStream ?? true;
  if (watchStream) {
    checkWatched('alarms', scope, stream);
  }
  const make = (id: string, alarmDescription: string, metric: cloudwatch.IMetric, threshold = 0): cloudwatch.Alarm => {
    const alarm = new cloudwatch.Alarm(scope, id, {
      alarmDescription,
      metric,
      threshold,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: options.evaluationPeriods ?? 1,
      // No events, no data: that is how it should be.
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(...(options.topic ? [new actions.SnsAction(options.topic)] : []), ...(options.actions ?? []));
    return alarm;
  };
  const throttled = (id: string, alarmDescription: string, refused: string, accepted: string) =>
    watchStream ? make(id, alarmDescription, share(stream, refused, accepted, period), options.throttledPercent ?? 10) : undefined;
  return {
    streamThrottled: throttled(
      'StreamThrottledAlarm',
      'Writes to the telemetry stream exceed its throughput',
      'WriteProvisionedThroughputExceeded',
      'IncomingRecords',
    ),
    recordsThrottled: throttled(
      'RecordsThrottledAlarm',
      'Records of PutRecords calls to the telemetry stream are throttled',
      'PutRecords.ThrottledRecords',
      'PutRecords.SuccessfulRecords',
    ),
    recordsDropped: make(
      'RecordsDroppedAlarm',
      'The telemetry extension of a function dropped records',
      sumOverFunctions('Dropped', period),
    ),
    platformDropped: make(
      'PlatformDroppedAlarm',
      'Lambda dropped telemetry of a function before the extension received it',
      sumOverFunctions('PlatformDropped', period),
    ),
    deadLettered: make(
      'DeadLetteredAlarm',
      'Telemetry records of a function went to the dead letter',
      sumOverFunctions('DeadLettered', period),
    ),
    breakerOpened: make(
      'BreakerOpenedAlarm',
      'The telemetry extension of a function has stopped sending: Kinesis cannot be reached, or refuses everything',
      sumOverFunctions('BreakerOpenings', period),
    ),
  };
}

function checkAlarms(options: AlarmOptions): void {
  requireKinds(
    options,
    {
      topic: having('topicArn', 'an sns.ITopic, as Topic.fromTopicArn() makes it'),
      actions: listOf(having('bind', 'an alarm action, as SnsAction')),
      period: DURATION,
      evaluationPeriods: NUMBER,
      throttledPercent: NUMBER,
      watchStream: FLAG,
    },
    'alarms.',
  );
  const { evaluationPeriods = 1, throttledPercent = 10 } = options;
  requireThat(
    Token.isUnresolved(evaluationPeriods) || (Number.isInteger(evaluationPeriods) && evaluationPeriods >= 1),
    `alarms.evaluationPeriods: a whole number from 1, not ${evaluationPeriods}`,
  );
  requireThat(
    Token.isUnresolved(throttledPercent) || (throttledPercent >= 0 && throttledPercent < 100),
    `alarms.throttledPercent: from 0 to less than 100, not ${throttledPercent}`,
  );
}

function checkWatched(what: string, scope: Construct, stream: kinesis.IStream): void {
  const { account, region } = stream.env;
  requireSameEnvironment(
    scope,
    stream.env,
    `${what}: the metrics of a stream are in its own account and region, here ${account} ${region}, and cannot be watched from elsewhere: leave them out by watchStream: false (context ${what}=functions), and watch the stream there`,
  );
}

/** All of the extension's metrics, a line for each function, and what the stream says of itself. */
export function makeDashboard(
  scope: Construct,
  stream: kinesis.IStream,
  options: DashboardOptions,
): cloudwatch.Dashboard {
  requireKinds(options, { name: TEXT, period: DURATION, watchStream: FLAG }, 'dashboard.');
  const period = options.period ?? Duration.minutes(1);
  const watchStream = options.watchStream ?? true;
  if (watchStream) {
    checkWatched('dashboard', scope, stream);
  }
  const graph = (title: string, left: cloudwatch.IMetric[]) =>
    new cloudwatch.GraphWidget({ title, left, width: 8, height: 6, region: Stack.of(scope).region });
  const functions = (title: string, ...names: MetricName[]) =>
    graph(title, names.map((name) => byFunction(name, period)));
  const ofStream = (title: string, statistic: string, ...names: string[]) =>
    graph(title, names.map((name) => streamMetric(stream, name, statistic, period)));
  const streamRows = () => [
    [
      ofStream('Stream: records', 'Sum', 'IncomingRecords', 'PutRecords.SuccessfulRecords'),
      ofStream('Stream: bytes', 'Sum', 'IncomingBytes'),
      ofStream('Stream: refused', 'Sum', 'WriteProvisionedThroughputExceeded', 'PutRecords.ThrottledRecords', 'PutRecords.FailedRecords'),
    ],
    [
      ofStream('Stream: PutRecords latency', 'Average', 'PutRecords.Latency'),
      ofStream('Stream: age of what is read', 'Maximum', 'GetRecords.IteratorAgeMilliseconds'),
    ],
  ];
  return new cloudwatch.Dashboard(scope, 'Dashboard', {
    dashboardName: options.name,
    widgets: [
      [functions('Events', 'Received', 'Delivered', 'Filtered'), functions('Bytes delivered', 'BytesDelivered', 'PayloadBytes'), functions('Queued', 'Queued')],
      [functions('Lost', 'Dropped', 'PlatformDropped'), functions('Dead letters', 'DeadLettered'), functions('Sent again', 'Retried', 'DuplicatesPossible', 'Repeated')],
      [functions('Requests, records, billed KiB', 'Requests', 'Records', 'Units'), functions('Connections', 'Connections', 'Handshakes'), functions('Circuit breaker', 'BreakerOpenings')],
      ...(watchStream ? streamRows() : []),
    ],
  });
}

function streamMetric(stream: kinesis.IStream, name: string, statistic: string, period: Duration): cloudwatch.Metric {
  return stream.metric(name, { statistic, period });
}

/** How many in a hundred are refused; nothing where there was none. */
function share(stream: kinesis.IStream, refused: string, accepted: string, period: Duration): cloudwatch.IMetric {
  return new cloudwatch.MathExpression({
    // Where all are refused there is no data of the others.
    expression: '100 * refused / (refused + FILL(accepted, 0))',
    usingMetrics: {
      refused: streamMetric(stream, refused, 'Sum', period),
      accepted: streamMetric(stream, accepted, 'Sum', period),
    },
    label: `${refused}, %`,
    period,
  });
}

/** Added up over all functions. An alarm takes no SEARCH, and functions come and go: hence a query. */
function sumOverFunctions(name: MetricName, period: Duration): cloudwatch.IMetric {
  return new cloudwatch.MathExpression({
    expression: `SELECT SUM(${name}) FROM SCHEMA(${METRICS_NAMESPACE}, FunctionName)`,
    label: name,
    period,
  });
}

/** A line for each function that there is when the dashboard is looked at. */
function byFunction(name: MetricName, period: Duration): cloudwatch.IMetric {
  const statistic = name === 'Queued' ? 'Maximum' : 'Sum';
  return new cloudwatch.MathExpression({
    expression: `SEARCH('{${METRICS_NAMESPACE},FunctionName} MetricName="${name}"', '${statistic}', ${period.toSeconds()})`,
    label: `${name} \${PROP('Dim.FunctionName')}`,
    period,
  });
}

import { Duration, Stack } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as actions from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as kinesis from 'aws-cdk-lib/aws-kinesis';
import * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';

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
  'PlatformDropped',
  'BytesDelivered',
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
}

/** The alarms that a construct made. */
export interface ExtensionAlarms {
  /** Writes to the stream, by whomever, were refused since its throughput was exceeded. */
  readonly streamThrottled: cloudwatch.Alarm;
  /** Records of PutRecords calls were refused for that reason. */
  readonly recordsThrottled: cloudwatch.Alarm;
  /** The extension dropped records of some function. */
  readonly recordsDropped: cloudwatch.Alarm;
  /** Lambda dropped records of some function before the extension saw them. */
  readonly platformDropped: cloudwatch.Alarm;
  /** Records of some function went to the dead letter. */
  readonly deadLettered: cloudwatch.Alarm;
}

/** One alarm for each way in which records come to harm: a single event is enough. */
export function makeAlarms(scope: Construct, stream: kinesis.IStream, options: AlarmOptions): ExtensionAlarms {
  const period = options.period ?? Duration.minutes(5);
  const make = (id: string, alarmDescription: string, metric: cloudwatch.IMetric): cloudwatch.Alarm => {
    const alarm = new cloudwatch.Alarm(scope, id, {
      alarmDescription,
      metric,
      threshold: 0,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: options.evaluationPeriods ?? 1,
      // No events, no data: that is how it should be.
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(...(options.topic ? [new actions.SnsAction(options.topic)] : []), ...(options.actions ?? []));
    return alarm;
  };
  return {
    streamThrottled: make(
      'StreamThrottledAlarm',
      'Writes to the telemetry stream exceed its throughput',
      streamMetric(stream, 'WriteProvisionedThroughputExceeded', 'Sum', period),
    ),
    recordsThrottled: make(
      'RecordsThrottledAlarm',
      'Records of PutRecords calls to the telemetry stream are throttled',
      streamMetric(stream, 'PutRecords.ThrottledRecords', 'Sum', period),
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
  };
}

/** All of the extension's metrics, a line for each function, and what the stream says of itself. */
export function makeDashboard(
  scope: Construct,
  stream: kinesis.IStream,
  options: DashboardOptions,
): cloudwatch.Dashboard {
  const period = options.period ?? Duration.minutes(1);
  const graph = (title: string, left: cloudwatch.IMetric[]) =>
    new cloudwatch.GraphWidget({ title, left, width: 8, height: 6, region: Stack.of(scope).region });
  const functions = (title: string, ...names: MetricName[]) =>
    graph(title, names.map((name) => byFunction(name, period)));
  const ofStream = (title: string, statistic: string, ...names: string[]) =>
    graph(title, names.map((name) => streamMetric(stream, name, statistic, period)));
  return new cloudwatch.Dashboard(scope, 'Dashboard', {
    dashboardName: options.name,
    widgets: [
      [functions('Records', 'Received', 'Delivered'), functions('Bytes delivered', 'BytesDelivered'), functions('Queued', 'Queued')],
      [functions('Lost', 'Dropped', 'PlatformDropped'), functions('Dead letters', 'DeadLettered'), functions('Sent again', 'Retried', 'DuplicatesPossible')],
      [functions('Requests', 'Requests'), functions('Connections', 'Connections', 'Handshakes'), functions('Circuit breaker', 'BreakerOpenings')],
      [
        ofStream('Stream: records', 'Sum', 'IncomingRecords', 'PutRecords.SuccessfulRecords'),
        ofStream('Stream: bytes', 'Sum', 'IncomingBytes'),
        ofStream('Stream: refused', 'Sum', 'WriteProvisionedThroughputExceeded', 'PutRecords.ThrottledRecords', 'PutRecords.FailedRecords'),
      ],
      [
        ofStream('Stream: PutRecords latency', 'Average', 'PutRecords.Latency'),
        ofStream('Stream: age of what is read', 'Maximum', 'GetRecords.IteratorAgeMilliseconds'),
      ],
    ],
  });
}

function streamMetric(stream: kinesis.IStream, name: string, statistic: string, period: Duration): cloudwatch.Metric {
  return stream.metric(name, { statistic, period });
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

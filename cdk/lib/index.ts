export { AttachKinesisTelemetry, AttachKinesisTelemetryProps } from './attach-aspect';
export { IKinesisTelemetryExtension } from './attachable';
export { DeadLetter, DeadLetterBucketOptions } from './dead-letter';
export { BucketDeliveryOptions, DeliveryCompression, DeliveryOptions, TableDeliveryOptions } from './delivery';
export * from './kinesis-telemetry-extension';
export { EXTENSION_NAME, ExtensionLayer, ExtensionLayerProps, LayerPackaging, LISTED_RUNTIMES } from './layer';
export { AlarmOptions, DashboardOptions, ExtensionAlarms, MetricName, METRICS, METRICS_NAMESPACE } from './metrics';
export {
  Aggregation,
  Compression,
  DropPolicy,
  FlushPolicy,
  LineLevel,
  LogLevel,
  MetricsFormat,
  OversizePolicy,
  PartitionKey,
  RecordFormat,
  SystemLevel,
  TelemetrySettings,
  TelemetryType,
  WireForm,
} from './settings';
export * from './stack-props';
export { NewStreamProps, RecordDistribution } from './stream';
export * from './telemetry-api-kinesis-extension-stack';
export { ConfigurationError } from './validation';

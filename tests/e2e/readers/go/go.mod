// Pins AWS's library for Lambda functions in Go, one of the readers of CloudWatch Logs' messages.
module kinesis-telemetry-tests-readers

go 1.26.6

require github.com/aws/aws-lambda-go v1.55.1

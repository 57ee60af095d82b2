"""What an app in Python does beyond the README's: props of each kind, the Aspect, a value that is refused."""

import json
import sys

from aws_cdk import App, Duration, RemovalPolicy, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import custom_resources as cr
from kinesis_telemetry_api_extension import (
    AlarmOptions,
    DeadLetterBucketOptions,
    KinesisTelemetryExtension,
    PartitionKey,
    RecordFormat,
    TelemetrySettings,
    TelemetryType,
)

app = App()
stack = Stack(app, "More")


def function(name: str) -> lambda_.Function:
    return lambda_.Function(
        stack,
        name,
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="app.handler",
        code=lambda_.Code.from_inline("def handler(event, context): print(event)"),
    )


left = function("Left")
attached = function("Attached")
call = cr.AwsSdkCall(service="S3", action="listBuckets", physical_resource_id=cr.PhysicalResourceId.of("x"))
cr.AwsCustomResource(
    stack, "OfTheCdk", on_create=call, policy=cr.AwsCustomResourcePolicy.from_sdk_calls(resources=["*"])
)
telemetry = KinesisTelemetryExtension(
    stack,
    "Telemetry",
    record_format=RecordFormat.ENRICHED,
    types=[TelemetryType.PLATFORM, TelemetryType.FUNCTION],
    partition_key=PartitionKey.fixed("orders"),
    flush_budget=Duration.millis(300),
    removal_policy=RemovalPolicy.DESTROY,
    dead_letter_bucket=DeadLetterBucketOptions(prefix="lost"),
    alarms=AlarmOptions(throttled_percent=5),
)
telemetry.attach_to_all(stack, exclude_scopes=[left], settings=TelemetrySettings(redact=["password"]))
try:
    telemetry.attach_to(attached, flush_budget=Duration.hours(2))
except RuntimeError as error:
    refused = str(error)
app.synth()
json.dump({"refused": refused, "alarm": telemetry.alarms.records_dropped.node.id}, sys.stdout)

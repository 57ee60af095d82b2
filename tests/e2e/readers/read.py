"""Records of a stream, one a line in base64, as Powertools for AWS Lambda reads them: a log event a line, as JSON.

read.py classes   by the data classes
read.py parser    by the parser, strictly
"""
import json
import sys

RECORD = {
    "eventSource": "aws:kinesis", "eventVersion": "1.0", "eventName": "aws:kinesis:record", "awsRegion": "us-east-1",
    "eventID": "shardId-000000000006:49590338271490256608559692538361571095921575989136588898",
    "invokeIdentityArn": "arn:aws:iam::123456789012:role/consumer",
    "eventSourceARN": "arn:aws:kinesis:us-east-1:123456789012:stream/logs",
}


def tell(message, event, at):
    print(json.dumps([event.id if hasattr(event, "id") else event.get_id, at, event.message,
                      message.owner, *names(message)]))


def names(message):
    if hasattr(message, "log_group"):
        return message.message_type, message.log_group, message.log_stream, message.subscription_filters
    return message.messageType, message.logGroup, message.logStream, message.subscriptionFilters


def by_classes(event):
    from aws_lambda_powertools.utilities.data_classes.kinesis_stream_event import (
        KinesisStreamEvent, extract_cloudwatch_logs_from_event)

    for message in extract_cloudwatch_logs_from_event(KinesisStreamEvent(event)):
        for one in message.log_events:
            tell(message, one, one.timestamp)


def by_parser(event):
    from aws_lambda_powertools.utilities.parser.models.kinesis import (
        KinesisDataStreamModel, extract_cloudwatch_logs_from_event)

    for message in extract_cloudwatch_logs_from_event(KinesisDataStreamModel.model_validate(event)):
        for one in message.logEvents:
            tell(message, one, round(one.timestamp.timestamp() * 1000))


def main():
    records = [
        {**RECORD, "kinesis": {
            "kinesisSchemaVersion": "1.0", "partitionKey": "key", "sequenceNumber": str(i), "data": line.strip(),
            "approximateArrivalTimestamp": 1795000000.0}}
        for i, line in enumerate(sys.stdin)]
    {"classes": by_classes, "parser": by_parser}[sys.argv[1]]({"Records": records})


main()

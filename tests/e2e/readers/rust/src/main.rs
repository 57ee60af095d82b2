// Records of a stream, one a line in base64, as AWS's events for Lambda functions in Rust read them: a log event a line,
// as JSON.
use aws_lambda_events::event::cloudwatch_logs::LogsEvent;
use serde_json::json;
use std::io::{stdin, stdout, BufRead, BufWriter, Write};

fn main() {
    let mut told = BufWriter::new(stdout());
    for line in stdin().lock().lines() {
        let text = json!({"awslogs": {"data": line.unwrap()}}).to_string();
        let event: LogsEvent = serde_json::from_str(&text).unwrap();
        let message = event.aws_logs.data;
        for one in message.log_events {
            let told_of = json!([one.id, one.timestamp, one.message, message.owner, message.message_type,
                message.log_group, message.log_stream, message.subscription_filters]);
            writeln!(told, "{told_of}").unwrap();
        }
    }
}

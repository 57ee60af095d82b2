//! What the extension is measured against, in Rust: the AWS SDK's client, and AWS's crate for extensions.
//!
//! The three rivals do the same. Function events are queued as they come in; 500 are sent at once, the
//! rest when the function has ended (`platform.runtimeDone`), before the next event is asked for.
//!
//! The crate subscribes with schema 2022-07-01, in which a function's record is always a string.

mod shipper;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lambda_extension::{
    Error, Extension, LambdaEvent, LambdaTelemetry, LambdaTelemetryRecord, LogBuffering, NextEvent, SharedService,
    service_fn, tracing,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use shipper::Shipper;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{sleep, timeout};

const BUFFERING: LogBuffering = LogBuffering { timeout_ms: 25, max_bytes: 1_048_576, max_items: 10_000 };
/// Two of the shortest buffering times: what the platform still has arrives within.
const GRACE: Duration = Duration::from_millis(50);
/// Left of a deadline for what comes after the flush.
const MARGIN: Duration = Duration::from_millis(200);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let port = setting("TELEMETRY_LISTENER_PORT", "4243").parse()?;
    let shipper = Arc::new(Shipper::new(setting("KINESIS_STREAM_NAME", "telemetry-kinesis-stream")).await);
    let (done, runtime_done) = unbounded_channel();
    let (lifecycle, runtime_done) = (shipper.clone(), Arc::new(Mutex::new(runtime_done)));

    Extension::new()
        .with_events(&["INVOKE", "SHUTDOWN"])
        .with_events_processor(service_fn(move |event| next(event, lifecycle.clone(), runtime_done.clone())))
        .with_telemetry_types(&["platform", "function"])
        .with_telemetry_buffering(BUFFERING)
        .with_telemetry_port_number(port)
        .with_telemetry_processor(SharedService::new(service_fn(move |events| {
            take(events, &shipper, &done);
            std::future::ready(Ok::<(), Error>(()))
        })))
        .run()
        .await
}

fn setting(name: &str, usual: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| usual.into())
}

fn take(events: Vec<LambdaTelemetry>, shipper: &Arc<Shipper>, done: &UnboundedSender<String>) {
    for event in events {
        match event.record {
            LambdaTelemetryRecord::Function(record) => shipper.add(data(&record)),
            LambdaTelemetryRecord::PlatformRuntimeDone { request_id, .. } => {
                let _ = done.send(request_id); // nobody waits after SHUTDOWN
            }
            _ => {}
        }
    }
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    message: Option<&'a RawValue>,
}

/// The message of a record that is an object and has one; otherwise the record. A text is a JSON string.
fn data(record: &str) -> Vec<u8> {
    let object = record.starts_with('{').then(|| serde_json::from_str::<Message>(record));
    match object {
        Some(Ok(Message { message: Some(message) })) => message.get().into(),
        Some(Ok(_)) => record.into(),
        _ => serde_json::to_vec(record).expect("a string is JSON"),
    }
}

async fn next(
    event: LambdaEvent,
    shipper: Arc<Shipper>,
    done: Arc<Mutex<UnboundedReceiver<String>>>,
) -> Result<(), Error> {
    match event.next {
        NextEvent::Invoke(invoke) => {
            let deadline = UNIX_EPOCH + Duration::from_millis(invoke.deadline_ms);
            shipper.set_deadline(deadline - MARGIN);
            runtime_done(&mut *done.lock().await, &invoke.request_id, deadline).await;
            shipper.flush().await;
            Ok(())
        }
        NextEvent::Shutdown(shutdown) => {
            shipper.set_deadline(UNIX_EPOCH + Duration::from_millis(shutdown.deadline_ms) - MARGIN);
            sleep(GRACE).await;
            shipper.flush().await;
            shipper.end();
            std::process::exit(0) // the crate would ask for another event
        }
    }
}

/// The platform need not keep its word: at the deadline it is waited for no longer.
async fn runtime_done(done: &mut UnboundedReceiver<String>, request_id: &str, deadline: SystemTime) {
    let left = deadline.duration_since(SystemTime::now()).unwrap_or_default();
    let _ = timeout(left, async { while done.recv().await.is_some_and(|id| id != request_id) {} }).await;
}

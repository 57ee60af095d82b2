//! The queue, and `PutRecords`. One call at a time; what a call did not deliver stays in the queue, in
//! front. What leaves the queue in another way is told.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use aws_config::BehaviorVersion;
use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::error::DisplayErrorContext;
use aws_sdk_kinesis::operation::put_records::PutRecordsOutput;
use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::PutRecordsRequestEntry;
use lambda_extension::tracing::error;
use tokio::sync::OwnedMutexGuard;
use tokio::time::{sleep, timeout};

const BATCH_RECORDS: usize = 500;
const BATCH_BYTES: usize = 5 * 1024 * 1024;
const RECORD_BYTES: usize = 1024 * 1024;
const QUEUE_RECORDS: usize = 100_000;
const KEY_BYTES: usize = 8;
const INIT: Duration = Duration::from_secs(10);

/// Calls in a row that delivered nothing or less than all, before the queue is left for the next flush.
const ATTEMPTS: u32 = 5;
const BACKOFF: Duration = Duration::from_millis(50);

pub struct Shipper {
    client: Client,
    stream: String,
    /// Held while a call is under way.
    sending: Arc<tokio::sync::Mutex<()>>,
    state: Mutex<State>,
}

struct State {
    queue: Vec<PutRecordsRequestEntry>,
    deadline: SystemTime,
}

impl Shipper {
    pub async fn new(stream: String) -> Self {
        let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
        let state = State { queue: Vec::new(), deadline: SystemTime::now() + INIT };
        let sending = Arc::default();
        Self { client: Client::new(&config), stream, sending, state: Mutex::new(state) }
    }

    /// No call lasts longer than this. Whoever waits for a flush sets it.
    pub fn set_deadline(&self, deadline: SystemTime) {
        self.state().deadline = deadline;
    }

    pub fn add(self: &Arc<Self>, data: Vec<u8>) {
        let queued = {
            let mut state = self.state();
            if data.len() + KEY_BYTES > RECORD_BYTES || state.queue.len() >= QUEUE_RECORDS {
                error!("kinesis: a record of {} bytes lost: too large, or the queue is full", data.len());
                return;
            }
            state.queue.push(entry(data));
            state.queue.len()
        };
        if queued < BATCH_RECORDS {
            return;
        }
        if let Ok(sending) = self.sending.clone().try_lock_owned() {
            let shipper = self.clone();
            tokio::spawn(async move { shipper.send(BATCH_RECORDS, sending).await });
        }
    }

    /// Sends all that is queued; what Kinesis does not take by the deadline stays.
    pub async fn flush(&self) {
        self.send(1, self.sending.clone().lock_owned().await).await;
    }

    pub fn end(&self) {
        let left = self.state().queue.len();
        if left > 0 {
            error!("kinesis: {left} records lost: not delivered by the end");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics while holding it")
    }

    /// While `least` records are queued.
    async fn send(&self, least: usize, _sending: OwnedMutexGuard<()>) {
        let mut failures = 0;
        while failures < ATTEMPTS {
            let (batch, deadline) = self.next(least);
            if batch.is_empty() || left(deadline).is_zero() {
                return;
            }
            if failures > 0 {
                let wait = (BACKOFF * 2u32.pow(failures)).mul_f64(fastrand::f64());
                sleep(wait.min(left(deadline))).await;
            }
            let sent = batch.len();
            let failed = self.put(batch, left(deadline)).await;
            self.remove_delivered(sent, &failed);
            failures = if failed.contains(&true) { failures + 1 } else { 0 };
        }
    }

    /// The records of the next call, none when fewer than `least` are queued, and the deadline. They stay
    /// in the queue.
    fn next(&self, least: usize) -> (Vec<PutRecordsRequestEntry>, SystemTime) {
        let state = self.state();
        if state.queue.len() < least {
            return (Vec::new(), state.deadline);
        }
        let mut bytes = 0;
        let fitting = state.queue.iter().take(BATCH_RECORDS).take_while(|one| {
            bytes += one.data().as_ref().len() + KEY_BYTES;
            bytes <= BATCH_BYTES
        });
        (fitting.cloned().collect(), state.deadline)
    }

    /// For each record of the batch, whether it was not delivered. Retries of whole calls are the SDK's.
    async fn put(&self, batch: Vec<PutRecordsRequestEntry>, time: Duration) -> Vec<bool> {
        let sent = batch.len();
        let call = self.client.put_records().stream_name(&self.stream).set_records(Some(batch)).send();
        match timeout(time, call).await {
            Ok(Ok(reply)) => failed(&reply),
            Ok(Err(error)) => {
                error!("kinesis: {}", DisplayErrorContext(&error));
                vec![true; sent]
            }
            Err(_) => {
                error!("kinesis: no reply in time");
                vec![true; sent]
            }
        }
    }

    /// Of the first `sent` records those stay that failed.
    fn remove_delivered(&self, sent: usize, failed: &[bool]) {
        let mut index = 0;
        self.state().queue.retain(|_| {
            index += 1;
            index > sent || failed.get(index - 1).is_none_or(|failed| *failed)
        });
    }
}

fn left(deadline: SystemTime) -> Duration {
    deadline.duration_since(SystemTime::now()).unwrap_or_default()
}

fn entry(data: Vec<u8>) -> PutRecordsRequestEntry {
    PutRecordsRequestEntry::builder()
        .data(Blob::new(data))
        .partition_key(format!("{:08x}", fastrand::u32(..)))
        .build()
        .expect("it has data and key")
}

fn failed(reply: &PutRecordsOutput) -> Vec<bool> {
    reply.records().iter().map(|one| one.error_code().is_some()).collect()
}

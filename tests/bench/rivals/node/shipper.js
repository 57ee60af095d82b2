/*
 * The queue, and PutRecords. One call at a time; what a call did not deliver stays in the queue, in
 * front. What leaves the queue in another way is told.
 */
import { randomBytes } from 'node:crypto';
import { Agent } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';

const BATCH_RECORDS = 500;
const BATCH_BYTES = 5 * 1024 * 1024;
const RECORD_BYTES = 1024 * 1024;
const QUEUE_RECORDS = 100_000;
/* Calls in a row that delivered nothing or less than all, before the queue is left for the next flush. */
const ATTEMPTS = 5;
const BACKOFF_MS = 50;

const KEY_BYTES = 8;
const INIT_MS = 10_000;

export class Shipper {
  #client = new KinesisClient({
    /* The client's own handler is for HTTP/2. */
    requestHandler: new NodeHttpHandler({ httpsAgent: new Agent({ keepAlive: true, maxSockets: 1 }) })
  });

  #stream;
  #queue = [];
  #sending = null;

  /* No call lasts longer than this, by the machine's clock. Whoever waits for a flush sets it. */
  deadlineMs = Date.now() + INIT_MS;

  constructor(stream) {
    this.#stream = stream;
  }

  add(text) {
    const Data = Buffer.from(text);
    if (Data.length + KEY_BYTES > RECORD_BYTES || this.#queue.length >= QUEUE_RECORDS) {
      console.error(`kinesis: a record of ${Data.length} bytes lost: too large, or the queue is full`);
      return;
    }
    this.#queue.push({ Data, PartitionKey: randomBytes(KEY_BYTES / 2).toString('hex') });
    if (this.#queue.length >= BATCH_RECORDS) {
      this.#sending ??= this.#send(BATCH_RECORDS);
    }
  }

  /* Sends all that is queued; what Kinesis does not take by the deadline stays. */
  async flush() {
    await this.#sending;
    if (this.#queue.length > 0) {
      await (this.#sending = this.#send(1));
    }
  }

  end() {
    if (this.#queue.length > 0) {
      console.error(`kinesis: ${this.#queue.length} records lost: not delivered by the end`);
    }
  }

  /* While `least` records are queued. */
  async #send(least) {
    let failures = 0;
    while (this.#queue.length >= least && failures < ATTEMPTS && Date.now() < this.deadlineMs) {
      if (failures > 0) {
        await sleep(Math.min(Math.random() * BACKOFF_MS * 2 ** failures, this.deadlineMs - Date.now()));
      }
      failures = await this.#sendBatch() ? 0 : failures + 1;
    }
    this.#sending = null;
  }

  /* Whether all of it was delivered. */
  async #sendBatch() {
    const batch = this.#queue.slice(0, this.#batchLength());
    const abortSignal = AbortSignal.timeout(Math.max(this.deadlineMs - Date.now(), 0));
    let left = batch;
    try {
      /* Retries of whole calls are the SDK's. */
      const command = new PutRecordsCommand({ StreamName: this.#stream, Records: batch });
      const { Records } = await this.#client.send(command, { abortSignal });
      left = batch.filter((_, i) => Records[i].ErrorCode);
    } catch (error) {
      console.error(`kinesis: ${error.name}: ${error.message}`);
    }
    this.#queue.splice(0, batch.length, ...left);
    return left.length === 0;
  }

  #batchLength() {
    let bytes = 0;
    const first = this.#queue.slice(0, BATCH_RECORDS);
    const over = first.findIndex(({ Data }) => (bytes += Data.length + KEY_BYTES) > BATCH_BYTES);
    return over === -1 ? first.length : over;
  }
}

/*
 * The shards of a stream that throttles, as a fault of a front (front.mjs): the records that a shard does not take
 * fail with ProvisionedThroughputExceededException, and what it takes goes its usual way.
 *
 *   const shards = new Shards(4);
 *   front.fault = shards.fault({ latencyMs: 20 });
 *   shards.sent, shards.accepted     records so far
 *   shards.offered                   how many the shards could have taken since the first call, at its full length
 *
 * Source: Kinesis quotas: each shard takes 1,000 records and 1 MB a second; as much at once as in a second.
 */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { THROTTLED } from './faults.mjs';
import { recordBytes } from './put_records.mjs';

const RECORDS = 1_000;
const BYTES = 1_048_576;
const SECOND_MS = 1_000;

class Shard {
  #filled = performance.now();

  constructor() {
    Object.assign(this, { records: RECORDS, bytes: BYTES, offered: RECORDS });
  }

  /* What has become free since the last time; no more than the bucket holds. */
  fill() {
    const now = performance.now();
    const share = (now - this.#filled) / SECOND_MS;
    const records = Math.min(RECORDS, this.records + RECORDS * share);
    this.offered += records - this.records;
    this.records = records;
    this.bytes = Math.min(BYTES, this.bytes + BYTES * share);
    this.#filled = now;
  }

  take(bytes) {
    if (this.records < 1 || this.bytes < bytes) {
      return false;
    }
    this.records -= 1;
    this.bytes -= bytes;
    return true;
  }
}

export class Shards {
  constructor(count) {
    this.shards = Array.from({ length: count }, () => new Shard());
    Object.assign(this, { sent: 0, accepted: 0 });
  }

  get offered() {
    return this.shards.reduce((sum, { offered }) => sum + offered, 0);
  }

  /* The hash keys, MD5 of the partition key, are dealt out in equal ranges. */
  #shardOf({ PartitionKey }) {
    const hash = createHash('md5').update(PartitionKey).digest().readUInt32BE();
    return this.shards[Math.floor(hash * this.shards.length / 2 ** 32)];
  }

  fault({ latencyMs }) {
    return async ({ call, failing }) => {
      if (latencyMs > 0) {
        await sleep(latencyMs);
      }
      this.shards.forEach((shard) => shard.fill());
      call.Records.forEach((record, index) => {
        if (!this.#shardOf(record).take(recordBytes(record))) {
          failing.set(index, THROTTLED);
        }
      });
      this.sent += call.Records.length;
      this.accepted += call.Records.length - failing.size;
      return false;
    };
  }

  /* Texts of what a client did not do right: it follows what the shards take, and nothing arrives later for it. */
  get faults() {
    const { sent, accepted, offered } = this;
    const faults = [];
    if (sent > 2.5 * accepted) {
      faults.push(`${sent} records sent for ${accepted} accepted`);
    }
    if (accepted < 0.75 * offered) {
      faults.push(`${accepted} records accepted, where ${Math.floor(offered)} could be`);
    }
    return faults;
  }
}

/*
 * The AWS SDK as a client of a local server that speaks Kinesis' protocol.
 *
 *   const streams = new Streams('http://127.0.0.1:4567');
 *   await streams.createStream('logs', 4);
 *   const records = await streams.readAll('logs');         // every shard, from TRIM_HORIZON to its end
 *   streams.close();
 */
import {
  CreateStreamCommand, DeleteStreamCommand, DescribeStreamSummaryCommand, GetRecordsCommand,
  GetShardIteratorCommand, KinesisClient, ListShardsCommand
} from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { until } from './until.mjs';

export class Streams {
  static region = 'us-east-1';
  /* kinesis-local takes an access key of 12 digits for an account id, so this one is none. */
  static credentials = { accessKeyId: 'AKIDLOCALREADER', secretAccessKey: 'reader' };

  constructor(endpoint) {
    this.client = new KinesisClient({
      region: Streams.region,
      credentials: Streams.credentials,
      endpoint,
      /* The SDK's own choice for Kinesis is HTTP/2, which plain ports do not speak. */
      requestHandler: new NodeHttpHandler()
    });
  }

  close() {
    this.client.destroy();
  }

  async createStream(name, shards = 4) {
    await this.client.send(new CreateStreamCommand({ StreamName: name, ShardCount: shards }));
    return until(`stream ${name} is active`, async () => {
      const reply = await this.client.send(new DescribeStreamSummaryCommand({ StreamName: name }));
      const summary = reply.StreamDescriptionSummary;
      return summary.StreamStatus === 'ACTIVE' && summary;
    });
  }

  async deleteStream(name) {
    await this.client.send(new DeleteStreamCommand({ StreamName: name }));
  }

  /* [{ shard, data, partitionKey, sequenceNumber }], shard after shard. */
  async readAll(name) {
    return (await this.reader(name))();
  }

  /* A function that gives the records that it has not given before, likewise. */
  async reader(name) {
    const { Shards } = await this.client.send(new ListShardsCommand({ StreamName: name }));
    const iterators = new Map();
    for (const { ShardId } of Shards) {
      const { ShardIterator } = await this.client.send(new GetShardIteratorCommand({
        StreamName: name, ShardId, ShardIteratorType: 'TRIM_HORIZON'
      }));
      iterators.set(ShardId, ShardIterator);
    }
    return async () => {
      const records = [];
      for (const shard of iterators.keys()) {
        records.push(...await this.#readShard(shard, iterators));
      }
      return records;
    };
  }

  /* To the shard's end; leaves the iterator there. */
  async #readShard(shard, iterators) {
    const records = [];
    while (iterators.get(shard)) {
      const ask = new GetRecordsCommand({ ShardIterator: iterators.get(shard), Limit: 10_000 });
      const reply = await this.client.send(ask);
      for (const record of reply.Records) {
        records.push({
          shard, data: Buffer.from(record.Data), partitionKey: record.PartitionKey,
          sequenceNumber: record.SequenceNumber
        });
      }
      iterators.set(shard, reply.NextShardIterator);
      if (reply.Records.length === 0 && !reply.MillisBehindLatest) {
        break;
      }
    }
    return records;
  }
}

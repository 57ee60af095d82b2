/*
 * POSTs that break off at a random place and are sent again, over another connection and in other pieces.
 *
 *   const { figures, complaints } = await brokenPosts(stand, { runs: 20, seed: 7 });
 *
 * The sender breaks off by a time-out (it closes), a reset, or a freeze of the extension in the midst of
 * which it closes; in half of the runs only when all that it sent has been read, so that it is known how
 * many events were taken. Now and then the second try breaks off as well. `changed`: the share of batches
 * that come again with another time in one event.
 */
import { dice } from '../../platform/dice.mjs';
import { RawClient, chunkedRequest, request } from './raw_client.mjs';
import { NAME } from './stand.mjs';
import { until } from './until.mjs';

export const LINES = 14_000;
const PATIENCE_MS = 60_000;

function event(run, i, ms = 123) {
  return `{"time":"2026-11-20T10:00:00.${ms}Z","type":"function","record":"run ${run} line ${i} ${'x'.repeat(i % 60)}"}`;
}

class Sender {
  constructor(stand, roll) {
    this.stand = stand;
    this.roll = roll;
    const { body } = stand.platform.calls.find((call) => call.name === 'subscribe');
    this.port = Number(new URL(JSON.parse(body).destination.URI).port);
    this.pid = stand.platform.pids[NAME];
  }

  pick(list) {
    return list[Math.floor(this.roll() * list.length)];
  }

  /* Writes in pieces of a random size, so that any segmentation comes. */
  async write(client, bytes) {
    const size = this.pick([1_460, 9_000, 65_536, 300_000, bytes.length]);
    for (let at = 0; at < bytes.length && !client.socket.destroyed; at += size) {
      await client.write(bytes.subarray(at, at + size));
    }
  }

  /* Sends all and requires a 200. */
  async whole(list) {
    const body = `[${list.join(',')}]`;
    const client = await RawClient.connect(this.port);
    const bytes = this.roll() < 0.5 ? request(body) : chunkedRequest(body, { size: this.pick([500, 8_000, 100_000]) });
    await this.write(client, bytes);
    await client.replies(1);
    const { statuses } = client;
    client.destroy();
    if (statuses.join() !== '200') {
      throw new Error(`answered ${statuses.join() || 'nothing'}`);
    }
  }

  /*
   * Sends a part. known: how many events of this run are in the stream before. Returns how many have been
   * taken: { least, most }.
   */
  async part(list, arrivedBefore, known) {
    const body = Buffer.from(`[${list.join(',')}]`);
    const at = 1 + Math.floor(this.roll() * (body.length - 1));
    const chunked = this.roll() < 0.3;
    const bytes = chunked ? chunkedRequest(body.subarray(0, at), { size: 4_000 }).subarray(0, -5) :
        request(body).subarray(0, request(body).length - body.length + at);
    const complete = body.subarray(0, at).toString().split('"}').length - 1;
    const taken = complete > 1 ? complete : 0; /* the first is held until the second begins */
    const settled = this.roll() < 0.5;
    const how = this.pick(['end', 'reset', 'freeze']);
    const client = await RawClient.connect(this.port);
    await this.write(client, bytes);
    if (settled && taken > known) {
      await until('what was sent is taken', () => this.stand.arrived.length >= arrivedBefore + taken - known, PATIENCE_MS);
    }
    if (how === 'freeze') {
      process.kill(this.pid, 'SIGSTOP');
      if (settled && !chunked) { /* what the sender still says before it goes is not read */
        client.socket.write(body.subarray(at, at + Math.floor((body.length - at) / 2)));
      }
      client.destroy();
      process.kill(this.pid, 'SIGCONT');
    } else {
      client[how]();
    }
    if (how === 'end') {
      await client.peerCloses();
      client.destroy();
    }
    return settled ? { least: taken, most: taken } : { least: 0, most: taken };
  }
}

export async function brokenPosts(stand, { runs, seed, changed = 0 }) {
  const sender = new Sender(stand, dice(seed));
  const figures = { lines: 0, lost: 0, doubles: 0, least: 0, most: 0 };
  for (let run = 0; run < runs; run += 1) {
    let list = Array.from({ length: LINES }, (_, i) => event(run, i));
    const before = stand.arrived.length;
    let { least, most } = await sender.part(list, before, 0);
    figures.least += least;
    figures.most += most;
    if (least === most && sender.roll() < 0.3) {
      /* the longer of the two beginnings is the one that is known then */
      ({ most } = await sender.part(list, before, least));
      figures.most += most;
    }
    if (sender.roll() < changed) {
      list = list.with(0, event(run, 0, 124));
    }
    await sender.whole(list);
    figures.lines += LINES;
    await until('all of a batch arrives', () => stand.arrived.length >= before + LINES, PATIENCE_MS);
  }
  return figures;
}

/* What is in the stream, against what was logged: { lost, doubles }. */
export function counted(texts, runs) {
  const times = new Map();
  for (const text of texts) {
    const id = text.split(' ', 4).join(' ');
    times.set(id, (times.get(id) ?? 0) + 1);
  }
  return { lost: runs * LINES - times.size, doubles: texts.length - times.size };
}

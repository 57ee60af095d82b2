/*
 * Many connections at once, busy, idle or stalled: the next good batch is taken, and nobody's silence
 * costs anybody else more than a connection.
 */
import assert from 'node:assert/strict';
import { listening, batch, events } from './support/listening.mjs';
import { RawClient, chunkedRequest, request, talk } from './support/raw_client.mjs';
import { until } from './support/until.mjs';

/* Places of the listener; beyond them, who was silent for longest goes. */
const PLACES = 128;
const LARGE = 3; /* unfinished events above 8 KiB that it holds at a time */

function crowd(target, count) {
  return Promise.all(Array.from({ length: count }, () => RawClient.connect(target.port)));
}

function leave(clients, how = 'destroy') {
  clients.forEach((client) => client[how]());
}

/* Body and batch for the i-th of many. */
function own(label, i, count = 5, bytes = 100) {
  const list = events(`${label} ${i}`, count, bytes);
  return { list, bytes: (i % 2 === 0 ? request : chunkedRequest)(batch(list)) };
}

/* Posts until it is taken, as the platform does with a batch that was not answered. */
async function persistently(target, list) {
  await until('the batch is taken', async () => {
    const { statuses } = await talk(target.port, halves(request(batch(list))));
    return statuses[0] === 200;
  });
}

function halves(bytes) {
  return [bytes.subarray(0, bytes.length / 2), bytes.subarray(bytes.length / 2)];
}

/* What a connection may be doing when it falls silent. */
const silences = {
  'have sent nothing': () => '',
  'stall in the request line': () => 'POST / HT',
  'stall in the head': () => 'POST / HTTP/1.1\r\nHost: x\r\nContent-Len',
  'stall before the body': () => 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n',
  'stall in the body': (i) => request(batch(events(`stalled ${i}`, 1))).subarray(0, -30),
  'stall in a chunk size': () => 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1',
  'stall behind a request': (i) => Buffer.concat([request('[]'), request(batch(events(`behind ${i}`, 1))).subarray(0, 70)])
};

listening((posted) => {
  posted('100 connections at once, each with a good batch', async (target) => {
    const clients = await crowd(target, 100);
    await Promise.all(clients.map(async (client, i) => {
      const { list, bytes } = own('at once', i);
      target.expects(list);
      await client.write(bytes);
      await client.replies(1);
    }));
    assert.deepEqual(clients.map(({ statuses }) => statuses), Array(100).fill([200]));
    leave(clients);
  });

  posted('100 connections that take turns, a piece each', async (target) => {
    const clients = await crowd(target, 100);
    const posts = clients.map((_, i) => own('by turns', i));
    const pieces = 10;
    for (let at = 0; at < pieces; at += 1) {
      await Promise.all(clients.map((client, i) => {
        const { bytes } = posts[i];
        const [from, to] = [at, at + 1].map((n) => Math.round(bytes.length * n / pieces));
        return client.write(bytes.subarray(from, to));
      }));
    }
    await Promise.all(clients.map((client) => client.replies(1)));
    assert.deepEqual(clients.map(({ statuses }) => statuses), Array(100).fill([200]));
    posts.forEach(({ list }) => target.expects(list));
    leave(clients);
  });

  posted('200 connections one after the other', async (target) => {
    for (let i = 0; i < 200; i += 1) {
      const { statuses } = await talk(target.port, [request('[]')]);
      assert.deepEqual(statuses, [200]);
    }
  });

  for (const how of ['end', 'destroy', 'reset']) {
    posted(`200 connections that say nothing and go (${how})`, async (target) => {
      const clients = await crowd(target, 200);
      leave(clients, how);
      await Promise.all(clients.map((client) => client.peerCloses()));
    });
  }

  for (const [what, bytes] of Object.entries(silences)) {
    posted(`50 connections that ${what}`, async (target) => {
      const clients = await crowd(target, 50);
      await Promise.all(clients.map((client, i) => client.write(bytes(i))));
      await target.goodBatch();
      assert.ok(clients.every(({ ended }) => !ended), 'there is room for all of them');
      leave(clients);
    });

    posted(`${PLACES + 22} connections that ${what}: some have to go`, async (target) => {
      const clients = await crowd(target, PLACES + 22);
      await Promise.all(clients.map((client, i) => client.write(bytes(i))));
      await target.goodBatch();
      await until('those without a place are closed', () => clients.filter(({ ended }) => ended).length >= 22);
      leave(clients);
    });
  }

  /* Each of them waits for the end of an event that is too large for a connection's own buffer. */
  posted('large events that stall in more connections than there are buffers: the next one is taken', async (target) => {
    const clients = await crowd(target, LARGE + 2);
    for (const [i, client] of clients.entries()) {
      const bytes = request(batch(events(`large and stalled ${i}`, 1, 50_000)));
      await client.write(bytes.subarray(0, -100));
    }
    const list = events('large and taken', 2, 50_000);
    await persistently(target, list);
    target.expectsOnceOrMore(list);
    leave(clients);
  });

  posted('30 connections, each with an event of 50 KB: those that are not answered try again', async (target) => {
    const posts = Array.from({ length: 30 }, (_, i) => events(`large ${i}`, 1, 50_000));
    await Promise.all(posts.map((list) => persistently(target, list)));
    target.expectsOnceOrMore(posts.flat());
    const told = target.stand.logs.filter(({ message }) => /too many large events/.test(message));
    assert.ok(told.length <= 2, `${told.length} lines`);
  });

  posted('senders that read no answers', async (target) => {
    const clients = await crowd(target, 20);
    clients.forEach(({ socket }) => socket.pause());
    const many = Buffer.concat(Array(2_000).fill(request('[]')));
    await Promise.all(clients.map((client) => Promise.race([client.write(many), client.peerCloses()])));
    await target.goodBatch();
    leave(clients);
  });
});

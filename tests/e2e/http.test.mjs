/*
 * HTTP as a server may speak it: every reply that is well formed is understood, and connections are
 * kept, closed and opened without a record being lost or sent twice.
 */
import assert from 'node:assert/strict';
import { createServer } from 'node:tls';
import * as faults from './support/faults.mjs';
import { jsonRecords } from './support/lines.mjs';
import { allDelivered, data, log, useBench } from './support/scenario.mjs';
import { assertSame } from './support/tally.mjs';
import { until } from './support/until.mjs';

const { scenario } = useBench();

/* Rounds of invocations, something in between each two. */
async function rounds(stand, count, between = async () => {}) {
  const records = jsonRecords(count * 50);
  for (let i = 0; i < count; i += 1) {
    await log(stand, records.slice(i * 50, i * 50 + 50));
    await between(i);
  }
  const end = await allDelivered(stand, records.length);
  assertSame(data(records), data(end.records));
  return end;
}

const replies = [
  ['chunked', faults.inChunks(1_000)],
  ['chunked, a byte a chunk', faults.inChunks(1)],
  ['ended by the connection', faults.untilEnd()],
  ['of HTTP/1.0, ended by the connection', faults.untilEnd({ version: '1.0' })],
  ['after 100 Continue', faults.interimFirst([100])],
  ['after three interim replies', faults.interimFirst([100, 103, 100])],
  ['byte by byte', faults.inPieces(1)],
  ['in pieces of 1,000 bytes', faults.inPieces(1_000)],
  ['followed by a close', faults.close('after')],
  ['followed by a reset', faults.close('after', { how: 'reset' })]
];
for (const [what, fault] of replies) {
  scenario(`a reply ${what}`, {}, async (stand) => {
    stand.front.fault = fault;
    await rounds(stand, 3);
  });
}

scenario('one connection serves all invocations', {}, async (stand) => {
  const end = await rounds(stand, 5);
  assert.ok(stand.front.statistics.requests >= 5);
  assert.equal(stand.front.statistics.handshakes, 1);
  assert.equal(end.ledger.retried, 0);
});

for (const how of ['end', 'destroy']) {
  scenario(`a connection that the server closes between requests (${how}) costs no retry`, {}, async (stand) => {
    const end = await rounds(stand, 4, async () => {
      stand.front.closeConnections(how);
      await until('the connection is gone', () => stand.front.openConnections === 0);
    });
    assert.equal(end.ledger.retried, 0);
    assert.ok(stand.front.statistics.connections >= 4);
  });
}

scenario('plain HTTP endpoint', { front: { plain: true } }, async (stand) => {
  await rounds(stand, 3);
  assert.equal(stand.front.statistics.handshakes, 0);
});

for (const [what, fault] of [['chunked', faults.inChunks(100)], ['ended by the connection', faults.untilEnd()]]) {
  scenario(`plain HTTP endpoint, a reply ${what}`, { front: { plain: true } }, async (stand) => {
    stand.front.fault = fault;
    await rounds(stand, 2);
  });
}

scenario('a server that refuses connections at first', {
  onFront: (front) => {
    let refused = 0;
    front.connectionFault = (socket) => {
      refused += 1;
      if (refused <= 2) {
        socket.resetAndDestroy();
      }
      return refused <= 2;
    };
  }
}, async (stand) => {
  await rounds(stand, 2);
  assert.ok(stand.front.statistics.connections >= 3);
});

/*
 * A gateway that refuses a request before it is whole, ends TLS and resets. The reply ends with the connection, as
 * that does for the extension, whose own goodbye can never leave behind what is still to be sent.
 */
scenario('a reply that ends with TLS, while the request is on its way', async ({ certificates }) => {
  const certificate = await certificates.leaf();
  return {
    /* one call has more than the sockets' buffers */
    env: { TELEMETRY_QUEUE_MAX_BYTES: '16777216' },
    onFront: (front) => {
      const gateway = createServer({ ...certificate, maxVersion: 'TLSv1.2' }, (socket) => {
        socket.on('error', () => {});
        socket.once('data', () => {
          socket.pause();
          socket.on('finish', () => front.tcp(socket).resetAndDestroy());
          socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\nnot now');
        });
      });
      front.connectionFault = (socket) => {
        front.connectionFault = null;
        gateway.emit('connection', socket);
        return true;
      };
    }
  };
}, async (stand) => {
  const records = jsonRecords(500, 9_000);
  await log(stand, records);
  await allDelivered(stand, records.length);
  assert.ok(stand.front.statistics.connections >= 2);
  assert.deepEqual(stand.logs.map((one) => one.message).filter((one) => one.includes('no reply in time')), []);
});

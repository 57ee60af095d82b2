/*
 * Faults for `front.fault`. A fault is a function of an exchange (front.mjs). It returns true when it
 * has answered by itself; otherwise the request takes its usual way, with what the fault has changed.
 *
 * Faults that answer before the records are forwarded lose nothing and double nothing: a client that
 * sends again brings each record once. With `accepted: true` the records have arrived although the
 * client cannot know it, so a client that sends again doubles them.
 */
import { dice } from '../../platform/dice.mjs';
import { chunked, reply as wholeReply, replyHead } from './http1.mjs';

export { dice };

export const THROTTLED = {
  ErrorCode: 'ProvisionedThroughputExceededException',
  ErrorMessage: 'Rate exceeded for shard shardId-000000000000 in stream logs under account 000000000000.'
};
export const INTERNAL = { ErrorCode: 'InternalFailure', ErrorMessage: 'Internal service failure.' };

/* Fails a share of the records of each call, half by throttling, half by an internal failure. */
export function failRecords(share, { seed = 1, results = [THROTTLED, INTERNAL] } = {}) {
  const roll = dice(seed);
  return ({ call, failing }) => {
    call.Records.forEach((_, index) => {
      if (roll() < share) {
        failing.set(index, results[failing.size % results.length]);
      }
    });
    return false;
  };
}

/* An error for the whole request, with nothing forwarded. */
export function refuse(status, type, message = 'Refused by the test.') {
  return (exchange) => {
    exchange.send(exchange.error(status, type, message));
    return true;
  };
}

/* Lets `fault` act on requests in CBOR: a server that knows JSON alone. */
export function jsonOnly(fault) {
  return (exchange) => exchange.form === 'cbor' && fault(exchange);
}

/* A reply that is not AWS's: a proxy's error page, say. */
export function page(status, type, body) {
  return (exchange) => {
    exchange.send({ status, headers: [['Content-Type', type]], body });
    return true;
  };
}

/* Lets `fault` act on the first `count` requests. */
export function times(count, fault) {
  let left = count;
  return (exchange) => {
    if (left === 0) {
      return false;
    }
    left -= 1;
    return fault(exchange);
  };
}

/* Lets `fault` act from the first request on, for `ms`. */
export function during(ms, fault) {
  let end = null;
  return (exchange) => {
    end ??= performance.now() + ms;
    return performance.now() < end && fault(exchange);
  };
}

/* Lets `fault` act on a share of the requests. */
export function sometimes(share, fault, seed = 1) {
  const roll = dice(seed);
  return (exchange) => roll() < share && fault(exchange);
}

/* Answers after `ms`. */
export function delay(ms) {
  return async () => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return false;
  };
}

/*
 * Holds every request until open() is called: what arrives meanwhile has to wait in the client.
 * waiting is the number of requests held.
 */
export function gate() {
  let open;
  const opened = new Promise((resolve) => {
    open = resolve;
  });
  const door = {
    open, waiting: 0,
    fault: async () => {
      door.waiting += 1;
      await opened;
      door.waiting -= 1;
      return false;
    }
  };
  return door;
}

/* Never answers; the connection stays open until the client gives up. */
export function silence({ accepted = false } = {}) {
  return async (exchange) => {
    if (accepted) {
      await exchange.answer();
    }
    return true;
  };
}

/*
 * Closes instead of answering: `where` is 'before' the reply, in its 'head', in its 'body', or 'after'
 * it; `how` is 'end', 'destroy' or 'reset'. Where nothing of the result can be read, nothing is
 * forwarded unless `accepted`.
 */
export function close(where, { how = 'end', accepted = false } = {}) {
  return async (exchange) => {
    if (where === 'before') {
      if (accepted) {
        await exchange.answer();
      }
      exchange.close(how);
      return true;
    }
    const forwarded = accepted || where === 'after';
    const answer = forwarded ? await exchange.answer() : exchange.error(500, 'InternalFailure', 'x');
    const bytes = wholeReply(answer);
    const head = bytes.indexOf('\r\n\r\n') + 4;
    const cut = { head: head - 10, body: head + Math.floor((bytes.length - head) / 2), after: bytes.length }[where];
    exchange.socket.write(bytes.subarray(0, cut), () => exchange.close(how));
    exchange.closing = true;
    return true;
  };
}

/* Answers as usual in the chunked coding. */
export function inChunks(size) {
  return async (exchange) => {
    const { status, headers, body } = await exchange.answer();
    exchange.socket.write(replyHead(status, [...headers, ['Transfer-Encoding', 'chunked']]));
    exchange.socket.write(chunked(body, size));
    return true;
  };
}

/* Answers as usual with neither length nor coding: the end of the connection ends the body. */
export function untilEnd({ version = '1.1' } = {}) {
  return async (exchange) => {
    const { status, headers, body } = await exchange.answer();
    exchange.socket.write(replyHead(status, [...headers, ['Connection', 'close']], version));
    exchange.socket.write(body);
    exchange.close('end');
    return true;
  };
}

/* Interim replies before the usual one. */
export function interimFirst(statuses = [100, 103]) {
  return ({ socket }) => {
    for (const status of statuses) {
      socket.write(replyHead(status, status === 103 ? [['Link', '</a>; rel=preload']] : []));
    }
    return false;
  };
}

/* Answers as usual, a byte (or `size` bytes) a write. */
export function inPieces(size = 1) {
  return async (exchange) => {
    const bytes = wholeReply(await exchange.answer());
    for (let at = 0; at < bytes.length; at += size) {
      exchange.socket.write(bytes.subarray(at, at + size));
      await new Promise(setImmediate);
    }
    return true;
  };
}

/* For `front.connectionFault`: speaks plain HTTP where TLS is expected, as a wrong port does. */
export function plainHttp(socket) {
  socket.on('error', () => {});
  socket.once('data', () => {
    socket.end(wholeReply({ status: 400, headers: [['Content-Type', 'text/plain'], ['Connection', 'close']],
      body: 'Client sent an HTTPS request to a plain HTTP port.\n' }));
  });
  return true;
}

/* For `front.connectionFault`: takes the connection and says nothing. */
export function mute(socket) {
  socket.on('error', () => {});
  socket.resume();
  return true;
}

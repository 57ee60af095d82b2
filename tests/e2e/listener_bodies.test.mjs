/*
 * Bodies that are no array of events, or not wholly one, or very large: answered 200, since the
 * platform would send the same bytes again for ever; what is whole is delivered, the rest is counted.
 */
import assert from 'node:assert/strict';
import { listening, batch, events } from './support/listening.mjs';
import { RawClient, chunkedRequest, request, talk } from './support/raw_client.mjs';

const MIB = 1024 * 1024;
const KEY_BYTES = 8; /* of a random partition key, which counts towards the megabyte of a record */
const HELD_BYTES = MIB + 65_536; /* what the listener holds of an unfinished event */
const HEAD = '{"time":"2026-11-20T10:00:00.000Z","type":"function","record":';

/* An event of so many bytes in all. */
function sized(label, bytes) {
  const [short] = events(label, 1, 0);
  return short.replace(/"}$/, `${'x'.repeat(bytes - short.length)}"}`);
}

/* Events of every size about this one. */
function around(bytes) {
  return Array.from({ length: 80 }, (_, i) => sized(`about ${i}`, bytes - 40 + i));
}

function nested(depth) {
  return `${HEAD}${'[{"a":'.repeat(depth)}1${'}]'.repeat(depth)}}`;
}

/* body(list) of three good events; what of them is delivered, and what is counted. */
const bodies = {
  /* no array */
  'an object': { body: () => '{"a":1}', drops: { unreadable: 1 } },
  'an event without its array': { body: ([one]) => one, drops: { unreadable: 1 } },
  'a string': { body: () => '"text"', drops: { unreadable: 1 } },
  'a number': { body: () => '12', drops: { unreadable: 1 } },
  null: { body: () => 'null', drops: { unreadable: 1 } },
  words: { body: () => 'no JSON at all', drops: { unreadable: 1 } },
  zeros: { body: () => Buffer.alloc(100_000), drops: { unreadable: 1 } },
  'a byte order mark first': { body: (list) => `\ufeff${batch(list)}`, extra: ([, b, c]) => [b, c], drops: { cut: 1 } },
  'compressed bytes': { body: () => Buffer.from('1f8b0800000000000003', 'hex'), drops: { unreadable: 1 } },
  /* white space and nothing */
  'blanks alone': { body: () => '  \r\n ' },
  'an opening bracket alone': { body: () => '[' },
  'blanks between': { body: (list) => ` [\r\n\t${list.join(' \n,\t ')} ] \n`, delivered: 3 },
  /* broken in the middle: it goes on where an event begins behind a comma */
  'no comma between two': { body: ([a, b, c]) => `[${a} ${b},${c}]`, extra: ([a, , c]) => [a, c], drops: { cut: 1 } },
  'two commas': { body: ([a, b]) => `[${a},,${b}]`, delivered: 2, drops: { cut: 1 } },
  'a comma at the end': { body: (list) => `[${list.join(',')},]`, delivered: 3, drops: { unreadable: 1 } },
  'a wrong bracket at the end': { body: (list) => `[${list.join(',')}}`, delivered: 3, drops: { unreadable: 1 } },
  'a wrong bracket first': { body: () => '[}', drops: { unreadable: 1 } },
  'no closing bracket': { body: (list) => `[${list.join(',')}`, delivered: 3 },
  'ends behind a comma': { body: (list) => `[${list.join(',')},`, delivered: 3 },
  'text behind the array': { body: (list) => `${batch(list)}]}garbage[`, delivered: 3 },
  'two arrays': { body: ([a, b]) => `${batch([a])}${batch([b])}`, delivered: 1 },
  /* elements that are no events */
  'values that are no objects': { body: ([a, b, c]) => `[${a},1,"x",null,true,[],-1.5e3,${b},${c}]`, delivered: 3, drops: { unreadable: 6 } },
  'objects that are no events': {
    body: ([a]) => `[{},{"type":"function"},{"record":1},{"type":"other","record":1},{"type":7,"record":1},${a}]`,
    delivered: 1, drops: { unreadable: 5 }
  },
  'an object that is no JSON': { body: ([a, b]) => `[${a},{"type" "function","record" 1},{type:function},${b}]`, delivered: 2, drops: { unreadable: 2 } },
  /* whether a record is sound is not looked at: its bytes pass as they are */
  'a record whose brackets do not match': { body: ([a, b]) => batch([a, `${HEAD}[1}}`, b]), delivered: 2, extra: () => [`${HEAD}[1}}`] },
  /* cut inside an event: a record above maxBytes comes so */
  'cut in an event': { body: (list) => batch(list).slice(0, -40), delivered: 2, drops: { cut: 1 } },
  'cut in a string, behind a backslash': { body: ([a]) => `[${a},${HEAD}"x\\`, delivered: 1, drops: { cut: 1 } },
  'cut behind the first byte': { body: ([a]) => `[${a},{`, delivered: 1, drops: { cut: 1 } },
  'cut in a scalar': { body: ([a]) => `[${a},12`, delivered: 1, drops: { cut: 1 } },
  'begins inside an event': { body: ([a, b]) => `ent event"},${a},${b}]`, delivered: 2, drops: { cut: 1 } },
  /* deep */
  'nested 100,000 deep': { body: ([a, b]) => batch([a, nested(50_000), b]), delivered: 2, extra: () => [nested(50_000)] },
  'nested 100,000 deep and cut': { body: ([a]) => `[${a},${nested(50_000).slice(0, 300_000)}`, delivered: 1, drops: { cut: 1 } },
  '100,000 opening brackets': { body: () => '['.repeat(100_000), drops: { cut: 1 } },
  '100,000 opening braces': { body: () => `[${'{"a":'.repeat(100_000)}`, drops: { cut: 1 } },
  '100,000 brackets that close': { body: () => `${'['.repeat(100_000)}${']'.repeat(100_000)}`, drops: { unreadable: 1 } },
  '100,000 closing brackets': { body: ([a]) => `${batch([a])}${']'.repeat(100_000)}`, delivered: 1 },
  '100,000 empty values': { body: () => `[${Array(100_000).fill('{}').join(',')}]`, drops: { unreadable: 100_000 } },
  /* sizes */
  'an event as large as a record may be': {
    body: () => batch([sized('largest', MIB - KEY_BYTES)]), extra: () => [sized('largest', MIB - KEY_BYTES)]
  },
  'a byte more': { body: ([a, b]) => batch([a, sized('larger', MIB - KEY_BYTES + 1), b]), delivered: 2, drops: { oversize: 1 } },
  'events about as large as a connection\'s own buffer': {
    body: () => batch(around(8_192)), extra: () => around(8_192)
  },
  'events about as large as the listener holds': {
    body: ([a, b]) => batch([a, ...[-1, 0, 1].map((more) => sized('at the limit', HELD_BYTES + more)), b]),
    delivered: 2, drops: { oversize: 3 }
  },
  'an event above what the listener holds': { body: ([a, b]) => batch([a, sized('huge', 1_200_000), b]), delivered: 2, drops: { oversize: 1 } },
  'an event of 20 MB': { body: ([a, b]) => batch([a, sized('huge', 20_000_000), b]), delivered: 2, drops: { oversize: 1 } },
  'an event of 5 MB that is cut': { body: ([a]) => `[${a},${sized('huge', 5_000_000).slice(0, -1)}`, delivered: 1, drops: { oversize: 1 } },
  'a string with every escape': {
    body: () => batch([`${HEAD}"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\ud83d\\ude00]},["}`]),
    extra: () => [`${HEAD}"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\ud83d\\ude00]},["}`]
  }
};

const framings = {
  'by length': (body) => [request(body)],
  'in chunks of 1,000 bytes': (body) => [chunkedRequest(body)],
  /* each write is a read of the listener, or nearly so */
  'in pieces of 3,000 bytes': (body) => pieces(request(body), 3_000)
};

function pieces(bytes, size) {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}

function told(target, { delivered = 0, drops = {}, extra = () => [] }, list) {
  target.expects([...list.slice(0, delivered), ...extra(list)]);
  Object.entries(drops).forEach(([reason, count]) => target.drops(reason, count));
}

listening((posted) => {
  for (const [what, one] of Object.entries(bodies)) {
    posted(what, async (target) => {
      for (const [how, frame] of Object.entries(framings)) {
        const list = events(`${what}, ${how}`);
        const { statuses } = await talk(target.port, frame(one.body(list)));
        assert.deepEqual(statuses, [200], how);
        told(target, one, list);
      }
    });
  }

  /* both POSTs of a record that was cut: [the first one's end, what the second one opens a string before] */
  const halves = {
    'in a number': ['{"p":12', '34,"q":"x"}'],
    'in a string': ['{"p":"aaa', 'bbb","n":1}'],
    'in the last string of an inner object': ['{"p":[{"q":"aa', 'bb"},{"r":2}],"s":{"t":[3]}}'],
    'before a name': ['{"p":1,', '"q":{"r":"s"}}'],
    'in a name': ['{"p":1,"na', 'me":[1,{"q":"}],{"}]}'],
    'before the last bracket': ['{"p":"x"', '}'],
    'between a backslash and its quotation mark': ['"a\\', '" bbb"'],
    'of 700 KB': [`{"p":"${'x'.repeat(350_000)}`, `${'y'.repeat(350_000)}","q":[{"r":1},"},{"]}`]
  };
  for (const [where, [first, rest]] of Object.entries(halves)) {
    posted(`a record cut ${where}, in two POSTs: all before and behind it arrives`, async (target) => {
      for (const [how, frame] of Object.entries(framings)) {
        const list = events(`cut ${where}, ${how}`);
        const [a, b, c] = list;
        const { statuses } = await talk(target.port, [...frame(`[${a},${HEAD}${first}`), ...frame(`[${HEAD}"${rest}},${b},${c}]`)], { replies: 2 });
        assert.deepEqual(statuses, [200, 200], how);
        target.expects(list);
        target.drops('cut', 2); /* each half is one */
      }
    });
  }

  posted('a text cut in two POSTs: its rest is an event by itself', async (target) => {
    for (const [how, frame] of Object.entries(framings)) {
      const [a, b, c] = events(`a text is cut, ${how}`);
      const rest = `${HEAD}"\\u00e4 rest, ${how}"}`;
      const { statuses } = await talk(target.port, [...frame(`[${a},${HEAD}"begin`), ...frame(batch([rest, b, c]))], { replies: 2 });
      assert.deepEqual(statuses, [200, 200], how);
      target.expects([a, rest, b, c]);
      target.drops('cut', 1);
    }
  });

  posted('events that are logged, as values and as text, stay what they are', async (target) => {
    const [a, b, c] = events('logged events');
    const logged = [`${HEAD}[${a},${b}]}`, `${HEAD}{"list":[1,${a},${b}]}}`, `${HEAD}${JSON.stringify(`},${a},${b}]`)}}`];
    for (const list of [logged, logged.toReversed()]) {
      const { statuses } = await talk(target.port, [request(batch([...list, c]))]);
      assert.deepEqual(statuses, [200]);
      target.expects([...list, c]);
    }
  });

  posted('8 MB of 2 KB events', async (target) => {
    const list = events('8 MB', 4_000, 2_000);
    const { statuses } = await talk(target.port, [request(batch(list))]);
    assert.deepEqual(statuses, [200]);
    target.expects(list);
  });

  posted('20 KB in chunks of one byte', async (target) => {
    const list = events('chunks of one byte', 10, 2_000);
    const { statuses } = await talk(target.port, [chunkedRequest(batch(list), { size: 1 })]);
    assert.deepEqual(statuses, [200]);
    target.expects(list);
  });

  posted('20 KB a byte at a time', async (target) => {
    const list = events('a byte at a time', 10, 2_000);
    const { statuses } = await talk(target.port, pieces(request(batch(list)), 1));
    assert.deepEqual(statuses, [200]);
    target.expects(list);
  });

  posted('3 MB while the stream does not answer: the sender waits, nothing is lost', async (target) => {
    const list = events('waits for room', 150, 20_000);
    const open = target.close();
    const client = await RawClient.connect(target.port);
    const written = client.write(request(batch(list)));
    await target.stopsReading();
    assert.deepEqual(client.statuses, []);
    open();
    await written;
    await client.replies(1);
    assert.deepEqual(client.statuses, [200]);
    client.destroy();
    target.expects(list);
  });

  for (const how of ['end', 'destroy', 'reset']) {
    posted(`3 MB while the stream does not answer, and the sender goes away (${how})`, async (target) => {
      const list = events(`goes away by ${how}`, 150, 20_000);
      const open = target.close();
      const client = await RawClient.connect(target.port);
      client.socket.write(request(batch(list)).subarray(0, -1));
      await target.stopsReading();
      client[how]();
      open();
      target.tolerates(list);
      await client.peerCloses();
    });
  }
});

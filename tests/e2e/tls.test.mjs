/*
 * Whom the extension talks to: a server whose certificate leads to a trusted CA, carries the host's
 * name and is valid now. Anybody else gets nothing, the log gets one clear line, the function goes on
 * and the ledger says what could not be delivered.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { describe } from 'node:test';
import { plainHttp } from './support/faults.mjs';
import { jsonRecords } from './support/lines.mjs';
import { allDelivered, data, finished, log, useBench } from './support/scenario.mjs';
import { BINARY, NATIVE } from './support/stand.mjs';
import { assertSame } from './support/tally.mjs';
import { ALERT, APPLICATION_DATA, Trickle } from './support/trickle.mjs';
import { until } from './support/until.mjs';

const { scenario } = useBench();

const DAY = 86_400_000;

async function delivers(stand) {
  const records = jsonRecords(100);
  await log(stand, records);
  const end = await allDelivered(stand, records.length);
  assertSame(data(records), data(end.records));
}

/* Four at once: most of their time is the extension's waiting for somebody better. */
describe('whom the extension talks to', { concurrency: 4 }, () => {
  const good = [
    ['P-256', {}],
    ['P-256 behind an intermediate', { leaf: { intermediate: true } }],
    ['P-384', { leaf: { key: 'p384' } }],
    ['RSA-2048', { leaf: { key: 'rsa' } }],
    ['RSA-2048 behind an intermediate', { leaf: { key: 'rsa', intermediate: true } }],
    ['a wildcard beside other names', { leaf: { names: ['*.example.test', 'example.test', 'localhost'] } }],
    ['for servers and clients', { leaf: { purposes: 'clientAuth,serverAuth' } }],
    ['for any purpose', { leaf: { purposes: 'anyExtendedKeyUsage' } }],
    ['for purposes that are not told', { leaf: { purposes: null } }],
    ['a name in capitals', { leaf: { names: ['LOCALHOST'] } }]
  ];
  for (const [what, options] of good) {
    scenario(`accepted: ${what}`, options, delivers);
  }

  for (const cipher of ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384']) {
    scenario(`accepted: a server that has only ${cipher}`, { front: { ciphers: cipher } }, async (stand) => {
      await delivers(stand);
      assert.deepEqual([...stand.front.statistics.ciphers], [`TLSv1.2 ${cipher}`]);
    });
  }

  for (const cipher of ['ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES256-GCM-SHA384']) {
    scenario(`accepted: a server that has only ${cipher}`, { leaf: { key: 'rsa' }, front: { ciphers: cipher } },
      async (stand) => {
        await delivers(stand);
        assert.deepEqual([...stand.front.statistics.ciphers], [`TLSv1.2 ${cipher}`]);
      });
  }

  scenario('accepted: a bundle of several CAs', async (bench) => ({
    caBundle: await bench.certificates.bundle({
      others: await Promise.all([{ label: 'x' }, { label: 'y', key: 'rsa' }]
        .map((one) => bench.certificates.authority(one)))
    })
  }), delivers);

  scenario('accepted: a host name that ends in a dot, which the certificate has not', {
    env: (usual) => ({ AWS_ENDPOINT_URL_KINESIS: usual.AWS_ENDPOINT_URL_KINESIS.replace('localhost', 'localhost.') })
  }, async (stand) => {
    await delivers(stand);
    assert.deepEqual([...stand.front.statistics.serverNames], ['localhost']);
  });

  /* As editors and mail programs leave PEM files: what becomes of one with several CAs, the right one last. */
  const written = {
    'lines that end in CR LF': (text) => text.replaceAll('\n', '\r\n'),
    'lines that end in CR': (text) => text.replaceAll('\n', '\r'),
    'lines of both kinds': (text) => text.replaceAll('\n', (end, at) => (at < text.length / 2 ? end : '\r\n')),
    'blanks at both ends of each line': (text) => text.replaceAll(/^.*$/gm, '  $&\t '),
    'a byte order mark': (text) => `\ufeff${text.replace(/^#.*\n/, '')}`,
    'a byte order mark and CR LF': (text) => `\ufeff${text.replaceAll('\n', '\r\n')}`,
    'no end of its last line': (text) => text.trimEnd()
  };
  for (const [what, change] of Object.entries(written)) {
    for (const others of [[], [{ label: 'x' }, { label: 'y', key: 'rsa' }]]) {
      scenario(`accepted: a bundle of ${others.length + 1} with ${what}`, async ({ certificates }) => {
        const path = await certificates.bundle({
          others: await Promise.all(others.map((one) => certificates.authority(one)))
        });
        return { caBundle: await certificates.write(change(await readFile(path, 'utf8'))) };
      }, async (stand) => {
        await delivers(stand);
        assert.deepEqual(stand.logsOf('warn'), []);
      });
    }
  }

  scenario('accepted: a bundle in which some certificates are of no use', async ({ certificates }) => {
    const [weak, damaged, cut, good] = await Promise.all([{ label: 'w', key: 'rsa1024' }, { label: 'd' }, { label: 'c' }, {}]
      .map((one) => certificates.authority(one)));
    return {
      caBundle: await certificates.write([
        weak.cert, damaged.cert.replace(/^M/m, '!'), cut.cert.slice(0, 200), good.cert,
        damaged.cert.replace(/^MII/m, 'AAA'), good.cert.replaceAll('CERTIFICATE', 'SOMETHING'), cut.cert.slice(0, 200)
      ].join('\n'))
    };
  }, async (stand) => {
    await delivers(stand);
    const lines = stand.logsOf('warn').map((one) => one.message);
    assert.equal(lines.length, 1, lines.join('\n'));
    assert.match(lines[0], /^AWS_CA_BUNDLE: ".*": certificates used: 1 \(passed over: 4 that cannot be read, 1 with an RSA key below 2048 bits\)$/);
  });

  /* Three invocations with 10 events each, none of which may reach the server. */
  async function refuses(stand, words) {
    for (let i = 0; i < 3; i += 1) {
      await log(stand, jsonRecords(10, 200, `round-${i}`));
    }
    const end = await finished(stand);
    assert.deepEqual([end.ledger.received, end.ledger.delivered, end.ledger.dropped.total], [30, 0, 30]);
    assert.equal(stand.front.statistics.requests, 0);
    assert.equal(end.records.length, 0);
    const lines = stand.logsOf('error').map((one) => JSON.stringify({ ...one, logger: null, time: null }));
    assert.equal(lines.filter((line) => words.test(line)).length, 1, `error lines:\n${lines.join('\n')}`);
    const next = stand.platform.calls.filter((call) => call.name === 'next');
    assert.ok(next.length >= 4, `${next.length} calls of next`);
  }

  const QUICK = {
    platform: { shutdownMs: 2_500 },
    env: { TELEMETRY_CONNECT_TIMEOUT_MS: '2000', TELEMETRY_REQUEST_TIMEOUT_MS: '2000' }
  };
  const weak = { front: { ciphers: 'DEFAULT:@SECLEVEL=0' } };
  const bad = [
    ['another host name', { leaf: { names: ['kinesis.us-east-1.amazonaws.com'] } }, /name/i],
    ['a wildcard that does not cover the name', { leaf: { names: ['*.localhost'] } }, /name/i],
    ['an unknown CA', { leaf: { ca: 'other' } }, /trust|unknown CA|unknown issuer/i],
    ['an impostor with the name of the trusted CA', { leaf: { ca: 'other', subject: 'Test CA good p256' } },
      /trust|signature|unknown CA|unknown issuer/i],
    ['an unknown CA with an RSA key', { leaf: { ca: 'other', key: 'rsa' } }, /trust|unknown CA|unknown issuer/i],
    ['an expired certificate', { leaf: { from: -3 * DAY, until: -DAY } }, /expired|valid|time/i],
    ['a certificate for clients only', { leaf: { purposes: 'clientAuth' } }, /not for servers/],
    ['a certificate for signing code', { leaf: { key: 'rsa', purposes: 'codeSigning,emailProtection' } },
      /not for servers/],
    ['a name in the subject alone', { leaf: { alternative: false } }, /subjectAltName/],
    ['an RSA key of 1024 bits', { leaf: { key: 'rsa1024', caKey: 'rsa' }, ...weak }, /too short/],
    ['an intermediate with an RSA key of 1024 bits',
      { leaf: { caKey: 'rsa1024', intermediate: true }, ...weak }, /too short/],
    ['an intermediate with name constraints',
      { leaf: { intermediate: true, constraints: 'critical,permitted;DNS:localhost' } }, /extension/],
    ['a certificate of the future', { leaf: { from: DAY, until: 3 * DAY } }, /expired|valid|time/i]
  ];
  for (const [what, options, words] of bad) {
    scenario(`refused: ${what}`, { ...QUICK, ...options }, (stand) => refuses(stand, words));
  }

  scenario('refused: plain HTTP on the TLS port',
    { ...QUICK, onFront: (front) => { front.connectionFault = plainHttp; } },
    (stand) => refuses(stand, /TLS/i));

  scenario('refused: a server without TLS 1.2',
    { ...QUICK, front: { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256' } },
    (stand) => refuses(stand, /TLS|handshake/i));

  scenario('refused: a private CA without AWS_CA_BUNDLE', { ...QUICK, env: { ...QUICK.env, AWS_CA_BUNDLE: null } },
    (stand) => refuses(stand, /trust|unknown CA|unknown issuer/i));

  /* None of Lambda's CPUs is like that. It has SSE 4.2. */
  if (NATIVE === 'x86_64' && !process.env.EXTENSION_BINARY) {
    scenario('a CPU without instructions for AES', async ({ certificates }) => {
      const script = await certificates.write(`#!/bin/sh\nexec /usr/bin/qemu-x86_64-static -cpu Nehalem '${BINARY}' "$@"\n`);
      await chmod(script, 0o755);
      return { ...QUICK, binary: script };
    }, (stand) => refuses(stand, /no instructions for AES/));
  }

  scenario('a CA bundle that does not exist', { ...QUICK, env: { ...QUICK.env, AWS_CA_BUNDLE: '/nowhere/ca.pem' } },
    (stand) => refuses(stand, /AWS_CA_BUNDLE/));

  scenario('a CA bundle of one CA with an RSA key of 1024 bits', async ({ certificates }) => {
    const weakAuthority = await certificates.authority({ key: 'rsa1024' });
    return { ...QUICK, caBundle: weakAuthority.certPath };
  }, (stand) => refuses(stand, /AWS_CA_BUNDLE.*1 with an RSA key below 2048 bits/));

  scenario('a CA bundle without a certificate', async (bench) => {
    const path = join(bench.certificates.folder, 'empty.pem');
    await writeFile(path, '-----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----\n');
    return { ...QUICK, caBundle: path };
  }, (stand) => refuses(stand, /AWS_CA_BUNDLE/));

  scenario('a certificate that goes bad between two connections', QUICK, async (stand, bench) => {
    await log(stand, jsonRecords(10, 200, 'before'));
    stand.front.useCertificate(await bench.certificates.leaf({ from: -3 * DAY, until: -DAY }));
    stand.front.closeConnections();
    await log(stand, jsonRecords(10, 200, 'after'));
    const end = await finished(stand);
    assert.deepEqual([end.ledger.delivered, end.ledger.dropped.total], [10, 10]);
    assert.equal(stand.logsOf('error').filter((one) => /expired|valid|time/i.test(JSON.stringify(one))).length, 1);
  });
});

/* Held until all is delivered, so that nothing is under way when the connection is closed. */
const HELD = { env: { TELEMETRY_FLUSH: 'end', TELEMETRY_FLUSH_BUDGET_MS: '20000' } };

/* With its last record, an alert: RFC 5246, section 7.2.1. */
scenario('the server is told of the end of the connection', async () => {
  const trickle = await Trickle.start();
  return {
    env: { ...HELD.env, AWS_ENDPOINT_URL_KINESIS: trickle.url },
    onFront: (front) => {
      trickle.target = front.port;
      front.trickle = trickle;
    }
  };
}, async (stand) => {
  const { trickle } = stand.front;
  await log(stand, jsonRecords(10));
  await allDelivered(stand, 10);
  await until('all is closed', () => stand.front.openConnections === 0);
  const [types] = trickle.records;
  await trickle.stop();
  assert.equal(trickle.records.length, 1);
  assert.deepEqual(types.slice(-2), [APPLICATION_DATA, ALERT]);
});

/* Two invocations, with a new connection for the second; between them `meanwhile` happens. */
async function connectsTwice(stand, meanwhile = () => {}) {
  const records = jsonRecords(100);
  await log(stand, records.slice(0, 50));
  await meanwhile(stand.front);
  stand.front.closeConnections('destroy');
  await until('the connection closed', () => stand.front.openConnections === 0);
  await log(stand, records.slice(50));
  const end = await allDelivered(stand, records.length);
  assertSame(data(records), data(end.records));
  assert.equal(end.ledger.handshakes, stand.front.statistics.handshakes);
  return end;
}

function handshakes({ front }) {
  return { all: front.statistics.handshakes, resumed: front.statistics.resumed };
}

describe('TLS sessions', { concurrency: 4 }, () => {
  const keeping = () => ({ ...HELD, front: { sessions: new Map() } });

  for (const freeze of [false, true]) {
    for (const cipher of ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384']) {
      scenario(`resumed by the next connection${freeze ? ', after a freeze' : ''}: ${cipher}`,
        () => ({ ...HELD, platform: { freeze }, front: { sessions: new Map(), ciphers: cipher } }), async (stand) => {
          const end = await connectsTwice(stand);
          assert.deepEqual(handshakes(stand), { all: 2, resumed: 1 });
          assert.deepEqual([end.ledger.retried, stand.front.tlsErrors], [0, []]);
        });
    }
  }

  scenario('a server that never resumes', HELD, async (stand) => {
    const end = await connectsTwice(stand);
    assert.deepEqual(handshakes(stand), { all: 2, resumed: 0 });
    assert.equal(end.ledger.retried, 0);
  });

  scenario('a server that has forgotten the session', keeping, async (stand) => {
    const end = await connectsTwice(stand, ({ sessions }) => sessions.clear());
    assert.deepEqual(handshakes(stand), { all: 2, resumed: 0 });
    assert.equal(stand.front.sessions.size, 1);
    assert.equal(end.ledger.retried, 0);
  });

  /* Finished messages that cannot be verified; the connection after that asks for no session. */
  scenario('a server that has mixed up its sessions', keeping, async (stand) => {
    await connectsTwice(stand, ({ sessions }) => sessions.forEach(spoilSecret));
    assert.deepEqual(handshakes(stand), { all: 2, resumed: 0 });
    assert.equal(stand.front.tlsErrors.length, 1);
  });
});

/* RFC 5246, section 8.1: the master secret has 48 bytes; OpenSSL keeps it as an octet string. */
function spoilSecret(session) {
  const at = session.indexOf(Buffer.from([0x04, 48]));
  assert.ok(at > 0);
  session[at + 2] ^= 1;
}

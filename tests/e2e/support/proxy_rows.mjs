/*
 * Rows of the fault matrix in which a proxy is on the way: those about connections, behind a proxy that wants a
 * password and behind one that does not; and what becomes of the proxy itself.
 */
import { Proxy } from './proxy.mjs';

/* The proxy alone knows where it is. */
const NAME = 'kinesis.test';
const LONG_MS = 1_500;
const OPEN = {};
const CLOSED = { user: 'us@er', password: 'p@ss:w%rd/' };

async function through(run, who) {
  run.proxy = await Proxy.start(who);
  run.finally(() => run.proxy.stop());
  return {
    env: ({ AWS_ENDPOINT_URL_KINESIS: url }) => ({
      AWS_ENDPOINT_URL_KINESIS: url.replace('localhost', NAME), TELEMETRY_PROXY: run.proxy.url
    })
  };
}

/* All went through it, the fault too; and what it was told is in no line. */
function tunnelled({ proxy, front, platform }, least) {
  const text = platform.lines.map(({ line }) => String(line)).join('\n');
  return [
    ...proxy.tunnels.length >= least ? [] : [`${proxy.tunnels.length} tunnels`],
    ...proxy.tunnels.filter((to) => to !== `${NAME}:${front.port}`).map((to) => `a tunnel to ${to}`),
    ...proxy.others > 0 ? [`${proxy.others} requests that were none for a tunnel`] : [],
    ...proxy.secrets.some((secret) => text.includes(secret)) ? ['the proxy\'s password in the log'] : []
  ];
}

const BEHIND = { between: true, leaf: { names: [NAME] } };

function behind(row, name, what, who) {
  return {
    ...row, ...BEHIND, stream: false, name: `${name}-${row.name}`, what: `behind a proxy${what}: ${row.what}`,
    prepare: (run) => through(run, who),
    check: (run) => tunnelled(run, 2)
  };
}

/* What the proxy itself does for a while; then a line says so. */
function moody(name, what, says, { put, lift, least = 2 }, closeKept) {
  return {
    ...BEHIND, name: `proxy-${name}`, what: `the proxy ${what}`, spell: { ms: LONG_MS },
    env: { TELEMETRY_CONNECT_TIMEOUT_MS: null, TELEMETRY_REQUEST_TIMEOUT_MS: null },
    prepare: (run) => through(run, CLOSED),
    put: async (run) => {
      await put(run.proxy);
      await closeKept(run);
      run.spell.begin();
    },
    lift: ({ proxy }) => lift(proxy),
    check: (run) => [
      ...tunnelled(run, least),
      ...run.stand.logsOf(['warn', 'error']).some(({ message }) => message.includes(`through 127.0.0.1: ${says}`)) ?
          [] : [`no line says: ${says}`]
    ]
  };
}

const mood = (name) => ({
  put: (proxy) => { proxy.mood = name; },
  lift: (proxy) => { proxy.mood = 'serves'; }
});

const gone = { put: (proxy) => proxy.leave(), lift: (proxy) => proxy.listen() };

/* connections: the rows without a proxy; closeKept: closes the connection that is kept. */
export function proxyRows(connections, closeKept) {
  return [
    ...connections.map((row) => behind(row, 'proxy', '', OPEN)),
    ...connections.map((row) => behind(row, 'password', ' with a password', CLOSED)),
    moody('denies', 'answers 407', 'the proxy answered 407', mood('denies'), closeKept),
    moody('forgets', 'never answers', 'no connection in time', mood('forgets'), closeKept),
    moody('gone', 'is gone', 'Connection refused', gone, closeKept)
  ];
}

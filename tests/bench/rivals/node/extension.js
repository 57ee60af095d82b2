/*
 * What the extension is measured against, in Node.js: the AWS SDK's client, Node's own HTTP, one bundle.
 *
 * The three rivals do the same. Function events are queued as they come in; 500 are sent at once, the
 * rest when the function has ended (platform.runtimeDone), before the next event is asked for.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { next, register, subscribe } from './lambda.js';
import { listen } from './listener.js';

const stream = process.env.KINESIS_STREAM_NAME ?? 'telemetry-kinesis-stream';
const port = Number(process.env.TELEMETRY_LISTENER_PORT ?? 4243);
/* Two of the shortest buffering times: what the platform still has arrives within. */
const GRACE_MS = 50;
/* Left of a deadline for what comes after the flush. */
const MARGIN_MS = 200;

/* The SDK's announcement about old versions of Node. */
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

let shipper;

/* Request id of the last platform.runtimeDone, and who waits for one. */
let done = null;
let waiting = null;

function take(event) {
  if (event.type === 'function') {
    shipper.add(JSON.stringify(event.record?.message ?? event.record));
  } else if (event.type === 'platform.runtimeDone') {
    done = event.record.requestId;
    waiting?.();
  }
}

/* The platform need not keep its word: at the deadline it is waited for no longer. */
async function runtimeDone({ requestId, deadlineMs }) {
  const late = new AbortController();
  const deadline = sleep(Math.max(deadlineMs - Date.now(), 0), 'late', { signal: late.signal }).catch(() => {});
  while (done !== requestId) {
    const event = new Promise((resolve) => {
      waiting = resolve;
    });
    if (await Promise.race([event, deadline]) === 'late') {
      break;
    }
  }
  late.abort();
}

async function main() {
  await register();
  /* The SDK is loaded while the runtime starts, which waits for register. */
  const { Shipper } = await import('./shipper.js');
  shipper = new Shipper(stream);
  await listen(port, take);
  await subscribe(port);
  let event = await next();
  for (; event.eventType !== 'SHUTDOWN'; event = await next()) {
    shipper.deadlineMs = event.deadlineMs - MARGIN_MS;
    await runtimeDone(event);
    await shipper.flush();
  }
  shipper.deadlineMs = event.deadlineMs - MARGIN_MS;
  await sleep(GRACE_MS);
  await shipper.flush();
  shipper.end();
  process.exit(0);
}

main();

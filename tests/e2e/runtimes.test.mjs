/*
 * Functions of three runtimes, each in a process of its own, beside the unpacked layer: every line that
 * they log arrives, in both log formats, also when the sandbox is frozen between the invocations.
 */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { UNIVERSAL, unpack, zipFor } from './support/layer.mjs';
import { allDelivered, data, useBench } from './support/scenario.mjs';
import { NATIVE } from './support/stand.mjs';
import { assertSame } from './support/tally.mjs';

const { scenario } = useBench();
const examples = fileURLToPath(new URL('../platform/examples/', import.meta.url));
const INVOCATIONS = 5;
const LINES = 40;

/* A text line becomes a JSON string, of a JSON object the message is taken: the id is in both. */
function idOf(text) {
  return /id=([\w-]+)/.exec(text)?.[1] ?? text;
}

for (const runtime of ['node', 'python', 'shell']) {
  for (const logFormat of ['Text', 'JSON']) {
    for (const [what, zip] of [['the layer for both CPUs', UNIVERSAL], [`the ${NATIVE} layer`, zipFor(NATIVE)]]) {
      const options = async () => ({
        opt: await unpack(zip),
        platform: { bootstrap: `${examples}${runtime}/bootstrap`, logFormat, freeze: true }
      });
      scenario(`a function in ${runtime} with ${logFormat} logs and ${what}`, options, async (stand) => {
        const wanted = [];
        for (let i = 0; i < INVOCATIONS; i += 1) {
          const { requestId, error, response } = await stand.platform.invoke({ lines: LINES });
          assert.equal(error ?? null, null);
          assert.deepEqual(response, { lines: LINES });
          wanted.push(...Array.from({ length: LINES }, (_, n) => `${requestId}-${n + 1}`));
        }
        const end = await allDelivered(stand, wanted.length);
        assertSame(wanted, data(end.records).map((one) => idOf(String(one))));
      });
    }
  }
}

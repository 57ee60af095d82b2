/* Where the platform posts telemetry. */
import { once } from 'node:events';
import { createServer } from 'node:http';

/* Resolves once it listens; calls take(event) for each event of a POST. */
export async function listen(port, take) {
  /* The sandbox may be frozen for long, in the midst of anything: no time limits. */
  const patient = { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 };
  const server = createServer(patient, async (request, response) => {
    try {
      const body = Buffer.concat(await request.toArray());
      events(body).forEach(take);
    } catch (error) {
      console.error(`telemetry: ${error.message}`);
    }
    response.writeHead(200).end();
  });
  server.listen(port, '0.0.0.0');
  await once(server, 'listening');
}

/* A body that is no JSON comes again when it is refused, so it is taken, and told. */
function events(body) {
  try {
    return JSON.parse(body);
  } catch (error) {
    console.error(`telemetry: ${body.length} bytes lost: ${error.message}`);
    return [];
  }
}

/*
 * Loaded into kinesis-local before its own code (node --require).
 *
 * kinesis-local listens on every interface and wants its port numbers beforehand. Here it listens on
 * loopback only, on ports that the system picks, so that no two runs can meet; the port that it was
 * told (1 for TLS, 2 for plain) only says which is which, and goes with the real one to the parent.
 */
'use strict';

const net = require('node:net');

const listen = net.Server.prototype.listen;

net.Server.prototype.listen = function listenOnLoopback(asked, ...rest) {
  const told = typeof asked === 'number' ? asked : asked.port;
  const ready = rest.find((one) => typeof one === 'function');
  return listen.call(this, { port: 0, host: '127.0.0.1' }, () => {
    process.send({ told, port: this.address().port });
    if (ready) {
      ready();
    }
  });
};

/* A parent that is gone takes the server with it. */
process.on('disconnect', () => process.exit(1));

// Preloaded, makes the tests run with the oldest aws-cdk-lib and constructs that package.json allows:
// whoever asks for one of these gets it, the subprocesses of tests and cdk-nag included.
const Module = require('node:module');

const OLDEST = /^(aws-cdk-lib|constructs)(?=$|\/)/;
const resolveFilename = Module._resolveFilename;
const here = Module.createRequire(__filename);

Module._resolveFilename = function (request, ...rest) {
  return OLDEST.test(request)
    ? here.resolve(request.replace(OLDEST, '$1-oldest'))
    : resolveFilename.call(this, request, ...rest);
};

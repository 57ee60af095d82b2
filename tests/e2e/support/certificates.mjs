/*
 * Certificates for one run, made with the openssl command in a temporary folder.
 *
 *   const certificates = await Certificates.make();
 *   const good = await certificates.leaf({ names: ['localhost'] });
 *   good.cert, good.key     PEM text: what a server presents (leaf first, then any intermediate)
 *   certificates.bundle()   path of a PEM file with the trusted CA: for AWS_CA_BUNDLE
 *   await certificates.remove();
 *
 * Names are DNS names: BearSSL compares no IP addresses, so servers are called "localhost".
 * P-256 keys are the default because an RSA key takes longer to make than all else here.
 */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { removeFolder, temporaryFolder } from './folder.mjs';

const run = promisify(execFile);

/* `openssl ca` is the only one of openssl 3.0's commands that sets both dates of a certificate. */
const CONFIGURATION = `
[ca]
default_ca = any
[any]
database = index.txt
rand_serial = yes
unique_subject = no
email_in_dn = no
default_md = sha256
policy = any_name
[any_name]
commonName = supplied
[req]
distinguished_name = name
prompt = no
[name]
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
`;

const DAY = 24 * 60 * 60 * 1000;

/* The GeneralizedTime that openssl takes: YYYYMMDDHHMMSSZ. */
function stamp(time) {
  return new Date(time).toISOString().replace(/[-:T]|\.\d+/g, '');
}

function keyArguments(kind) {
  if (kind.startsWith('rsa')) {
    return ['-algorithm', 'RSA', '-pkeyopt', `rsa_keygen_bits:${kind.slice(3) || 2048}`];
  }
  if (kind === 'p384') {
    return ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'];
  }
  return ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'];
}

export class Certificates {
  #serial = 0;
  #authorities = new Map();
  /* `openssl ca` keeps its register in one file: one certificate at a time. */
  #turn = Promise.resolve();

  constructor(folder) {
    this.folder = folder;
  }

  static async make() {
    const folder = await temporaryFolder('certificates-');
    await writeFile(join(folder, 'ca.cnf'), CONFIGURATION);
    await writeFile(join(folder, 'index.txt'), '');
    return new Certificates(folder);
  }

  /* A file in the same folder, gone with it. Returns its path. */
  async write(text) {
    const path = this.#path('file');
    await writeFile(path, text);
    return path;
  }

  async remove() {
    removeFolder(this.folder);
  }

  /*
   * A self-signed CA, made at first use.
   *
   * label    'good' is the one that bundle() trusts; any other label is another CA with its own key.
   * subject  CN; give 'good' another CA's name to make an impostor.
   */
  async authority({ label = 'good', key = 'p256', subject = `Test CA ${label} ${key}` } = {}) {
    const known = `${label} ${key} ${subject}`;
    if (!this.#authorities.has(known)) {
      this.#authorities.set(known, this.#makeAuthority(key, subject));
    }
    return this.#authorities.get(known);
  }

  /*
   * A server certificate.
   *
   * names         DNS names for subjectAltName; the first is the CN too
   * key           'p256', 'p384', 'rsa' (2048 bits) or 'rsa1024'; the CA has a key of the same kind
   * caKey         another kind for the CA, and the intermediate
   * purposes      extendedKeyUsage; null: none
   * alternative   false: no subjectAltName
   * constraints   nameConstraints of the intermediate
   * ca            label of the CA; `subject` is the CA's name when it should not be the usual
   * from, until   validity, as milliseconds from now
   * intermediate  true: signed by an intermediate CA, which the server sends along as AWS does
   */
  async leaf({ names = ['localhost'], key = 'p256', ca = 'good', subject, from = -DAY, until = 30 * DAY,
    intermediate = false, caKey = key, purposes = 'serverAuth', alternative = true, constraints = null } = {}) {
    let issuer = await this.authority({ label: ca, key: caKey, subject });
    let chain = '';
    if (intermediate) {
      issuer = await this.#signed(issuer, `Test intermediate of ${ca}`, caKey,
        'basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n' +
        (constraints ? `nameConstraints=${constraints}\n` : ''), -DAY, 30 * DAY);
      chain = issuer.cert;
    }
    const extensions = 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n' +
      (purposes ? `extendedKeyUsage=${purposes}\n` : '') +
      (alternative ? `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}\n` : '');
    const leaf = await this.#signed(issuer, names[0], key, extensions, from, until);
    return { ...leaf, cert: leaf.cert + chain };
  }

  /* A PEM file with the trusted CA, or with several CAs one after the other. */
  async bundle({ key = 'p256', others = [] } = {}) {
    const trusted = await this.authority({ key });
    if (others.length === 0) {
      return trusted.certPath;
    }
    const path = this.#path('bundle');
    const all = [...others, trusted].map((one, i) => `# CA ${i}\n${one.cert}`);
    await writeFile(path, all.join('\n'));
    return path;
  }

  #path(suffix) {
    this.#serial += 1;
    return join(this.folder, `${this.#serial}.${suffix}`);
  }

  async #openssl(...options) {
    await run('openssl', options, { cwd: this.folder, timeout: 60_000 });
  }

  async #newKey(kind) {
    const path = this.#path('key');
    await this.#openssl('genpkey', ...keyArguments(kind), '-out', path);
    return path;
  }

  async #makeAuthority(kind, subject) {
    const keyPath = await this.#newKey(kind);
    const certPath = this.#path('pem');
    await this.#openssl('req', '-x509', '-new', '-config', 'ca.cnf', '-extensions', 'root', '-key', keyPath,
      '-subj', `/CN=${subject}`, '-days', '30', '-sha256', '-out', certPath);
    return { certPath, keyPath, cert: await readFile(certPath, 'utf8') };
  }

  async #signed(issuer, subject, kind, extensions, from, until) {
    const keyPath = await this.#newKey(kind);
    const [requestPath, certPath, extensionsPath] = [this.#path('csr'), this.#path('pem'), this.#path('ext')];
    await writeFile(extensionsPath, extensions);
    await this.#openssl('req', '-new', '-config', 'ca.cnf', '-key', keyPath, '-subj', `/CN=${subject}`,
      '-out', requestPath);
    const now = Date.now();
    const signed = this.#turn.then(() => this.#openssl('ca', '-batch', '-notext', '-config', 'ca.cnf',
      '-in', requestPath, '-out', certPath, '-cert', issuer.certPath, '-keyfile', issuer.keyPath,
      '-extfile', extensionsPath, '-outdir', this.folder,
      '-startdate', stamp(now + from), '-enddate', stamp(now + until)));
    this.#turn = signed.catch(() => {});
    await signed;
    return {
      certPath, keyPath,
      cert: await readFile(certPath, 'utf8'),
      key: await readFile(keyPath, 'utf8')
    };
  }
}

import { inflateRawSync } from 'node:zlib';

/**
 * A file of a zip, or undefined when it has none of that name. For the zips of `./build.sh layer`: neither
 * encrypted nor larger than 4 GiB.
 *
 * Source: PKWARE APPNOTE, 4.3.7, 4.3.12, 4.3.16.
 */
export function fileOfZip(zip: Buffer, name: string): Buffer | undefined {
  const end = zip.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  let at = end < 0 ? zip.length : zip.readUInt32LE(end + 16);
  while (at < end && zip.readUInt32LE(at) === 0x02014b50) {
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((offset) => zip.readUInt16LE(at + offset));
    if (zip.toString('utf8', at + 46, at + 46 + nameBytes) === name) {
      return contents(zip, at);
    }
    at += 46 + nameBytes + extraBytes + commentBytes;
  }
  return undefined;
}

function contents(zip: Buffer, entry: number): Buffer {
  const method = zip.readUInt16LE(entry + 10);
  const bytes = zip.readUInt32LE(entry + 20);
  const local = zip.readUInt32LE(entry + 42);
  // Names and extra fields there need not be as long as in the directory.
  const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
  const data = zip.subarray(start, start + bytes);
  return method === 0 ? data : inflateRawSync(data);
}

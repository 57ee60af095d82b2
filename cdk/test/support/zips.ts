import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { crc32 } from './crc32';
import { temporaryFolder } from './temporary';

/** The names that `./build.sh layer` gives them. */
export const ZIPS = ['', '-x86_64', '-arm64'].map((suffix) => `kinesis-telemetry-api-extension${suffix}.zip`);

/** A folder with a small zip under each of these names, each with a program. */
export function zipFolder(names: string[] = ZIPS, program?: string): string {
  const folder = temporaryFolder();
  for (const name of names) {
    writeFileSync(join(folder, name), zip('extensions/kinesis-telemetry-api-extension', program ?? `#!/bin/sh\n# ${name}\n`));
  }
  return folder;
}

/** A zip of one executable file, stored or deflated. Source: PKWARE APPNOTE, 4.3.7, 4.3.12, 4.3.16. */
export function zip(name: string, text: string, deflated = false): Buffer {
  const path = Buffer.from(name);
  const plain = Buffer.from(text);
  const data = deflated ? deflateRawSync(plain) : plain;
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0); // version needed
  common.writeUInt16LE(deflated ? 8 : 0, 4); // method
  common.writeUInt16LE(0x21, 8); // 1980-01-01
  common.writeUInt32LE(crc32(plain), 10);
  common.writeUInt32LE(data.length, 14);
  common.writeUInt32LE(plain.length, 18);
  common.writeUInt16LE(path.length, 22);
  const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, path, data]);
  const tail = Buffer.alloc(14);
  tail.writeUInt32LE((0o100755 << 16) >>> 0, 6); // mode, in the external attributes
  const entry = Buffer.concat([Buffer.from('PK\x01\x02\x14\x03', 'latin1'), common, tail, path]);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(entry.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, entry, end]);
}

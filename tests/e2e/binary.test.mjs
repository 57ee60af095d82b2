/*
 * The ELF files that ship, as far as they have been built: what is in their headers, and their size.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { built } from './support/stand.mjs';

/* System V ABI, ELF-64; the machines by their own supplements. */
const ET_DYN = 3;
const MACHINES = { x86_64: 62, arm64: 183 };
const PT = { LOAD: 1, DYNAMIC: 2, INTERP: 3, GNU_STACK: 0x6474e551, GNU_RELRO: 0x6474e552 };
const PF = { X: 1, W: 2 };
const DT = { NEEDED: 1, RELA: 7, TEXTREL: 22, RELRSZ: 35, RELR: 36, FLAGS: 30, FLAGS_1: 0x6ffffffb };
const DF_TEXTREL = 4n;
const DF_BIND_NOW = 8n;
const DF_1_PIE = 0x08000000n;

/* A cold start pays for every page. */
const SIZE_MAX = { x86_64: 252_000 };
/* Lambda's kernels have pages of 4 KiB on both CPUs, others for arm64 up to 16. */
const PAGE = { x86_64: 4096, arm64: 16384 };

function table(at, size, count, entry) {
  return Array.from({ length: count }, (_, i) => entry(at + i * size));
}

/* { type, machine, segments, sections, dynamic }; offsets are those of the 64-bit structures. */
function elf(bytes) {
  assert.deepEqual([...bytes.subarray(0, 6)], [0x7f, ...Buffer.from('ELF'), 2, 1], '64 bits, little endian');
  const word = (at) => Number(bytes.readBigUInt64LE(at));
  const segments = table(word(32), bytes.readUInt16LE(54), bytes.readUInt16LE(56), (at) => ({
    type: bytes.readUInt32LE(at), flags: bytes.readUInt32LE(at + 4), offset: word(at + 8), address: word(at + 16),
    inFile: word(at + 32), inMemory: word(at + 40), align: word(at + 48)
  }));
  const { offset = 0, inFile = 0 } = segments.find((one) => one.type === PT.DYNAMIC) ?? {};
  const dynamic = table(offset, 16, inFile / 16, (at) => [word(at), bytes.readBigUInt64LE(at + 8)]);
  const [type, machine, sections] = [16, 18, 60].map((at) => bytes.readUInt16LE(at));
  return { type, machine, segments, sections, dynamic };
}

for (const [cpu, machine] of Object.entries(MACHINES)) {
  const path = built(cpu);
  describe(`the binary for ${cpu}`, { skip: !existsSync(path) && 'not built' }, () => {
    const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
    const file = () => elf(bytes);
    const ofType = (type) => file().segments.filter((one) => one.type === type);
    const valueOf = (tag) => file().dynamic.find(([one]) => one === tag)?.[1] ?? 0n;

    test('is for this machine', () => {
      assert.equal(file().machine, machine);
    });

    test('runs at any address', () => {
      assert.equal(file().type, ET_DYN);
      assert.equal(valueOf(DT.FLAGS_1) & DF_1_PIE, DF_1_PIE);
    });

    test('needs nothing: neither interpreter nor library', () => {
      assert.deepEqual(ofType(PT.INTERP), []);
      assert.equal(ofType(PT.DYNAMIC).length, 1);
      assert.deepEqual(file().dynamic.filter(([tag]) => tag === DT.NEEDED), []);
    });

    test('no memory is both writable and executable, the stack is not executable', () => {
      const loaded = ofType(PT.LOAD);
      assert.ok(loaded.length > 0);
      assert.deepEqual(loaded.filter(({ flags }) => (flags & PF.W) && (flags & PF.X)), []);
      assert.deepEqual(ofType(PT.GNU_STACK).map(({ flags }) => flags & PF.X), [0]);
      assert.ok(file().dynamic.every(([tag]) => tag !== DT.TEXTREL));
      assert.equal(valueOf(DT.FLAGS) & DF_TEXTREL, 0n);
    });

    test('what is relocated becomes read-only, to the last page', () => {
      const [relro, ...others] = ofType(PT.GNU_RELRO);
      assert.ok(relro && others.length === 0);
      const end = relro.address + relro.inMemory;
      assert.equal(end % PAGE[cpu], 0);
      const [dynamic] = ofType(PT.DYNAMIC);
      assert.ok(dynamic.address >= relro.address && dynamic.address + dynamic.inMemory <= end);
      assert.equal(valueOf(DT.FLAGS) & DF_BIND_NOW, DF_BIND_NOW);
      assert.ok(ofType(PT.LOAD).every(({ align }) => align === PAGE[cpu]));
    });

    test('what is to be relocated is told in the short form alone', () => {
      const tags = file().dynamic.map(([tag]) => tag);
      assert.ok(tags.includes(DT.RELR) && !tags.includes(DT.RELA));
      const packed = Number(valueOf(DT.RELRSZ));
      assert.ok(packed > 0 && packed < 200, `${packed} bytes`);
    });

    test('has nothing behind its segments: no symbols, no sections', () => {
      assert.equal(file().sections, 0);
      assert.equal(bytes.length, Math.max(...ofType(PT.LOAD).map(({ offset, inFile }) => offset + inFile)));
    });

    if (SIZE_MAX[cpu]) {
      test(`has at most ${SIZE_MAX[cpu].toLocaleString('en')} bytes`, () => {
        assert.ok(bytes.length <= SIZE_MAX[cpu], `${bytes.length} bytes`);
      });
    }
  });
}

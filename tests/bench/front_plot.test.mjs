/*
 * The front page's drawing: what is in the repository is what the bench draws, of the figures that the documents name.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { frontPlot } from './front_plot.mjs';

const NAMES = ['ours', 'rust', 'go', 'node'];
const there = readFileSync(new URL('compared.svg', import.meta.url), 'utf8');
const machine = { cpu: 'CPU', cores: 2, date: '2026-11-30T22:00:00.000Z' };

function measured(medians) {
  return Object.entries(medians).map(([id, values]) =>
    ({ id, subjects: Object.fromEntries(values.map((median, i) => [NAMES[i], { median }])) }));
}

/* The figures of a panel, in the order of NAMES. */
function figures(svg, id) {
  const [, panel] = svg.match(new RegExp(`<g id="${id}">([^]*?)</g>`));
  const texts = [...panel.matchAll(/<text x="[\d.]+" y="\d+">([\d.,]+)<\/text>/g)];
  return texts.map(([, text]) => Number(text.replace(',', '')));
}

test('it shows each median, in bars as long as they are large', () => {
  const medians = {
    next: [0.694, 2.61, 4.3, 94], memory100k: [0.95, 14.4, 17.2, 120], cpu200: [0.0984, 0.33, 1, 1.78]
  };
  const svg = frontPlot(measured(medians), machine);
  assert.deepEqual(['next', 'memory100k', 'cpu200'].map((id) => figures(svg, id)),
    [[0.69, 2.6, 4.3, 94], [0.95, 14, 17, 120], [0.098, 0.33, 1, 1.8]]);
  const bars = svg.matchAll(/<rect class="\w+" x="\d+" y="\d+" width="([\d.]+)"/g);
  const widths = [...bars].map(([, width]) => Number(width));
  assert.equal(widths.length, 12);
  assert.ok(Math.abs(widths[2] / widths[3] - 4.3 / 94) < 0.001);
});

for (const [what, medians] of [
  ['a panel', { next: [1, 2, 3, 4], memory100k: [1, 2, 3, 4] }],
  ['a rival', { next: [1, 2, 3, 4], memory100k: [1, 2, 3], cpu200: [1, 2, 3, 4] }]
]) {
  test(`without ${what} there is none`, () => assert.equal(frontPlot(measured(medians), machine), null));
}

test('the one in the repository has its style for dark pages, and a title', () => {
  assert.match(there, /@media \(prefers-color-scheme: dark\)/);
  assert.match(there, /<title>.*Rust.*Go.*Node/);
  assert.doesNotMatch(there, /NaN|undefined|https?:(?!\/\/www\.w3\.org\/2000\/svg")/);
});

test('the table of tests/README.md has the same figures', () => {
  const document = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  for (const [id, row] of [
    ['next', 'from exec to ready'], ['memory100k', 'memory after 100,000 events'],
    ['cpu200', 'CPU for 100,000 events of 200 bytes']
  ]) {
    const [, cells] = document.match(new RegExp(`^\\| ${row}[^|]*\\|(.*)\\|$`, 'm'));
    const told = cells.split('|').map(Number);
    const shown = figures(there, id);
    assert.equal(shown.length, 4);
    shown.forEach((one, i) =>
      assert.ok(Math.abs(one / told[i] - 1) < 0.05, `${id}: ${one} is drawn, ${told[i]} is told`));
  }
});

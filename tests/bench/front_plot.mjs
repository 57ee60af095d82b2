/*
 * The front page's drawing: what a start, memory and an event cost beside the rivals, one panel each, side by side.
 * It brings its own background, light or dark as the reader's system is, so that it can be read on pages of both kinds.
 */
import { number } from './tables.mjs';

const PANELS = [
  ['next', 'Cold start', 'ms from exec to ready'],
  ['memory100k', 'Memory', 'MB after 100,000 events'],
  ['cpu200', 'CPU', 's for 100,000 events of 200 bytes']
];
const SUBJECTS = [['ours', 'this one'], ['rust', 'Rust'], ['go', 'Go'], ['node', 'Node.js']];

const PANEL = 280;
const LABEL = 64;
const VALUE = 52; /* room behind the longest bar */
const BAR = 18;
const STEP = 28;
const TOP = 62;
const WIDTH = PANELS.length * PANEL + 20;
const HEIGHT = TOP + SUBJECTS.length * STEP + 34;

/* Two digits that count, and none after the point from ten on. */
function short(value) {
  return number(value, value >= 10 ? 0 : value >= 1 ? 1 : value >= 0.1 ? 2 : 3);
}

function bar([name, label], i, { subjects }, most, x) {
  const { median } = subjects[name];
  const y = TOP + i * STEP;
  const width = Math.max(1.5, ((PANEL - LABEL - VALUE) * median) / most).toFixed(1);
  return `<text class="name" x="${x + LABEL - 8}" y="${y + 13}">${label}</text>
<rect class="${name === 'ours' ? 'ours' : 'other'}" x="${x + LABEL}" y="${y}" width="${width}" height="${BAR}" rx="2"/>
<text x="${(x + LABEL + Number(width) + 6).toFixed(1)}" y="${y + 13}">${short(median)}</text>`;
}

function panel([id, title, unit], measure, x) {
  const there = SUBJECTS.filter(([name]) => measure.subjects[name]);
  const most = Math.max(...there.map(([name]) => measure.subjects[name].median));
  return `<g id="${id}">
<text class="title" x="${x + 4}" y="26">${title}</text>
<text class="unit" x="${x + 4}" y="44">${unit}</text>
${there.map((subject, i) => bar(subject, i, measure, most, x)).join('\n')}
</g>`;
}

/*
 * measures  as of evaluate()
 *
 * Returns null when one of the panels, or of the rivals, was not measured.
 */
export function frontPlot(measures, { cpu, cores, date }) {
  const panels = PANELS.map((one) => [one, measures.find(({ id }) => id === one[0])]);
  if (panels.some(([, measure]) => !measure || SUBJECTS.some(([name]) => !measure.subjects[name]))) {
    return null;
  }
  const drawn = panels.map(([one, measure], i) => panel(one, measure, 16 + i * PANEL));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img">
<title>Cold start, memory and CPU of this extension, and of extensions in Rust, Go and Node.js: less is better</title>
<style>
.page { fill: #fff; stroke: #d0d7de }
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.title { font-size: 15px; font-weight: 600 }
.name { text-anchor: end }
.unit, .foot { fill: #59636e }
.ours { fill: #0969da }
.other { fill: #afb8c1 }
@media (prefers-color-scheme: dark) {
.page { fill: #0d1117; stroke: #3d444d }
text { fill: #f0f6fc }
.unit, .foot { fill: #9198a1 }
.ours { fill: #4493f8 }
.other { fill: #656c76 }
}
</style>
<rect class="page" x="0.5" y="0.5" width="${WIDTH - 1}" height="${HEIGHT - 1}" rx="6"/>
${drawn.join('\n')}
<text class="foot" x="20" y="${HEIGHT - 14}">Medians, less is better. ${cores} cores, ${cpu}; ${date.slice(0, 10)}.</text>
</svg>
`;
}

/*
 * The results as a drawing in SVG: a panel for each measure, a bar for each subject's median, whiskers from min
 * to max. Where figures lie far apart, the scale is logarithmic, and says so.
 */
import { number } from './tables.mjs';

const WIDTH = 880;
const LABEL = 90;
const VALUE = 150; /* room behind the longest bar */
const BAR = 16;
const GAP = 6;
const TITLE = 26;
const PANEL_GAP = 22;
const HEAD = 56;
const FAR_APART = 20;

const COLOURS = {
  ours: '#1b6ca8', launcher: '#5b9bd5', empty: '#9aa5ad', node: '#6a994e', go: '#2a9d8f', rust: '#c8553d'
};
const OTHER = '#7d6b91';

const escaped = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

/* A panel's scale: value to x. Logarithmic ones begin at the power of ten below the least value. */
function scale(subjects) {
  const all = Object.values(subjects).flatMap(({ median, min, max }) => [median, min, max]);
  const [least, most] = [Math.min(...all), Math.max(...all)];
  const medians = Object.values(subjects).map(({ median }) => median);
  const room = WIDTH - LABEL - VALUE;
  if (least > 0 && Math.max(...medians) / Math.min(...medians) > FAR_APART) {
    const from = Math.floor(Math.log10(least * 0.999));
    const span = Math.log10(most) - from;
    return { logarithmic: true, x: (value) => LABEL + (room * (Math.log10(value) - from)) / span };
  }
  return { logarithmic: false, x: (value) => LABEL + (most > 0 ? (room * value) / most : 0) };
}

function bar([name, { median, min, max }], y, x, digits) {
  const middle = y + BAR / 2;
  const [left, right, end] = [x(min), x(max), x(median)].map((value) => Number(value.toFixed(1)));
  const width = Math.max(1, end - LABEL).toFixed(1);
  return `<text class="name" x="${LABEL - 8}" y="${middle + 4}">${escaped(name)}</text>
<rect x="${LABEL}" y="${y}" width="${width}" height="${BAR}" fill="${COLOURS[name] ?? OTHER}"/>
<path class="whisker" d="M${left} ${middle}H${right}M${left} ${middle - 4}v8M${right} ${middle - 4}v8"/>
<text class="value" x="${Math.max(right, end) + 8}" y="${middle + 4}">${number(median, digits)}</text>`;
}

function panel({ title, unit, digits, subjects }, y) {
  const { x, logarithmic } = scale(subjects);
  const bars = Object.entries(subjects).map((subject, i) => bar(subject, y + TITLE + i * (BAR + GAP), x, digits));
  const heading = `${title}, ${unit}${logarithmic ? ' (logarithmic)' : ''}`;
  return `<text class="title" x="0" y="${y + 14}">${escaped(heading)}</text>
${bars.join('\n')}`;
}

const heightOf = ({ subjects }) => TITLE + Object.keys(subjects).length * (BAR + GAP) + PANEL_GAP;

/*
 * measures  as of evaluate()
 * subtitle  one line about the machine
 */
export function plot(measures, subtitle) {
  let y = HEAD;
  const panels = measures.filter(({ subjects }) => Object.keys(subjects).length > 0).map((measure) => {
    const drawn = panel(measure, y);
    y += heightOf(measure);
    return drawn;
  });
  const size = `viewBox="-16 0 ${WIDTH + 32} ${y}" width="${WIDTH + 32}" height="${y}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size}>
<style>
text { font: 12px system-ui, sans-serif; fill: #222 }
.head { font-size: 17px; font-weight: 600 }
.title { font-weight: 600 }
.name { text-anchor: end }
.whisker { stroke: #222; fill: none }
</style>
<rect x="-16" width="${WIDTH + 32}" height="${y}" fill="#fff"/>
<text class="head" x="0" y="22">Benchmarks: medians, with least and greatest</text>
<text x="0" y="40">${escaped(subtitle)}</text>
${panels.join('\n')}
</svg>
`;
}

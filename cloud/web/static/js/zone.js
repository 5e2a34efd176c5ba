// One zone: the chart with its limit band, breaches, holes, and the lots that were present on the same time axis.
import { _, lang, serverNow, zone } from './facts.js';
import { dm, duration, hm, number, quantity, short, when } from './formats.js';
import { values } from './live.js';
import { onTheme, renewed, start, token } from './page.js';
import { hatchDefs, onWidth, s } from './svg.js';
import { hear, show } from './worst.js';

const chart = document.getElementById('chart'), box = document.getElementById('plot'), lanes = document.getElementById('lanes'), readout = document.getElementById('readout');
const buttons = [...chart.querySelectorAll('[data-hours]')];
const LEFT = 58, RIGHT = 14;
let series, plot, view, range = buttons.find((b) => b.dataset.range === chart.dataset.range) || buttons[1];
let tail = null; // the newest live value, drawn until the next bucket has it

async function load() {
  chart.setAttribute('aria-busy', 'true');
  const until = serverNow(), from = until - range.dataset.hours * 3_600_000;
  const wanted = new URLSearchParams({ from: new Date(from).toISOString(), buckets: box.clientWidth < 600 ? 360 : 720 });
  const asked = range;
  const answer = await fetch(`/api/v1/zones/${encodeURIComponent(chart.dataset.zone)}/series?${wanted}`).catch(() => null);
  chart.removeAttribute('aria-busy');
  if (!answer?.ok || asked !== range) return;
  series = prepare(await answer.json());
  draw();
}
function prepare(raw) {
  const ms = (iso) => (iso == null ? null : Date.parse(iso));
  const time = (list) => list.map((item) => ({ ...item, from: ms(item.from_at ?? item.onset_at), to: ms(item.until_at ?? item.ended_at) }));
  const { at, min, mean, max } = raw.buckets, half = raw.step_s / 2;
  const rows = at.map((iso, i) => [ms(iso) / 1000 + half, max[i], min[i], mean[i]]);
  // a null row inside each hole, so that no line is drawn across it
  for (const gap of raw.gaps) rows.push([(ms(gap.from_at) + ms(gap.until_at)) / 2000, null, null, null]);
  rows.sort((a, b) => a[0] - b[0]);
  const low = raw.low == null ? null : Number(raw.low), high = raw.high == null ? null : Number(raw.high);
  return { from: ms(raw.from_at), now: ms(raw.now), until: ms(raw.until_at), step: raw.step_s, unit: raw.unit, low, high, rows, gaps: time(raw.gaps), breaches: time(raw.breaches), lots: time(raw.lots), data: [0, 1, 2, 3].map((i) => rows.map((row) => row[i])) };
}
const isFine = () => series.step <= 60;
const end = (item) => item.to ?? series.now;

function scaleY() {
  const known = [...series.data[1], ...series.data[2], series.low, series.high, tail?.value].filter((v) => v != null);
  if (!known.length) return [-1, 1];
  const low = Math.min(...known), high = Math.max(...known), room = Math.max((high - low) * 0.12, 1);
  return [low - room, high + room];
}
function draw() {
  for (const button of buttons) button.setAttribute('aria-pressed', String(button === range));
  plot?.destroy();
  box.replaceChildren();
  view = [series.from / 1000, series.now / 1000 + (series.now - series.from) * 0.000012];
  const full = view, [low, high] = scaleY(), line = token('--line');
  const axis = { stroke: token('--ink-2'), font: '13px system-ui, sans-serif', grid: { stroke: token('--rule'), width: 1 }, ticks: { show: false } };
  const hidden = { stroke: 'transparent', width: 0, points: { show: false } };
  plot = new window.uPlot({
    width: box.clientWidth, height: innerWidth < 700 ? 260 : 340, padding: [10, RIGHT, 0, 0], legend: { show: false },
    tzDate: (ts) => window.uPlot.tzDate(new Date(ts * 1000), zone),
    cursor: { points: { size: 9, fill: line }, drag: { x: true, y: false }, y: false },
    scales: { x: { time: true, range: (u, a, b) => (u.data[0].length && a !== u.data[0][0] ? [a, b] : full) }, y: { range: () => [low, high] } },
    axes: [{ ...axis, size: 30, space: 62, values: (u, splits, _a, _b, incr) => splits.map((t) => (incr >= 86400 || hm(t * 1000) === '00:00' ? dm(t * 1000) : hm(t * 1000))) },
      { ...axis, size: LEFT, values: (u, ticks) => ticks.map((v) => number(v, Number.isInteger(ticks[1] - ticks[0]) ? 0 : 1)) }],
    series: [{}, hidden, hidden, { stroke: line, width: 1.8, points: { show: false }, spanGaps: false }],
    bands: isFine() ? [] : [{ series: [1, 2], fill: `${token('--range')}99` }],
    hooks: { drawClear: [under], draw: [over], setCursor: [(u) => read(u.cursor.idx)], setScale: [(u, key) => { if (key === 'x') { view = [u.scales.x.min, u.scales.x.max]; drawLots(); } }] },
  }, series.data, box);
  read(null);
  drawLots();
}

// beneath the line: limit band, breach columns, holes
function under(u) {
  const { ctx, bbox } = u, k = devicePixelRatio, X = (t) => u.valToPos(t / 1000, 'x', true), Y = (v) => u.valToPos(v, 'y', true);
  ctx.save(); ctx.beginPath(); ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height); ctx.clip();
  if (series.low != null || series.high != null) {
    const top = series.high == null ? bbox.top : Y(series.high), bottom = series.low == null ? bbox.top + bbox.height : Y(series.low);
    ctx.fillStyle = token('--band'); ctx.fillRect(bbox.left, top, bbox.width, bottom - top);
  }
  ctx.fillStyle = token('--breach-tint');
  for (const b of series.breaches) if (b.status !== 'pending') ctx.fillRect(X(b.from), bbox.top, Math.max(X(end(b)) - X(b.from), 3 * k), bbox.height);
  for (const gap of series.gaps) hatch(ctx, X(gap.from), bbox.top, Math.max(X(gap.to) - X(gap.from), 4 * k), bbox.height, k);
  ctx.strokeStyle = token('--band-edge'); ctx.lineWidth = 1.5 * k; ctx.setLineDash([5 * k, 3 * k]);
  for (const v of [series.high, series.low]) if (v != null) { ctx.beginPath(); ctx.moveTo(bbox.left, Y(v)); ctx.lineTo(bbox.left + bbox.width, Y(v)); ctx.stroke(); }
  ctx.restore();
}
function hatch(ctx, x, y, w, height, k) {
  ctx.save(); ctx.beginPath(); ctx.rect(x, y, w, height); ctx.clip(); ctx.fillStyle = token('--unknown-tint'); ctx.fillRect(x, y, w, height); ctx.strokeStyle = token('--hatch'); ctx.lineWidth = 2 * k;
  for (let d = -height; d < w; d += 9 * k) { ctx.beginPath(); ctx.moveTo(x + d, y + height); ctx.lineTo(x + d + height, y); ctx.stroke(); }
  ctx.restore();
}
// above the line: what lies beyond a limit, and the last value
function over(u) {
  const { ctx, bbox } = u, k = devicePixelRatio, X = (t) => u.valToPos(t, 'x', true), Y = (v) => u.valToPos(v, 'y', true);
  ctx.save(); ctx.beginPath(); ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height); ctx.clip();
  for (const [limit, column, sign] of [[series.high, 1, 1], [series.low, 2, -1]]) if (limit != null) for (const part of beyond(limit, column, sign)) {
    const t0 = part[0][0], t1 = part.at(-1)[0];
    const bad = series.breaches.some((b) => b.status !== 'pending' && (t1 + series.step) * 1000 > b.from && t0 * 1000 < end(b));
    if (!bad && series.step >= 3600) continue; // over weeks a short excess is only the upper edge of min … max
    ctx.fillStyle = token(bad ? '--breach' : '--warn'); ctx.beginPath(); ctx.moveTo(X(t0), Y(limit));
    for (const [t, v] of part) ctx.lineTo(X(t), Y(v));
    ctx.lineTo(X(t1), Y(limit)); ctx.fill();
  }
  ctx.restore();
  mark(u, ctx, k, X, Y);
}
function beyond(limit, column, sign) {
  const parts = [];
  let part = null, before = null;
  for (const row of series.rows) {
    const v = row[column];
    if (v != null && sign * (v - limit) > 0) {
      if (!part) parts.push(part = before?.[column] != null ? [crossing(before, row, column, limit)] : []);
      part.push([row[0], v]);
    } else if (part) { if (v != null) part.push(crossing(before, row, column, limit)); part = null; }
    before = row;
  }
  return parts;
}
const crossing = (a, b, column, limit) => [a[0] + (b[0] - a[0]) * (limit - a[column]) / (b[column] - a[column] || 1), limit];
function last() {
  const row = series.rows.findLast((r) => r[3] != null);
  if (tail && tail.at > series.now - 30_000) return [tail.at / 1000, tail.value, tail.text];
  return row && series.now / 1000 - row[0] < 600 ? [row[0], row[3], null] : null;
}
function mark(u, ctx, k, X, Y) {
  const now = last();
  if (!now || now[0] > u.scales.x.max + 60) return;
  const [t, v] = now, bad = (series.high != null && v > series.high) || (series.low != null && v < series.low);
  const x = Math.min(X(t), u.bbox.left + u.bbox.width), colour = token(bad ? '--breach-ink' : '--line');
  ctx.save(); ctx.fillStyle = colour; ctx.strokeStyle = token('--surface'); ctx.lineWidth = 2 * k; ctx.beginPath(); ctx.arc(x, Y(v), 5.5 * k, 0, 7); ctx.fill(); ctx.stroke();
  ctx.font = `700 ${15 * k}px system-ui, sans-serif`; ctx.textAlign = 'right'; ctx.lineWidth = 4 * k; ctx.lineJoin = 'round';
  const text = now[2] ?? quantity(v, series.unit, 1);
  ctx.strokeText(text, x - 12 * k, Y(v) - 8 * k); ctx.fillText(text, x - 12 * k, Y(v) - 8 * k); ctx.restore();
}

// the words above the chart follow the finger
function read(index) {
  const live = index == null, row = live ? last() : series.rows[index];
  const t = row ? row[0] * 1000 : series.now;
  const happening = [];
  if (series.breaches.some((b) => b.status !== 'pending' && t >= b.from && t <= end(b))) happening.push(_('breach'));
  const b = document.createElement('b');
  if (live) b.textContent = row ? row[2] ?? quantity(row[1], series.unit, 1) : _('No readings');
  else b.textContent = row[3] == null ? _('No readings') : isFine() ? quantity(row[3], series.unit, 1) : `${number(row[2], 1)} … ${quantity(row[1], series.unit, 1)}`;
  const left = document.createElement('span');
  left.append(b, ` ${live ? (row ? when(t) : '') : when(t)}`, happening.length ? ` · ${happening.join(', ')}` : '');
  const right = document.createElement('span');
  right.className = 'only-wide';
  right.textContent = isFine() ? _('buckets of {duration}: mean', { duration: duration(series.step * 1000) }) : _('buckets of {duration}: min, mean, max', { duration: duration(series.step * 1000) });
  readout.replaceChildren(left, right);
  const cross = lanes.querySelector('.cross');
  if (cross) {
    const x = LEFT + (t / 1000 - view[0]) / (view[1] - view[0]) * (lanes.clientWidth - LEFT - RIGHT);
    cross.setAttribute('x1', x); cross.setAttribute('x2', x); cross.setAttribute('visibility', live ? 'hidden' : 'visible');
  }
}

// lots on the chart's own time axis; the part of a lot that was in a breach is red
function drawLots() {
  const W = box.clientWidth, [t0, t1] = [view[0] * 1000, view[1] * 1000];
  const X = (t) => LEFT + Math.min(1, Math.max(0, (t - t0) / (t1 - t0))) * (W - LEFT - RIGHT);
  const present = series.lots.filter((lot) => end(lot) > t0 && lot.from < t1);
  const rows = [], packed = present.length > 12, rowH = present.length > 26 ? 12 : present.length > 13 ? 18 : 27;
  const out = [hatchDefs()];
  for (const lot of present) {
    let row = packed ? rows.findIndex((free) => free < X(lot.from) - 2) : -1;
    if (row < 0) row = rows.push(0) - 1;
    const a = X(lot.from), b = X(end(lot)), y = row * rowH + 2, name = lot.name[lang];
    rows[row] = b;
    const weight = lot.quantity_kg ? `, ${short(lot.quantity_kg)} kg` : '';
    const g = s('g', s('title', `${lot.key} ${name}${weight}`), s('rect.lot', { x: a, width: Math.max(b - a, 3), y, height: rowH - 4, rx: 2 }));
    for (const breach of series.breaches) {
      const p = Math.max(lot.from, breach.from), q = Math.min(end(lot), end(breach));
      if (breach.status !== 'pending' && q > p && q > t0 && p < t1) g.append(s('rect.hitpart', { x: X(p), width: Math.max(X(q) - X(p), 2), y, height: rowH - 4 }));
    }
    if (rowH > 16) {
      const text = b - a > 300 ? `${lot.key}  ${name}${weight}` : b - a > 110 ? lot.key : '';
      if (text) g.append(s('text.in', { x: Math.max(a, LEFT) + 7, y: y + rowH / 2 + 3 }, text));
      else if (!packed) g.append(a > W / 2 ? s('text', { x: a - 6, y: y + rowH / 2 + 3, 'text-anchor': 'end' }, lot.key) : s('text', { x: b + 6, y: y + rowH / 2 + 3 }, lot.key));
    }
    out.push(s('a', { href: `/lots/${encodeURIComponent(lot.key)}` }, g));
  }
  const H = rows.length * rowH + (rows.length ? 6 : 0);
  lanes.setAttribute('height', H);
  lanes.setAttribute('aria-label', _('Lots present ({n})', { n: present.length }));
  document.getElementById('lots-head').textContent = _('Lots present ({n})', { n: present.length });
  document.getElementById('lots-none').hidden = present.length > 0;
  lanes.replaceChildren(...out, s('line.cross', { y1: 0, y2: H, visibility: 'hidden' }));
}

for (const button of buttons) button.addEventListener('click', () => {
  range = button;
  const url = new URL(location.href);
  url.searchParams.set('range', button.dataset.range);
  history.replaceState(null, '', url);
  load();
});

// the value on top moves as it is measured
function paint() {
  const shown = show(document.getElementById('head'));
  if (!shown) return;
  tail = { at: Date.parse(shown.observed_at), value: Number(shown.value), text: quantity(shown.value, shown.unit) };
  if (plot && plot.cursor.idx == null) { plot.redraw(false, false); read(null); }
}
values((list) => { hear(list); paint(); });
renewed(paint);
onTheme(() => series && draw());
onWidth(box, () => (series ? draw() : load()));
setInterval(() => { if (document.visibilityState === 'visible') load(); }, 30_000);
start((change) => change.kind !== 'gateway');

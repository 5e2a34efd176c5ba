// The journey of a lot: one time axis, the corridor of limits it should have stayed in, the line it drew, its zones as a ribbon.
import { _, lang } from './facts.js';
import { dm, duration, hm, number, quantity } from './formats.js';
import { hatchDefs, onWidth, s } from './svg.js';

const ms = (iso) => (iso == null ? null : Date.parse(iso));

export function journey(box, readout) {
  const svg = s('svg.journey', { role: 'img', 'aria-label': _('Temperature of the lot through its zones') });
  box.append(svg);
  let story = null;
  onWidth(box, (width) => story && draw(svg, story, width, readout));
  return (raw) => { story = prepare(raw); draw(svg, story, box.clientWidth, readout); };
}

function prepare(raw) {
  const now = ms(raw.now), half = raw.bucket_s * 500;
  const stops = [...mainLine(raw), ...raw.stops.map((stop, i) => [stop, i + 1])].map(([stop, number]) => {
    const from = ms(stop.from_at), to = ms(stop.until_at) ?? now;
    const points = stop.buckets.at.map((at, k) => ({ at: Math.min(to, Math.max(from, ms(at) + half)), low: stop.buckets.min[k], mean: stop.buckets.mean[k], high: stop.buckets.max[k] }));
    const steps = (kind) => stop.limits.filter((step) => step.kind === kind).map((step) => ({ value: Number(step.setpoint), from: ms(step.from_at), to: ms(step.until_at) }));
    const highs = steps('above'), lows = steps('below');
    const hi = Math.min(...highs.map((step) => step.value)), lo = Math.max(...lows.map((step) => step.value));
    return { number, isPast: number === '·', name: stop.name[lang], from, to, isOpen: stop.until_at == null, points, highs, lows, hi: highs.length ? hi : null, lo: lows.length ? lo : null,
      unknown: stop.unknown.map((span) => [ms(span.from_at), ms(span.until_at)]),
      breaches: stop.breaches.map((breach) => ({ from: ms(breach.exposed_from), to: ms(breach.exposed_until), isOpen: breach.ended_at == null })) };
  });
  return { stops, from: ms(raw.from_at), to: ms(raw.until_at), bucket: raw.bucket_s * 1000 };
}

// Of several ancestors at a time the one with the largest share is drawn; the list names them all.
function mainLine(raw) {
  const line = [];
  for (const part of (raw.inherited ?? []).toSorted((a, b) => Number(b.share ?? 0) - Number(a.share ?? 0))) {
    for (const stop of part.stops) {
      const isFree = line.every(([other]) => ms(stop.from_at) >= ms(other.until_at) || ms(stop.until_at) <= ms(other.from_at));
      const isBefore = raw.stops.every((own) => ms(stop.until_at) <= ms(own.from_at));
      if (isFree && isBefore) line.push([stop, '·']);
    }
  }
  return line.toSorted((a, b) => ms(a[0].from_at) - ms(b[0].from_at));
}

function scale(stops) {
  const known = stops.flatMap((stop) => [...stop.points.flatMap((p) => [p.low, p.high]), stop.hi, stop.lo]).filter((v) => v != null);
  if (!known.length) return { low: -1, high: 1, ticks: [0] };
  const min = Math.min(...known), max = Math.max(...known), room = Math.max((max - min) * 0.1, 1);
  const step = [1, 2, 5, 10, 20].find((n) => (max - min + 2 * room) / n <= 7) || 50;
  const low = min - room, high = max + room, ticks = [];
  for (let v = Math.ceil(low / step) * step; v <= high; v += step) ticks.push(v);
  return { low, high, ticks };
}

function draw(svg, story, W, readout) {
  const { stops } = story, small = W < 620, LEFT = 40, RIGHT = small ? 10 : 20, TOP = 16, plotH = small ? 210 : 300, ribbon = TOP + plotH + 14, ribbonH = small ? 34 : 46, H = ribbon + ribbonH + 30;
  const t0 = story.from, t1 = story.to + (story.to - story.from) * 0.004 || t0 + 1, axis = scale(stops);
  const X = (t) => LEFT + (t - t0) / (t1 - t0) * (W - LEFT - RIGHT), Y = (v) => TOP + (axis.high - v) / (axis.high - axis.low) * plotH;
  const out = [hatchDefs()], add = (...nodes) => out.push(...nodes);
  for (const v of axis.ticks) add(s('line.grid', { x1: LEFT, x2: W - RIGHT, y1: Y(v), y2: Y(v) }), s('text.tick', { x: LEFT - 8, y: Y(v) + 4, 'text-anchor': 'end' }, number(v, 0)));
  for (const stop of stops) corridor(stop, add, X, Y, axis);
  for (const stop of stops) for (const [a, b] of stop.unknown) add(s('rect.unkband', { x: X(a), width: Math.max(X(b) - X(a), 4), y: TOP, height: plotH }));
  for (const stop of stops.slice(1)) add(s('line.move', { x1: X(stop.from), x2: X(stop.from), y1: TOP, y2: ribbon + ribbonH }));
  for (const stop of stops) for (const run of runs(stop, story.bucket)) {
    if (story.bucket > 120_000) add(s('path.range', { d: `M${run.map((p) => `${X(p.at).toFixed(1)} ${Y(p.high).toFixed(1)}`).join('L')}L${run.toReversed().map((p) => `${X(p.at).toFixed(1)} ${Y(p.low).toFixed(1)}`).join('L')}Z` }));
    if (stop.hi != null) for (const part of beyond(run, stop.hi)) {
      const bad = stop.breaches.some((b) => part.at(-1)[0] >= b.from && part[0][0] <= b.to);
      add(s(bad ? 'path.over' : 'path.overtol', { d: `M${part.map(([t, v]) => `${X(t).toFixed(1)} ${Y(v).toFixed(1)}`).join('L')}Z` }));
    }
    add(s(`path.ln${stop.isPast ? '.past' : ''}`, { d: `M${run.map((p) => `${X(p.at).toFixed(1)} ${Y(p.mean).toFixed(1)}`).join('L')}${run.length === 1 ? 'h.01' : ''}` }));
  }
  if (!small) labels(stops, add, X, Y);
  const last = stops.at(-1)?.points.at(-1), open = stops.at(-1);
  if (last && open.isOpen) {
    const bad = open.breaches.some((b) => b.isOpen);
    add(s('circle', { cx: X(last.at), cy: Y(last.mean), r: 5.5, class: bad ? 'over' : 'dot' }), s(`text.lab${bad ? '.callout' : '.now'}`, { x: X(last.at) - 10, y: Y(last.mean) - 12, 'text-anchor': 'end' }, quantity(last.mean, '°C', 1)));
  }
  for (const stop of stops) zone(stop, add, X, ribbon, ribbonH);
  hours(add, t0, t1, X, W, H, ribbon + ribbonH, small);
  const cross = s('line.cross', { y1: TOP, y2: ribbon + ribbonH, visibility: 'hidden' });
  add(cross);
  svg.setAttribute('viewBox', `0 0 ${W} ${H}`);
  svg.setAttribute('height', H);
  svg.replaceChildren(...out);
  follow(svg, cross, stops, readout, (x) => t0 + (x - LEFT) / (W - LEFT - RIGHT) * (t1 - t0), X);
}

// what the lot should have stayed in, limit by limit as each held
function corridor(stop, add, X, Y, axis) {
  if (stop.hi == null && stop.lo == null) return;
  const top = stop.hi ?? axis.high, bottom = stop.lo ?? axis.low;
  add(s('rect.corr', { x: X(stop.from), width: Math.max(X(stop.to) - X(stop.from), 1), y: Y(top), height: Math.max(Y(bottom) - Y(top), 0) }));
  for (const step of [...stop.highs, ...stop.lows]) add(s('line.limline', { x1: X(step.from), x2: X(step.to), y1: Y(step.value), y2: Y(step.value) }));
}
function labels(stops, add, X, Y) {
  for (const stop of stops) {
    const width = X(stop.to) - X(stop.from);
    if (stop.hi != null && width > 90) add(s('text.lab.tick', { x: X(stop.from) + 6, y: Y(stop.hi) - 6 }, `≤ ${number(stop.hi, stop.hi % 1 ? 1 : 0)}`));
    for (const [a, b] of stop.unknown) if (X(b) - X(a) > 8) add(s('text.unkname.lab', { x: (X(a) + X(b)) / 2, y: 30, 'text-anchor': 'middle' }, _('{duration} without readings', { duration: duration(b - a) })));
  }
}
function zone(stop, add, X, y, height) {
  const a = X(stop.from), b = X(stop.to), w = Math.max(b - a, 1);
  add(s(`rect.seg${stop.isPast ? '.past' : ''}`, { x: a, width: w, y, height }));
  for (const [p, q] of stop.unknown) add(s('rect.seg-unk', { x: X(p), width: Math.max(X(q) - X(p), 4), y, height }));
  for (const breach of stop.breaches) add(s('rect.seg-bad', { x: X(breach.from), width: Math.max(X(breach.to) - X(breach.from), 3), y, height }));
  add(s('line.seg-edge', { x1: a, x2: a, y1: y, y2: y + height }));
  const full = w > stop.name.length * 8 + 40;
  const clear = Math.max(a, ...stop.unknown.filter(([p]) => X(p) < a + stop.name.length * 8 + 40).map(([, q]) => X(q)));
  if (w > 18) add(s('text.seg-name', { x: full && clear < b - stop.name.length * 8 - 40 ? clear + 10 : full ? a + 10 : (a + b) / 2, y: y + height / 2 + 5, 'text-anchor': full ? 'start' : 'middle' }, full ? `${stop.number}  ${stop.name}` : String(stop.number)));
}
function hours(add, t0, t1, X, W, H, y, small) {
  const HOUR = 3_600_000, span = (t1 - t0) / HOUR;
  const step = (small ? [1, 3, 6, 12, 24, 48, 96, 168] : [0.5, 1, 2, 4, 6, 12, 24, 48, 96, 168]).find((n) => span / n <= (small ? 5 : 10)) || 336;
  const zero = midnight(t0);
  for (let t = zero; t < t1; t += step * HOUR) {
    if (t < t0) continue;
    add(s('text.tick', { x: Math.min(Math.max(X(t), 24), W - 20), y: H - 6, 'text-anchor': 'middle' }, hm(t) === '00:00' ? dm(t) : hm(t)), s('line.move', { x1: X(t), x2: X(t), y1: y, y2: y + 5 }));
  }
}
// the site's midnight before a time, read off its own clock
function midnight(t) { const [h, m] = hm(t).split(':').map(Number); return t - t % 60_000 - (h * 60 + m) * 60_000; }

function runs(stop, bucket) {
  const found = [];
  let run = null, before = null;
  for (const point of stop.points) {
    const isApart = before && stop.unknown.some(([a, b]) => a < point.at && b > before.at && b - a > bucket);
    if (!run || isApart) found.push(run = []);
    run.push(point);
    before = point;
  }
  return found;
}
// closed areas between the limit and the highest values above it
function beyond(run, limit) {
  const parts = [];
  let part = null, before = null;
  const cross = (a, b) => [a.at + (b.at - a.at) * (limit - a.high) / (b.high - a.high || 1), limit];
  for (const point of run) {
    if (point.high > limit) {
      if (!part) parts.push(part = [before ? cross(before, point) : [point.at, limit]]);
      part.push([point.at, point.high]);
    } else if (part) { part.push(cross(before, point)); part = null; }
    before = point;
  }
  if (part) part.push([before.at, limit]);
  return parts;
}
function follow(svg, cross, stops, readout, timeAt, X) {
  const all = stops.flatMap((stop) => stop.points.map((point) => ({ ...point, number: stop.number, name: stop.name, lo: stop.lo, hi: stop.hi })));
  const leave = () => { cross.setAttribute('visibility', 'hidden'); readout(null); };
  svg.onpointermove = (event) => {
    if (!all.length) return;
    const t = timeAt(event.offsetX);
    const near = all.reduce((best, point) => (Math.abs(point.at - t) < Math.abs(best.at - t) ? point : best));
    cross.setAttribute('x1', X(near.at)); cross.setAttribute('x2', X(near.at)); cross.setAttribute('visibility', 'visible');
    readout(near);
  };
  svg.onpointerleave = leave;
}

// The wall: numbers move as they are measured; states, sentences and alarms are renewed by the server.
import { ago, number } from './formats.js';
import { values } from './live.js';
import { renewed, start } from './page.js';

const newest = new Map();

// The same choice as zone_state.worst on the server: the point nearest to, or furthest beyond, a limit.
function margin(tile, value) {
  const { low, high } = tile.dataset;
  if (!low && !high) return -value;
  return Math.min(high ? Number(high) - value : Infinity, low ? value - Number(low) : Infinity);
}
function paint(tile) {
  const target = tile.querySelector('[data-value]'), age = tile.querySelector('time.age');
  if (!target || !age) return;
  const known = tile.dataset.points.split(' ').map((point) => newest.get(point)).filter(Boolean);
  if (!known.length) return;
  const worst = known.reduce((a, b) => (margin(tile, Number(b.value)) < margin(tile, Number(a.value)) ? b : a));
  if (Date.parse(worst.observed_at) < Date.parse(age.dateTime)) return;
  const text = number(worst.value);
  if (target.textContent !== text) target.textContent = text;
  age.dateTime = worst.observed_at;
  age.textContent = ago(Date.parse(worst.observed_at));
}
const paintAll = () => document.querySelectorAll('.tile').forEach(paint);

values((list) => {
  for (const value of list) if (value.value != null && value.quality !== 'bad') newest.set(value.point, value);
  paintAll();
});
renewed(paintAll);
start((change) => change.kind === 'zone' || change.kind === 'alarm' || change.kind === 'lot');

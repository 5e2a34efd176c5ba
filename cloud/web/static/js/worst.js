// The value that speaks for a zone, and where it is shown: the same choice as zone_state.worst on the server.
import { ago, number } from './formats.js';

const newest = new Map();
export const hear = (list) => { for (const value of list) if (value.value != null && value.quality !== 'bad') newest.set(value.point, value); };

// How far inside the limits: the point nearest to, or furthest beyond, a limit is the worst.
function margin({ low, high }, value) {
  if (!low && !high) return -value;
  return Math.min(high ? Number(high) - value : Infinity, low ? value - Number(low) : Infinity);
}
// Returns the value now shown, or null when nothing newer is known than what the page says.
export function show(zone) {
  const target = zone.querySelector('[data-value]'), age = zone.querySelector('time.age');
  const known = zone.dataset.points.split(' ').map((point) => newest.get(point)).filter(Boolean);
  if (!target || !age || !known.length) return null;
  const worst = known.reduce((a, b) => (margin(zone.dataset, Number(b.value)) < margin(zone.dataset, Number(a.value)) ? b : a));
  if (Date.parse(worst.observed_at) < Date.parse(age.dateTime)) return null;
  const text = number(worst.value);
  if (target.textContent !== text) target.textContent = text;
  age.dateTime = worst.observed_at;
  age.textContent = ago(Date.parse(worst.observed_at));
  return worst;
}

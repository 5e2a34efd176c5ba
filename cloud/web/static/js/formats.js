// Numbers and times as people read them; cloud/web/formats.py prints the same strings on the server.
import { _, lang, serverNow, zone } from './facts.js';

const [THOUSANDS, MARK] = lang === 'vi' ? ['.', ','] : [',', '.'];

// `value` is decimal text; a number is rounded half up to `decimals` first.
export function number(value, decimals) {
  if (value == null) return '—';
  const text = decimals == null ? String(value) : Math.abs(Number(value)).toFixed(decimals);
  const [whole, rest] = text.replace(/^-/, '').split('.');
  const groups = BigInt(whole).toString().replace(/\B(?=(\d{3})+$)/g, THOUSANDS);
  const digits = groups + (rest ? MARK + rest : '');
  return (Number(value) < 0 && /[1-9]/.test(digits) ? '−' : '') + digits;
}
export const short = (value) => number(value == null ? null : String(Number(value)));
const UNITS = { degC: '°C', Cel: '°C', '%RH': '% RH', MiBy: 'MiB', 1: '' };
export const unit = (name) => UNITS[name] ?? name;
export const quantity = (value, name, decimals) => `${number(value, decimals)} ${unit(name)}`.trimEnd();

const calendar = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' });
const parts = (at) => Object.fromEntries(calendar.formatToParts(at).map((part) => [part.type, part.value]));
const days = (at) => { const d = parts(at); return [d.year, d.month, d.day]; };
export const hm = (at) => { const d = parts(at); return `${d.hour}:${d.minute}`; };
export const dm = (at) => { const d = parts(at); return `${d.day}/${d.month}`; };
export const dmy = (at) => { const d = parts(at); return `${d.day}/${d.month}/${d.year}`; };
export function when(at, now = serverNow()) {
  const [year, ...day] = days(at), [thisYear, ...today] = days(now);
  if (year !== thisYear) return `${hm(at)} ${dmy(at)}`;
  return day.join() === today.join() ? hm(at) : `${hm(at)} ${dm(at)}`;
}

export function duration(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return _('{n} s', { n: seconds });
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return _('{n} min', { n: minutes });
  const d = Math.floor(minutes / 1440), h = Math.floor(minutes % 1440 / 60), rest = minutes % 60;
  if (!d) return rest ? _('{h} h {m}', { h, m: String(rest).padStart(2, '0') }) : _('{n} h', { n: h });
  return h ? _('{d} d {h} h', { d, h }) : _('{n} d', { n: d });
}
export const ago = (at, now = serverNow()) => _('{duration} ago', { duration: duration(now - at) });
export function limit(low, high, name = '°C') {
  if (low == null && high == null) return _('no limit');
  if (low == null) return `≤ ${short(high)} ${name}`;
  if (high == null) return `≥ ${short(low)} ${name}`;
  return `${short(low)} … ${short(high)} ${name}`;
}

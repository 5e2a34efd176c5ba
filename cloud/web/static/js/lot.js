// The lot page: journey and ribbons are drawn here, decisions go to the ledger, everything else is renewed by the server.
import { _ } from './facts.js';
import { flows } from './flow.js';
import { limit, number, quantity, when } from './formats.js';
import { journey } from './journey.js';
import { onTheme, renewed, start } from './page.js';

const panel = document.getElementById('chart'), readout = document.getElementById('readout');
if (panel) {
  const base = [...readout.childNodes];
  const show = (point) => {
    if (!point) { readout.replaceChildren(...base); return; }
    const b = document.createElement('b'), span = document.createElement('span');
    b.textContent = point.low === point.high ? quantity(point.mean, '°C', 1) : `${number(point.low, 1)} … ${quantity(point.high, '°C', 1)}`;
    span.append(b, ` ${when(point.at)} · ${point.number} ${point.name} (${limit(point.lo, point.hi)})`);
    readout.replaceChildren(span);
  };
  const draw = journey(document.getElementById('journey'), show);
  const load = async () => {
    const answer = await fetch(`/api/v1/lots/${encodeURIComponent(panel.dataset.lot)}/story?buckets=600`).catch(() => null);
    if (answer?.ok) draw(await answer.json());
  };
  onTheme(load);
  renewed(load);
  load();
}
async function decide(form) {
  const { kind, reason, by } = Object.fromEntries(new FormData(form));
  const error = document.getElementById('decision-error');
  error.hidden = true;
  try {
    const body = JSON.stringify({ kind, reason, by, at: new Date().toISOString(), subjects: [{ lot: form.dataset.lot }] });
    const answer = await fetch('/api/v1/lot-events', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
    if (!answer.ok) throw new Error((await answer.json()).detail);
    location.reload();
  } catch (problem) {
    error.textContent = _('Not taken: {problem}', { problem: problem.message });
    error.hidden = false;
  }
}
document.addEventListener('submit', (event) => { if (event.target.id === 'decision') { event.preventDefault(); decide(event.target); } });
flows();
renewed(flows);
start((change) => change.kind !== 'gateway');

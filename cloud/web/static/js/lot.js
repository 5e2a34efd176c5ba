// The lot page: its journey drawn from the API, everything else renewed by the server.
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
start((change) => change.kind !== 'gateway');

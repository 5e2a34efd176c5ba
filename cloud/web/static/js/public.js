// The public page of a lot: only its journey is drawn here, everything else is said by the server.
import { limit, number, quantity, when } from './formats.js';
import { journey } from './journey.js';
import { onTheme } from './theme.js';

const box = document.getElementById('journey'), readout = document.getElementById('readout');
if (box) {
  const show = (point) => {
    readout.textContent = point ? `${point.low === point.high ? quantity(point.mean, '°C', 1) : `${number(point.low, 1)} … ${quantity(point.high, '°C', 1)}`} · ${when(point.at)} · ${point.name} (${limit(point.lo, point.hi)})` : '';
  };
  const draw = journey(box, show);
  const load = async () => {
    const answer = await fetch(`/api/v1/public/lots/${box.dataset.gtin}/${encodeURIComponent(box.dataset.lot)}`).catch(() => null);
    if (answer?.ok) draw((await answer.json()).story);
  };
  onTheme(load);
  load();
}

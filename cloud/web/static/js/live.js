// The live stream: newest values, things that changed, and the sign of life on top of the page.
import { _, serverNow, setServerNow } from './facts.js';
import { ago, duration, hm } from './formats.js';

const LOST_AFTER_MS = 10_000;
const onValues = [], onChanged = [];
let heardAt = performance.now(), connected = false;

export const values = (listener) => onValues.push(listener);
export const changed = (listener) => onChanged.push(listener);

export function follow() {
  const source = new EventSource('/api/v1/live');
  const hear = (event) => { const body = JSON.parse(event.data); heardAt = performance.now(); connected = true; setServerNow(body.now); show(); return body; };
  source.addEventListener('heartbeat', hear);
  source.addEventListener('values', (event) => { const body = hear(event); for (const listener of onValues) listener(body.values); });
  source.addEventListener('changed', (event) => { const body = hear(event); for (const listener of onChanged) listener(body.changes); });
  source.addEventListener('open', () => { if (connected) for (const listener of onChanged) listener([{ kind: 'everything', key: '' }]); });
  // A browser gives up for good after some errors, an HTTP 503 for one: begin again.
  source.addEventListener('error', () => { if (source.readyState === EventSource.CLOSED) setTimeout(follow, 3000); });
}

function show() {
  const silent = performance.now() - heardAt, lost = silent > LOST_AFTER_MS;
  const dot = document.getElementById('live');
  const state = lost ? 'lost' : connected ? 'on' : 'waiting';
  const text = lost ? _('connection lost {duration}', { duration: duration(silent) }) : connected ? _('live') : _('connecting');
  if (dot.dataset.live !== state) dot.dataset.live = state;
  const words = dot.lastElementChild;
  if (words.textContent !== text) words.textContent = text;
  document.body.classList.toggle('lost', lost);
}

// Ages grow by themselves: a value that is not renewed is seen to grow old.
function tick() {
  document.getElementById('clock').textContent = hm(serverNow());
  for (const node of document.querySelectorAll('time.age')) {
    const text = ago(Date.parse(node.dateTime));
    if (node.textContent !== text) node.textContent = text;
  }
  show();
}
setInterval(tick, 1000);

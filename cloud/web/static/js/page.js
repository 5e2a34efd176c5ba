// What every page does: light or dark, and renewing its parts from the server without a reload.
import { changed, follow } from './live.js';

const REST_MS = 1000, LAZY_MS = 5000;

export { onTheme, token } from './theme.js';

// The page asks for itself and takes over the parts marked data-swap that differ: one renderer, one truth.
let renewing = false, again = false, renewedAt = 0;
const afterwards = [];
export const renewed = (listener) => afterwards.push(listener);
export async function renew() {
  if (renewing) { again = true; return; }
  renewing = true;
  renewedAt = performance.now();
  try {
    const answer = await fetch(location.href, { headers: { Accept: 'text/html' } });
    if (answer.ok) swap(new DOMParser().parseFromString(await answer.text(), 'text/html'));
  } catch { /* the live dot already says that the connection is gone */ }
  setTimeout(() => { renewing = false; if (again) { again = false; renew(); } }, REST_MS);
}
function swap(next) {
  for (const old of document.querySelectorAll('[data-swap]')) {
    const fresh = next.getElementById(old.id);
    if (fresh) replace(old, fresh);
  }
  for (const listener of afterwards) listener();
}
function replace(old, fresh) {
  const ids = (node) => [...node.children].map((child) => child.id).join();
  if (old.dataset.swap === 'each' && ids(old) === ids(fresh)) {
    const news = [...fresh.children]; // taken over one by one, they leave the live list
    [...old.children].forEach((child, i) => replaceNode(child, news[i]));
  } else replaceNode(old, fresh);
}
// Values and ages are the live stream's business: alone they are no reason to build a tile anew.
function bare(node) {
  const copy = node.cloneNode(true);
  for (const moving of copy.querySelectorAll('time.age, [data-value]')) { moving.textContent = ''; moving.removeAttribute('datetime'); }
  return copy;
}
function replaceNode(old, fresh) {
  if (bare(old).isEqualNode(bare(fresh))) {
    const olds = old.querySelectorAll('time.age, [data-value]'), news = fresh.querySelectorAll('time.age, [data-value]');
    const isNewer = [...news].some((node, i) => node.dateTime > olds[i].dateTime);
    if (isNewer) olds.forEach((node, i) => { node.textContent = news[i].textContent; if (node.dateTime) node.dateTime = news[i].dateTime; });
    return;
  }
  const focused = old.contains(document.activeElement) ? document.activeElement.id || old.id : null;
  const typed = [...old.querySelectorAll('input')].map((input) => [input.id, input.value]);
  old.replaceWith(document.adoptNode(fresh));
  for (const [id, value] of typed) { const input = document.getElementById(id); if (input) input.value = value; }
  if (focused) document.getElementById(focused)?.focus();
}

// `wanted` says which changes concern the page at once; other news renew it too, but not more often than every 5 s.
export function start(wanted) {
  changed((changes) => {
    const isUrgent = changes.some((change) => change.kind === 'everything' || wanted(change));
    if (isUrgent || performance.now() - renewedAt > LAZY_MS) renew();
  });
  setInterval(renew, 30_000);
  follow();
}

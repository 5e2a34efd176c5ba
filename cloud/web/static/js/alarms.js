// Alarms: acknowledge in one tap; the list and the detail are renewed by the server.
import { _ } from './facts.js';
import { start, renew, renewed } from './page.js';

const KEY = 'coldlink.name';
const kept = () => { try { return localStorage.getItem(KEY) || ''; } catch { return ''; } };
const keep = (name) => { try { localStorage.setItem(KEY, name); } catch { /* private mode */ } };

async function acknowledge(form) {
  const by = form.elements.by.value.trim() || form.elements.by.placeholder, note = form.elements.note.value.trim();
  const error = document.getElementById('acknowledge-error'), button = document.getElementById('acknowledge-button');
  if (form.elements.by.value.trim()) keep(by);
  error.hidden = true; button.disabled = true;
  try {
    const answer = await fetch(`/api/v1/alarms/${form.dataset.alarm}/acknowledge`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ by, note }) });
    if (!answer.ok) throw new Error((await answer.json()).detail);
    toast(_('Acknowledged by {by}', { by }));
    await renew();
  } catch (problem) {
    error.textContent = _('Not acknowledged: {problem}', { problem: problem.message });
    error.hidden = false; button.disabled = false;
  }
}
function toast(text) {
  document.querySelector('.toast')?.remove();
  const node = document.createElement('div');
  node.className = 'toast'; node.setAttribute('role', 'status');
  node.append(Object.assign(document.createElement('span'), { textContent: text, className: 'toast-text' }));
  document.body.append(node);
  setTimeout(() => node.remove(), 6000);
}
document.addEventListener('submit', (event) => { if (event.target.id === 'acknowledge') { event.preventDefault(); acknowledge(event.target); } });
const fillIn = () => { const field = document.getElementById('ack-by'); if (field && !field.value) field.value = kept(); };
renewed(fillIn);
fillIn();
start((change) => change.kind === 'alarm' || change.kind === 'zone');

// The wall: numbers move as they are measured; states, sentences and alarms are renewed by the server.
import { values } from './live.js';
import { renewed, start } from './page.js';
import { hear, show } from './worst.js';

const showAll = () => document.querySelectorAll('.tile').forEach(show);

values((list) => { hear(list); showAll(); });
renewed(showAll);
start((change) => change.kind !== 'gateway');

// The trace page: ribbons drawn from the data in the page, the rest renewed by the server.
import { flows } from './flow.js';
import { renewed, start } from './page.js';

flows();
renewed(flows);
start((change) => change.kind === 'lot');

// Devices: renewed by the server, a few times a minute and when something changes.
import { start } from './page.js';

start((change) => change.kind === 'gateway');

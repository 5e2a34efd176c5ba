// The list of lots is renewed when a lot moves.
import { start } from './page.js';

start((change) => change.kind === 'lot');

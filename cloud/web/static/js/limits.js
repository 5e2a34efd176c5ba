// The page of limits stands still: what was tried is not tried again behind its reader's back.
import { start } from './page.js';

start(() => false);

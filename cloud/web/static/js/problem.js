// A page that is not there still says whether the connection lives.
import { start } from './page.js';

start(() => false);

// What the server tells every page: language, words, site zone and its own time.
const facts = JSON.parse(document.getElementById('facts').textContent);

export const lang = facts.lang;
export const zone = facts.zone;

let ahead = Date.parse(facts.now) - Date.now();
export const serverNow = () => Date.now() + ahead;
export const setServerNow = (iso) => { ahead = Date.parse(iso) - Date.now(); };

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
export const _ = (text, values = {}) => fill(facts.words[text][0], values);
export const plural = (one, many, n) => fill(facts.words[one].at(n === 1 ? 0 : -1), { n });

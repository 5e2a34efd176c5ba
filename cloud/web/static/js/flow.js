// Goods as ribbons: width is kilograms, columns are steps. Where there is no room the list below stays.
import { number } from './formats.js';
import { h, onWidth, s } from './svg.js';

const shown = new WeakMap(); // stage to the data it shows

export function flows() {
  for (const stage of document.querySelectorAll('[data-flow]')) {
    const text = document.getElementById(stage.dataset.flow).textContent, isNew = !shown.has(stage);
    if (shown.get(stage) === text) continue;
    shown.set(stage, text);
    const redraw = (width) => draw(stage, stage.previousElementSibling, JSON.parse(shown.get(stage)), width);
    if (isNew) onWidth(stage, redraw); else if (stage.clientWidth) redraw(stage.clientWidth);
  }
}

function box(node, width) {
  const badge = node.badge ? h('span.badge', { 'data-state': node.state }, s('svg.icon', { 'aria-hidden': 'true' }, s('use', { href: `/static/icons.svg#${node.icon}` })), h('span', node.badge)) : null;
  const one = h(`${node.href ? 'a' : 'div'}.node${node.is_me ? '.me' : ''}`, { href: node.href || null, 'data-state': node.state }, h('b', node.name), h('span.sub', node.sub), h('span.qty', h('span', node.kg_text), badge));
  one.style.setProperty('--nw', `${width}px`);
  one.style.setProperty('--nh', 'auto');
  return one;
}

function draw(stage, heads, graph, W) {
  const cols = graph.columns.length, gap = Math.max(28, W * 0.045), nw = (W - gap * (cols - 1)) / cols, pad = 10;
  const boxes = new Map(graph.nodes.map((n) => [n.id, box(n, nw)]));
  stage.replaceChildren(...boxes.values());
  const inColumn = (c) => graph.nodes.filter((n) => n.column === c);
  const total = Math.max(1, ...graph.columns.map((_, c) => inColumn(c).reduce((sum, n) => sum + n.kg, 0)));
  const scale = 250 / total, pos = {};
  let H = 0;
  graph.columns.forEach((_, c) => {
    let y = 0;
    for (const n of inColumn(c)) {
      const high = Math.max(boxes.get(n.id).offsetHeight + 2, n.kg * scale);
      pos[n.id] = { x: c * (nw + gap), y, h: high, w: Math.max(n.kg * scale, 3), outAt: 0, inAt: 0, n };
      y += high + pad;
    }
    H = Math.max(H, y - pad);
  });
  graph.columns.forEach((_, c) => {
    const mine = Object.values(pos).filter((p) => p.n.column === c), last = mine.at(-1);
    if (!last) return;
    const free = H - (last.y + last.h);
    mine.forEach((p, i) => { p.y += mine.length === 1 ? free / 2 : free * i / (mine.length - 1) * 0.6 + free * 0.2; });
  });
  stage.style.setProperty('height', `${H}px`);
  const svg = s('svg', { 'aria-hidden': 'true' });
  for (const [a, b, kg] of graph.links) {
    const p = pos[a], q = pos[b];
    if (!p || !q) continue;
    const t = Math.max(kg * scale, 2), y1 = p.y + (p.h - p.w) / 2 + p.outAt, y2 = q.y + (q.h - q.w) / 2 + q.inAt, x1 = p.x + nw, x2 = q.x, m = (x2 - x1) * 0.5;
    p.outAt += t; q.inAt += t;
    const bad = ['fail', 'hold'], look = bad.includes(p.n.state) && bad.includes(q.n.state) ? 'bad' : bad.concat('warn').includes(q.n.state) ? 'warn' : '';
    svg.append(s(`path.link${look ? `.${look}` : ''}`, { d: `M${x1} ${y1}C${x1 + m} ${y1} ${x2 - m} ${y2} ${x2} ${y2}V${y2 + t}C${x2 - m} ${y2 + t} ${x1 + m} ${y1 + t} ${x1} ${y1 + t}Z` }, s('title', `${p.n.name} → ${q.n.name}: ${number(kg, 1)} kg`)));
  }
  heads.replaceChildren(...graph.columns.map((name, i) => {
    const head = h('h3', name);
    head.style.setProperty('--x', `${i * (nw + gap)}px`);
    head.style.setProperty('--nw', `${nw}px`);
    return head;
  }));
  for (const [id, p] of Object.entries(pos)) for (const [key, v] of [['--x', p.x], ['--y', p.y], ['--nh', p.h]]) boxes.get(id).style.setProperty(key, `${v}px`);
  stage.prepend(svg);
}

// Building SVG and HTML without innerHTML: text can never become markup.
function build(node, props, kids) {
  for (const [key, value] of Object.entries(props || {})) if (value != null && value !== false) node.setAttribute(key, value === true ? '' : value);
  node.append(...kids.flat(4).filter((kid) => kid != null && kid !== false));
  return node;
}
const isProps = (x) => x && typeof x === 'object' && !Array.isArray(x) && !(x instanceof Node);
const make = (create) => (selector, props, ...kids) => {
  const [tag, ...classes] = selector.split('.');
  const node = create(tag);
  if (classes.length) node.setAttribute('class', classes.join(' '));
  return isProps(props) ? build(node, props, kids) : build(node, {}, [props, ...kids]);
};
export const h = make((tag) => document.createElement(tag));
export const s = make((tag) => document.createElementNS('http://www.w3.org/2000/svg', tag));
export const hatchDefs = () => s('defs', s('pattern', { id: 'hatch', width: 8, height: 8, patternUnits: 'userSpaceOnUse', patternTransform: 'rotate(45)' }, s('rect.hatch-a', { width: 8, height: 8 }), s('line.hatch-b', { x1: 0, y1: 0, x2: 0, y2: 8 })));
export const onWidth = (node, redraw) => {
  let last = 0;
  new ResizeObserver(([entry]) => { const width = Math.round(entry.contentRect.width); if (width && width !== last) { last = width; redraw(width); } }).observe(node);
};

const SVG = 'http://www.w3.org/2000/svg';

/** @typedef {string | number | boolean | null | undefined | ((event: any) => unknown)} Attribute */

/**
 * An element of HTML. What is given as text stays text, wherever it comes from: there is no way here to make HTML of
 * it.
 *
 * @param {string} name
 * @param {Record<string, Attribute>} [attributes] Of `on…` the listeners; true is an attribute without a value, and
 *   null, undefined and false are none
 * @param {...unknown} children Texts, numbers, nodes, or lists of them; null, undefined and false are none
 * @returns {any}
 */
export const h = (name, attributes, ...children) => fill(document.createElement(name), attributes, children);

/**
 * An element of SVG, by the same rules.
 *
 * @param {string} name
 * @param {Record<string, Attribute>} [attributes]
 * @param {...unknown} children
 * @returns {any}
 */
export const svg = (name, attributes, ...children) => fill(document.createElementNS(SVG, name), attributes, children);

/** @param {Element} element @param {Record<string, Attribute>} [attributes] @param {unknown[]} [children] */
function fill(element, attributes = {}, children = []) {
    for (const [name, value] of Object.entries(attributes)) {
        if (typeof value === 'function') element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
        else if (value === true) element.setAttribute(name, '');
        else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, String(value));
    }
    element.append(...nodesOf(children));
    return element;
}

/** @param {unknown[]} children @returns {(Node | string)[]} */
const nodesOf = (children) =>
    children
        .flat(Infinity)
        .filter((child) => child !== null && child !== undefined && child !== false)
        .map((child) => (child instanceof Node ? child : String(child)));

let lastId = 0;

/** An id that no other element of the page has. */
export const newId = () => `e${++lastId}`;

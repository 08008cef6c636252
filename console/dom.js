// Elements from code. Data only ever becomes text or an attribute's value: nothing here parses HTML.

const SVG = "http://www.w3.org/2000/svg";

/**
 * An HTML element. Attributes are set as they are; `on` takes listeners, null and false leave an attribute out.
 * @param {string} tag @param {Record<string, any>} [attributes] @param {...any} children
 * @returns {any}
 */
export function h(tag, attributes = {}, ...children) {
  return furnish(document.createElement(tag), attributes, children);
}

/**
 * An SVG element, made in the same way.
 * @param {string} tag @param {Record<string, any>} [attributes] @param {...any} children
 * @returns {any}
 */
export function svg(tag, attributes = {}, ...children) {
  return furnish(document.createElementNS(SVG, tag), attributes, children);
}

/** Change attributes that differ, and no others. @param {Element} element @param {Record<string, any>} attributes */
export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) {
      element.removeAttribute(name);
    } else if (element.getAttribute(name) !== String(value)) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  return element;
}

/** Change a text where it differs, so that a selection and a screen reader are left alone. @param {Element} element @param {any} text */
export function say(element, text) {
  const words = text ?? "";
  if (element.textContent !== String(words)) element.textContent = String(words);
  return element;
}

/** Replace everything in an element. @param {Element} element @param {...any} children */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter((it) => it !== null && it !== undefined && it !== false));
  return element;
}

/**
 * Keep one child for each item, by key, in their order. What stays is not touched, so it keeps focus and selection.
 * `make` gives the element for a new item, `change` brings one up to date.
 * @template T
 * @param {Element} parent @param {T[]} items @param {(item: T) => string} key
 * @param {(item: T) => any} make @param {(element: any, item: T) => void} [change]
 */
export function keep(parent, items, key, make, change = () => {}) {
  /** @type {Map<string | null, any>} */
  const there = new Map([...parent.children].map((it) => [it.getAttribute("data-key"), it]));
  let place = parent.firstElementChild;
  for (const item of items) {
    const name = key(item);
    let element = there.get(name);
    there.delete(name);
    if (!element) {
      element = make(item);
      element.setAttribute("data-key", name);
    }
    if (place && element === place) place = place.nextElementSibling;
    else parent.insertBefore(element, place);
    change(element, item);
  }
  for (const element of there.values()) element.remove();
}

function furnish(element, { on = {}, ...attributes }, children) {
  set(element, attributes);
  for (const [event, listener] of Object.entries(on)) element.addEventListener(event, listener);
  return fill(element, ...children);
}

// How the page makes elements, and puts in them what others wrote.

/** @typedef {(Node | string | false | undefined | null)[]} Children - What is not there is left out. */

/**
 * @param {string} tag
 * @param {string | Record<string, string | number>} given - Its class, or its attributes.
 * @param {Children} children
 * @returns {HTMLElement}
 */
function make(tag, given, ...children) {
  const element = document.createElement(tag);
  const attributes = typeof given === "string" ? { class: given } : given;
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== "") element.setAttribute(name, String(value));
  }
  for (const child of children) if (child) element.append(child);
  return element;
}

/** @param {string} name - Its class. @param {string} box @param {Record<string, string>[]} shapes */
function drawing(name, box, ...shapes) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const given = { class: name, viewBox: box, "aria-hidden": "true" };
  for (const [key, value] of Object.entries(given)) svg.setAttribute(key, value);
  for (const { tag, ...attributes } of shapes) {
    const shape = document.createElementNS(space, tag);
    for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, value);
    svg.append(shape);
  }
  return svg;
}

/** @param {string} path */
function icon(path) {
  return drawing("icon", "0 0 16 16", { tag: "path", d: path });
}

/** @param {string} action @param {string} name - Its class. @param {Children} children */
function actionButton(action, name, ...children) {
  return make("button", { type: "button", class: name, "data-do": action }, ...children);
}

/** @param {string} id @returns {any} */
function byId(id) {
  return document.getElementById(id);
}

/** @param {string} key - Of its words. @param {() => void} click */
function plainButton(key, click) {
  const button = make("button", { type: "button" }, say(key));
  button.onclick = click;
  return button;
}

/**
 * Put children in order; what stays where it is is not touched, so that a video plays on.
 * @param {HTMLElement} parent
 * @param {HTMLElement[]} children
 */
function arrange(parent, children) {
  for (const child of [...parent.children]) {
    if (!children.includes(/** @type {HTMLElement} */ (child))) child.remove();
  }
  let next = parent.firstElementChild;
  for (const child of children) {
    if (child === next) next = next.nextElementSibling;
    else parent.insertBefore(child, next);
  }
}

/** What stands in an element, so that it is left alone until that changes. */
const filled = new WeakMap();

/**
 * Rebuild an element's content only if its facts changed; empty, it is hidden.
 * @param {HTMLElement} element
 * @param {unknown} facts
 * @param {() => Children} build
 */
function fill(element, facts, build) {
  const key = JSON.stringify([chinese, facts]);
  if (filled.get(element) === key) return;
  filled.set(element, key);
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  const action = element.contains(focused) && focused?.dataset.do;
  element.replaceChildren();
  for (const child of build()) if (child) element.append(child);
  element.hidden = !element.hasChildNodes();
  if (action) focusOn(element, action);
}

/** @param {Element | null | undefined} within @param {string} action */
function focusOn(within, action) {
  const button = within?.querySelector(`[data-do="${action}"]`) ?? within?.querySelector("button");
  /** @type {HTMLElement | null | undefined} */ (button)?.focus({ preventScroll: true });
}

/**
 * Untrusted text as it may be shown: without characters that turn or hide what stands around them.
 * @param {unknown} text
 */
function plainText(text) {
  return String(typeof text === "object" ? "" : (text ?? ""))
    .replace(/\r\n?|[\u2028\u2029]/g, "\n")
    .replace(/[^\P{C}\n\t\u200c\u200d]|\u200e|\u200f|\u061c/gu, "");
}

/** The same on one line, line ends visible: for names and paths. @param {unknown} text */
function plainLine(text) {
  return plainText(text).replace(/\n/g, "⏎").replace(/\t/g, "⇥");
}

/** The beginning of it, for names. @param {unknown} text */
function shortLine(text) {
  const marks = [...plainLine(text)];
  return marks.length > 80 ? `${marks.slice(0, 79).join("")}…` : marks.join("");
}

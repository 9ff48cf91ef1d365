/**
 * Builds elements without strings of HTML, so that Trusted Types have nothing to object to.
 */

/** Attributes by name; `false` and `null` leave one out. */
type Attributes = Readonly<Record<string, string | number | boolean | null>>;

/** Makes an element with attributes and children. */
export function h<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (value === false || value === null) continue;
    element.setAttribute(attribute, value === true ? '' : String(value));
  }
  element.append(...children);
  return element;
}

/** Sets an attribute only where it differs, so that assistive technology hears of true changes. */
export function setAttribute(element: Element, name: string, value: string): void {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** Adds one listener for one or more types of events; it ends with `signal`, if there is one. */
export function listen(
  target: EventTarget,
  types: string | readonly string[],
  listener: (event: Event) => void,
  signal?: AbortSignal,
): void {
  for (const type of typeof types === 'string' ? [types] : types) {
    target.addEventListener(type, listener, signal && { signal });
  }
}

/**
 * The player's icons, drawn on a grid of 24 units.
 */

const SVG = 'http://www.w3.org/2000/svg';

const PATHS = {
  play: 'M8 5.2v13.6a.8.8 0 0 0 1.2.7l10.9-6.8a.8.8 0 0 0 0-1.4L9.2 4.5a.8.8 0 0 0-1.2.7Z',
  pause: 'M7 5h3.2v14H7zM13.8 5H17v14h-3.2z',
  replay: 'M12 5V2.2L7.2 6.4 12 10.6V7.8a4.9 4.9 0 1 1-4.9 4.9H4.3A7.7 7.7 0 1 0 12 5Z',
  loud: 'M4 9.2v5.6h3.6L13 19.4V4.6L7.6 9.2H4Zm11.4-.9v7.4a4.4 4.4 0 0 0 0-7.4Zm0-3.6v2a6.4 6.4 0 0 1 0 10.6v2a8.2 8.2 0 0 0 0-14.6Z',
  quiet: 'M4 9.2v5.6h3.6L13 19.4V4.6L7.6 9.2H4Zm11.4-.9v7.4a4.4 4.4 0 0 0 0-7.4Z',
  muted:
    'M4 9.2v5.6h3.6L13 19.4V4.6L7.6 9.2H4Zm17 .7-1.3-1.3-2.1 2.1-2.1-2.1-1.3 1.3 2.1 2.1-2.1 2.1 1.3 1.3 2.1-2.1 2.1 2.1 1.3-1.3-2.1-2.1 2.1-2.1Z',
  captions:
    'M4.5 5h15A1.5 1.5 0 0 1 21 6.5v11a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 17.5v-11A1.5 1.5 0 0 1 4.5 5Zm6.2 5.9V10c0-.6-.5-1-1-1H7.2c-.6 0-1 .4-1 1v4c0 .6.4 1 1 1h2.5c.5 0 1-.4 1-1v-.9H9.2v.5H7.7v-3.2h1.5v.5h1.5Zm7 0V10c0-.6-.5-1-1-1h-2.5c-.6 0-1 .4-1 1v4c0 .6.4 1 1 1h2.5c.5 0 1-.4 1-1v-.9h-1.5v.5h-1.5v-3.2h1.5v.5h1.5Z',
  settings:
    'm19.4 13 .1-1-.1-1 2.1-1.6a.5.5 0 0 0 .1-.6l-2-3.5a.5.5 0 0 0-.6-.2l-2.5 1a7.3 7.3 0 0 0-1.7-1l-.4-2.6a.5.5 0 0 0-.5-.4h-4a.5.5 0 0 0-.5.4l-.4 2.6a7.3 7.3 0 0 0-1.7 1l-2.5-1a.5.5 0 0 0-.6.2l-2 3.5a.5.5 0 0 0 .1.6L4.5 11l-.1 1 .1 1-2.1 1.6a.5.5 0 0 0-.1.6l2 3.5c.1.2.4.3.6.2l2.5-1a7.3 7.3 0 0 0 1.7 1l.4 2.6c0 .2.2.4.5.4h4c.3 0 .5-.2.5-.4l.4-2.6a7.3 7.3 0 0 0 1.7-1l2.5 1c.2.1.5 0 .6-.2l2-3.5a.5.5 0 0 0-.1-.6L19.4 13ZM12 15.5a3.5 3.5 0 1 1 0-7 3.5 3.5 0 0 1 0 7Z',
  pip: 'M4.5 4.5h15A1.5 1.5 0 0 1 21 6v12a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 18V6a1.5 1.5 0 0 1 1.5-1.5ZM5 6.5v11h14v-11H5Zm6.5 5.5H18v4.5h-6.5V12Z',
  expand:
    'M4 9.5V4h5.5v2H6v3.5H4Zm10.5-5.5H20v5.5h-2V6h-3.5V4ZM6 14.5V18h3.5v2H4v-5.5h2Zm12 0h2V20h-5.5v-2H18v-3.5Z',
  shrink:
    'M9.5 4v5.5H4v-2h3.5V4h2Zm5 0h2v3.5H20v2h-5.5V4ZM4 14.5h5.5V20h-2v-3.5H4v-2Zm10.5 0H20v2h-3.5V20h-2v-5.5Z',
  shield:
    'M12 2.5 4.5 5.3v5.9c0 4.7 3.2 8.7 7.5 10.3 4.3-1.6 7.5-5.6 7.5-10.3V5.3L12 2.5Zm1 12.5h-2v-2h2v2Zm0-4h-2V7h2v4Z',
} as const;

/** The name of an icon. */
export type IconName = keyof typeof PATHS;

/** Draws an icon; it is hidden from assistive technology, which reads the button's label. */
export function icon(name: IconName): SVGSVGElement {
  return draw(PATHS[name]);
}

/** Draws the outline `d` as an icon. */
export function draw(d: string): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', d);
  svg.append(path);
  return svg;
}

/** Draws another icon in the place of the one in `button`. */
export function setIcon(button: Element, name: IconName): void {
  if (button.getAttribute('data-icon') === name) return;
  button.setAttribute('data-icon', name);
  button.querySelector('svg')?.replaceWith(icon(name));
}

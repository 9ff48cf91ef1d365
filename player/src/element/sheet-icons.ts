/**
 * The icons of menu and sheets, which are loaded later than the others.
 */

import { draw } from './icons';

const PATHS = {
  back: 'm14.6 5.4 1.4 1.4L10.8 12l5.2 5.2-1.4 1.4L8 12l6.6-6.6Z',
  next: 'm9.4 5.4L8 6.8l5.2 5.2L8 17.2l1.4 1.4L16 12 9.4 5.4Z',
  check: 'm9.5 16.2-4-4L4 13.7l5.5 5.5L20.5 8.2 19 6.7l-9.5 9.5Z',
  close:
    'm6.4 5 5.6 5.6L17.6 5 19 6.4 13.4 12l5.6 5.6-1.4 1.4-5.6-5.6L6.4 19 5 17.6l5.6-5.6L5 6.4 6.4 5Z',
} as const;

/** Draws an icon. */
export function sheetIcon(name: keyof typeof PATHS): SVGSVGElement {
  return draw(PATHS[name]);
}

/**
 * Where on which sheet the picture of a moment lies.
 *
 * Specification: docs/format/title-manifest.md, `storyboard`. Pure arithmetic.
 */

import type { Storyboard } from '../title';

/** A rectangle of a sheet, in its pixels. */
export interface Tile {
  readonly sheet: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Returns the tile that shows the moment `seconds`; moments outside get the nearest one. */
export function tileAt(storyboard: Storyboard, seconds: number): Tile {
  const { intervalUs, columns, rows, tileCount, tileWidth: width, tileHeight: height } = storyboard;
  const wanted = Math.floor((seconds * 1e6) / intervalUs);
  const tile = Math.min(Math.max(Number.isNaN(wanted) ? 0 : wanted, 0), tileCount - 1);
  const place = tile % (columns * rows);
  return {
    sheet: Math.floor(tile / (columns * rows)),
    x: (place % columns) * width,
    y: Math.floor(place / columns) * height,
    width,
    height,
  };
}

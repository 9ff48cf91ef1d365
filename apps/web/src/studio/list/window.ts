/**
 * Which rows of a long list are drawn: those that are seen, and a few around them.
 *
 * Pure. All rows are of one height, so that a place in ten thousand is a division. Heights are in CSS pixels.
 */

/** What is drawn: items from `first` up to `end` (not included). */
export interface Window {
  readonly first: number;
  readonly end: number;
  /** Height of the whole list. */
  readonly height: number;
}

/** What a list looks like at a moment. */
export interface View {
  readonly count: number;
  /** Items beside each other. */
  readonly columns: number;
  readonly rowHeight: number;
  readonly scrollTop: number;
  readonly viewHeight: number;
}

/** What is drawn above and below what is seen, in pixels, so that scrolling meets no gap. */
const AROUND_PX = 320;

/** Returns what of a list is drawn. */
export function windowOf({ count, columns, rowHeight, scrollTop, viewHeight }: View): Window {
  const across = Math.max(1, Math.floor(columns));
  const rows = Math.ceil(count / across);
  const seen = Math.floor(Math.max(0, scrollTop) / rowHeight);
  const last = Math.ceil((Math.max(0, scrollTop) + viewHeight) / rowHeight);
  const around = Math.ceil(AROUND_PX / rowHeight);
  const from = Math.min(Math.max(0, seen - around), Math.max(0, rows - 1));
  const to = Math.min(rows, last + around);
  return {
    first: from * across,
    end: Math.min(count, to * across),
    height: rows * rowHeight,
  };
}

/**
 * Returns the most items that are ever drawn of a list of this view. An item's place among them, its index modulo this
 * number, is its own as long as it is drawn: what scrolls out gives its elements to what scrolls in.
 */
export function slotsOf({ columns, rowHeight, viewHeight }: View): number {
  const around = Math.ceil(AROUND_PX / rowHeight);
  const rows = Math.ceil(viewHeight / rowHeight) + 1 + 2 * around;
  return rows * Math.max(1, Math.floor(columns));
}

/** Returns how many items of `least` pixels fit beside each other, with `gap` pixels between. */
export function columnsIn(width: number, least: number, gap: number): number {
  return Math.max(1, Math.floor((width + gap) / (least + gap)));
}

/** Returns where to scroll so that an item is whole in view, `null` where it is. */
export function scrollTo(index: number, view: View): number | null {
  const top = Math.floor(index / Math.max(1, view.columns)) * view.rowHeight;
  if (top < view.scrollTop) return top;
  const bottom = top + view.rowHeight;
  return bottom > view.scrollTop + view.viewHeight ? bottom - view.viewHeight : null;
}

/** Returns the item that a key leads to from another; `null` for keys that lead nowhere. */
export function itemAfter(key: string, index: number, view: View): number | null {
  const page = Math.max(1, Math.floor(view.viewHeight / view.rowHeight)) * view.columns;
  const steps: Readonly<Record<string, number>> = {
    ArrowDown: view.columns,
    ArrowUp: -view.columns,
    PageDown: page,
    PageUp: -page,
    Home: -view.count,
    End: view.count,
    ...(view.columns > 1 && { ArrowRight: 1, ArrowLeft: -1 }),
  };
  const step = steps[key];
  if (step === undefined || view.count === 0) return null;
  return Math.min(view.count - 1, Math.max(0, index + step));
}

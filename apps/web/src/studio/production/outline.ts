/**
 * A waveform as an outline to draw.
 *
 * Pure.
 */

/**
 * Returns an SVG path of `width` by `height` that encloses peaks from 0 to 255, mirrored at the middle. Of the peaks that
 * share a column the largest counts.
 */
export function outlineOf(peaks: readonly number[], width: number, height: number): string {
  const columns = Math.min(width, peaks.length);
  if (columns === 0) return '';
  const middle = height / 2;
  const heights = Array.from({ length: columns }, (_, column) => {
    const from = Math.floor((column * peaks.length) / columns);
    const to = Math.max(from + 1, Math.floor(((column + 1) * peaks.length) / columns));
    return (Math.max(...peaks.slice(from, to)) / 255) * middle;
  });
  const at = (column: number): string => ((column * width) / columns).toFixed(1);
  const above = heights.map((one, column) => `L${at(column)} ${(middle - one).toFixed(1)}`);
  const below = heights.map((one, column) => `L${at(column)} ${(middle + one).toFixed(1)}`);
  return `M0 ${middle}${above.join('')}L${width} ${middle}${below.toReversed().join('')}Z`;
}

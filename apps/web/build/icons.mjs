/**
 * Draws the icons of the installed page from `public/favicon.svg`: `node apps/web/build/icons.mjs`.
 *
 * The results lie in the repository, since they change when the sign does. A maskable icon has its sign within the
 * middle four fifths, and ground to its edges.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { launch } from '../../../e2e/chromium.mjs';

const folder = new URL('../public/', import.meta.url);
const sign = readFileSync(new URL('favicon.svg', folder), 'utf8');
const whole = sign.replace(' rx="8.5"', '');
const icons = [
  { name: 'icon-180', size: 180, svg: whole, scale: 1 },
  { name: 'icon-192', size: 192, svg: sign, scale: 1 },
  { name: 'icon-512', size: 512, svg: sign, scale: 1 },
  { name: 'icon-maskable-512', size: 512, svg: whole, scale: 0.8 },
];

const { context, close } = await launch();
try {
  const page = await context.newPage();
  for (const { name, size, svg, scale } of icons) {
    await page.setViewportSize({ width: size, height: size });
    const ground = scale < 1 ? '#5662f6' : 'transparent';
    const place = `display:grid;width:100vw;height:100vh;place-items:center;background:${ground}`;
    await page.setContent(
      `<style>body{margin:0}div{${place}}svg{width:${scale * 100}%}</style><div>${svg}</div>`,
    );
    const bytes = await page.screenshot({ omitBackground: true });
    writeFileSync(new URL(`${name}.png`, folder), bytes);
  }
} finally {
  await close();
}

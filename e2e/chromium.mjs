/**
 * Starts Chromium with our own few flags and connects to it, for tests, benches and the demo's check.
 *
 * Playwright's own launcher sets some forty flags, and they change features that are under test; so the browser is started
 * here, on a port that it picks itself, with a profile that is new and goes with it. Invariant: `close` leaves neither
 * a process nor a file.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--window-size=1280,800',
];

/** The fonts that it has, so that pictures don't change with what a machine has installed. */
const FONTS = fileURLToPath(new URL('fonts.conf', import.meta.url));

/** How long the browser may take to start, and to end when it was asked to, in milliseconds. */
const START_LIMIT_MS = 30_000;
export const END_LIMIT_MS = 5_000;

/**
 * Starts the program that `VEILCAST_CHROMIUM` names, with a new profile.
 *
 * Returns its process, and `end`: it waits until the process has gone, which it kills after `graceMs`, and removes
 * the profile.
 */
export async function start(moreFlags, stdio) {
  const profile = await mkdtemp(join(tmpdir(), 'veilcast-chromium-'));
  const program = process.env.VEILCAST_CHROMIUM ?? 'chromium';
  const flags = [...FLAGS, `--user-data-dir=${profile}`, ...moreFlags, 'about:blank'];
  const child = spawn(program, flags, {
    stdio,
    env: { ...process.env, FONTCONFIG_FILE: FONTS },
  });
  const ended = new Promise((resolve) => {
    child.once('exit', resolve);
    child.once('error', resolve);
  });
  const end = async (graceMs) => {
    const forced = setTimeout(() => child.kill('SIGKILL'), graceMs);
    await ended;
    clearTimeout(forced);
    await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  };
  return { child, end };
}

/** Starts a browser and connects Playwright to it; returns its default context, and `close`. */
export async function launch(moreFlags = []) {
  const { child, end } = await start(
    ['--remote-debugging-port=0', ...moreFlags],
    ['ignore', 'ignore', 'pipe'],
  );
  const close = async (browser) => {
    await browser?.newBrowserCDPSession().then(
      (session) => session.send('Browser.close').catch(() => undefined),
      () => undefined,
    );
    await end(browser ? END_LIMIT_MS : 0);
  };
  try {
    const browser = await chromium.connectOverCDP(await endpoint(child));
    return { context: browser.contexts()[0], close: () => close(browser) };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Reads from standard error where the browser listens. */
function endpoint(child) {
  return new Promise((resolve, reject) => {
    let said = '';
    const fail = (what) => reject(new Error(`Chromium ${what}\n${said.slice(-2000)}`));
    const late = setTimeout(() => fail(`said nothing for ${START_LIMIT_MS} ms`), START_LIMIT_MS);
    child.once('error', (error) => fail(`does not start: ${error.message}`));
    child.once('exit', (code) => fail(`ended with ${code}`));
    child.stderr.setEncoding('utf8');
    child.stderr.on('data', (text) => {
      said = (said + text).slice(-20_000);
      const [, address] = /DevTools listening on (ws:\S+)/.exec(said) ?? [];
      if (address) {
        clearTimeout(late);
        resolve(address);
      }
    });
  });
}

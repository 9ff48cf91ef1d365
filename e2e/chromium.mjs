/**
 * Starts Chromium with our own few flags and connects to it, for tests and for the demo's check.
 *
 * Playwright's own launcher sets some forty flags, and they change features that are under test; so the browser is started
 * here, on a port that it picks itself, with a profile that is new and goes with it. Invariant: `close` leaves neither
 * a process nor a file.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
  '--remote-debugging-port=0',
  '--window-size=1280,800',
];

/** How long the browser may take to start, and to end when it was asked to, in milliseconds. */
const START_LIMIT_MS = 30_000;
const END_LIMIT_MS = 5_000;

/**
 * Starts a browser; `VEILCAST_CHROMIUM` names the program.
 *
 * Returns its default context, and `close`.
 */
export async function launch(moreFlags = []) {
  const profile = await mkdtemp(join(tmpdir(), 'veilcast-chromium-'));
  const program = process.env.VEILCAST_CHROMIUM ?? 'chromium';
  const flags = [...FLAGS, `--user-data-dir=${profile}`, ...moreFlags, 'about:blank'];
  const child = spawn(program, flags, { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise((resolve) => {
    child.once('exit', resolve);
    child.once('error', resolve);
  });
  const close = async (browser) => {
    await browser?.newBrowserCDPSession().then(
      (session) => session.send('Browser.close').catch(() => undefined),
      () => undefined,
    );
    const forced = setTimeout(() => child.kill('SIGKILL'), browser ? END_LIMIT_MS : 0);
    await ended;
    clearTimeout(forced);
    await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
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

/**
 * A gateway with a certificate of its own: the whole page by HTTP/2, and a certificate that is renewed meanwhile.
 *
 * The browser trusts two certificates by the hash of their keys, and keeps every other rule of a secure context.
 */

import { execFile } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { Running } from '../harness/server';
import { TITLE } from '../harness/setup';
import { Veilcast } from '../harness/veilcast';
import { Viewer } from '../harness/viewer';

const run = promisify(execFile);
const house = Veilcast.at(inject('data'));
const RENEWED_LIMIT_MS = 30_000;

let folder: string;
let gateway: Running<{ url: string }>;
let viewer: Viewer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'veilcast-tls-'));
  const keys = [await certificate('one'), await certificate('two')];
  await renew('one');
  const config = join(folder, 'gateway.toml');
  const lines = [
    `bucket = "${join(house.data, 'bucket')}"`,
    `credentials = "${join(house.data, 'gateway.toml')}"`,
    'listen = "127.0.0.1:0"',
    '[tls]',
    `certificate = "${join(folder, 'live.pem')}"`,
    `key = "${join(folder, 'live.key')}"`,
    'check_every_s = 1',
  ];
  await writeFile(config, lines.join('\n'));
  gateway = await Running.start('veilcast-gateway', ['--config', config]);
  viewer = await Viewer.start(`--ignore-certificate-errors-spki-list=${keys.join(',')}`);
});
afterAll(async () => {
  await viewer.close();
  await gateway.end();
  await rm(folder, { recursive: true, force: true });
});

/** Makes a certificate for this machine; the answer is the hash of its key, as the browser's flag takes it. */
async function certificate(name: string): Promise<string> {
  const [key, chain] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const names = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  await run('openssl', ['req', '-x509', ...kind, ...names, '-keyout', key, '-out', chain]);
  const { publicKey } = new X509Certificate(await readFile(chain));
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('base64');
}

/** Puts a certificate and its key where the gateway looks, as a renewal does. */
async function renew(name: string): Promise<void> {
  for (const end of ['key', 'pem']) {
    const part = join(folder, `part.${end}`);
    await writeFile(part, await readFile(join(folder, `${name}.${end}`)), { mode: 0o600 });
    await rename(part, join(folder, `live.${end}`));
  }
}

/** The name in the certificate that the gateway shows now. */
async function shown(): Promise<string> {
  const { hostname: host, port } = new URL(gateway.said.url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port), rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

it('plays by HTTP/2 alone, and goes on when the certificate is renewed', async () => {
  const { link } = await house.share(TITLE, '--base-url', gateway.said.url);
  expect(link).toMatch(/^https:/);
  await viewer.visit(link, async (screen) => {
    await screen.ready();
    await screen.play();
    await screen.seek(30);
    const protocols = await screen.page.evaluate(() => {
      const kinds = ['navigation', 'resource'].map((kind) => performance.getEntriesByType(kind));
      return (kinds.flat() as PerformanceResourceTiming[]).map((entry) => entry.nextHopProtocol);
    });
    expect(protocols.length).toBeGreaterThan(2);
    expect([...new Set(protocols)]).toEqual(['h2']);

    expect(await shown()).toBe('one');
    await renew('two');
    await expect.poll(shown, { timeout: RENEWED_LIMIT_MS }).toBe('two');
    await screen.seek(5);
    await screen.until(({ time, paused }) => time > 6 && !paused);
    expect(screen.errors).toEqual([]);
    expect(await screen.violations()).toEqual([]);
  });
  await viewer.visit(link, (screen) => screen.play());
});

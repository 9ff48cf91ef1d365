/**
 * What the watch page knows without a browser: the link's parts, the facts below the video, and the
 * hashes that a built page pins. How it looks and plays is for `e2e`.
 */

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { addIntegrity, listOf } from '../build/finish.ts';
import { durationText, factsOf } from '../src/watch/facts';
import { isEmpty, readLink } from '../src/watch/link';
import { pageWords } from '../src/words/page-words';

describe('the link', () => {
  const read = (url: string) => readLink(new URL(url));

  it('is taken apart', () => {
    expect(read('https://veil.example/w/0123#abc')).toEqual({
      gateway: 'https://veil.example',
      grantId: '0123',
      secret: 'abc',
    });
  });

  it('may stand under a path, and may lack its parts', () => {
    expect(read('https://x.example/films/w/0123').gateway).toBe('https://x.example/films');
    expect(read('https://x.example/films/w/0123').secret).toBe('');
    expect(read('https://x.example/').grantId).toBe('');
  });

  it('may stand in the fragment alone, for a page that names its gateway', () => {
    const url = new URL(`https://films.example/ours/w/#${'0a'.repeat(16)}.abc`);
    expect(readLink(url, 'https://veil.example')).toEqual({
      gateway: 'https://veil.example',
      grantId: '0a'.repeat(16),
      secret: 'abc',
    });
    expect(readLink(url).gateway).toBe('https://films.example/ours');
  });

  it('is none where the page is opened by its icon', () => {
    expect(isEmpty(read('https://veil.example/w/'))).toBe(true);
    expect(isEmpty(read('https://veil.example/w/index.html'))).toBe(true);
    expect(isEmpty(read('https://veil.example/w/0123'))).toBe(false);
    expect(isEmpty(read('https://veil.example/w/#abc'))).toBe(false);
  });
});

describe('facts', () => {
  const words = pageWords();

  it('of a duration are short', () => {
    const texts = [52_208_333, 60e6, 725e6, 3600e6, 5520e6].map((us) => durationText(us, words));
    expect(texts).toEqual(['52 s', '1 min', '12 min 5 s', '1 h', '1 h 32 min']);
  });

  it('of a duration are in the language', async () => {
    const chinese = pageWords();
    await chinese.use('zh');
    expect(durationText(5520e6, chinese)).toBe('1小时32分钟');
  });

  it('of a title name what a viewer may choose', () => {
    const video = { type: 'video', width: 1280, height: 720 };
    const sound = { type: 'audio' };
    const lines = { type: 'subtitles' };
    const facts = (renditions: object[]) =>
      factsOf({ title: '', durationUs: 1e6, renditions } as never, words).slice(1);
    expect(facts([video, { ...video, width: 1920, height: 1080 }, sound])).toEqual(['Up to 1080p']);
    expect(facts([video])).toEqual(['720p', 'Silent']);
    expect(facts([sound, sound, lines])).toEqual(['Sound only', '2 sound tracks', 'Captions']);
  });
});

describe('a built page', () => {
  it('names the hash of every script and style that it loads', () => {
    const html =
      '<script type="module" crossorigin src="../assets/a.js"></script>' +
      '<link rel="stylesheet" href="../assets/b.css"><link rel="icon" href="../favicon.svg" />';
    const done = addIntegrity(html, (name) => new TextEncoder().encode(name));
    const hash = createHash('sha384').update('assets/a.js').digest('base64');
    expect(done).toContain(`src="../assets/a.js" integrity="sha384-${hash}">`);
    expect(done.match(/integrity=/g)).toHaveLength(2);
  });

  it('is listed as sha256sum lists it', () => {
    const files = { 'w/index.html': 'bb', 'assets/Z.js': 'cc', 'assets/a.js': 'aa' };
    expect(listOf(files)).toBe('cc  assets/Z.js\naa  assets/a.js\nbb  w/index.html\n');
  });
});

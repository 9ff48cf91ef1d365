/**
 * A title whose renditions are one object each: it plays as any other, and what isn't as it was sealed doesn't.
 */

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { parseLinkSecret } from '../../player/src/vault/identity';
import { Gateway } from '../../player/src/vault/gateway';
import { Kind } from '../../player/src/vault/role';
import type { VideoRendition } from '../../player/src/title';
import { damaged, flip, TitleFolder } from '../harness/bucket';
import { fileOf, fileOfRendition, openTitle, role, type OpenedTitle } from '../harness/opened';
import { pressPlay, told, type Expected } from '../harness/told';
import { trailer, Veilcast } from '../harness/veilcast';
import { Viewer, type Screen } from '../harness/viewer';

const TITLE = 'Sintel in single files';
/** The damaged segment. */
const AT = 20;

const house = Veilcast.at(inject('data'));
let viewer: Viewer;
let folder: TitleFolder;
let opened: OpenedTitle;
let videos: VideoRendition[];

beforeAll(async () => {
  viewer = await Viewer.start();
  const { id } = await house.import(await trailer(), TITLE, '480,720', '--single-file');
  folder = new TitleFolder(join(house.data, 'bucket'), id);
  const { link, grant } = await house.share(TITLE);
  opened = await openTitle(folder, link, grant);
  videos = opened.title.renditions.filter((rendition) => rendition.type === 'video');
});
afterAll(async () => {
  await viewer.close();
  await house.run('remove', TITLE, '--yes');
});

async function watch(test: (screen: Screen) => Promise<void>): Promise<void> {
  const { link } = await house.share(TITLE);
  await viewer.visit(link, async (screen) => {
    await screen.ready();
    await test(screen);
    expect(screen.errors).toEqual([]);
    expect(await screen.violations()).toEqual([]);
  });
}

describe('a title in single files', () => {
  it('plays, seeks beyond the buffer and back, and feeds the decoder what was sealed', () =>
    watch(async (screen) => {
      await screen.play();
      for (const target of [45, 3, 25.5, 50, 0.5]) {
        expect(Math.abs((await screen.seek(target)) - target)).toBeLessThan(0.75);
      }
      const picture = await screen.until(({ time }) => time > 1.5);
      expect(picture.soundBytes).toBeGreaterThan(1000);
      const appended = await screen.appended();
      expect(appended.length).toBeGreaterThan(6);
      for (const { sha256 } of appended) expect(opened.pieces).toContain(sha256);
    }));

  it('switches quality', () =>
    watch(async (screen) => {
      await screen.play();
      for (const { id, width } of [...videos, videos[0] as VideoRendition]) {
        await screen.page.evaluate((id) => {
          const player = document.querySelector('veil-player') as unknown as {
            selectVideo(id: number): void;
          };
          player.selectVideo(id);
        }, id);
        await screen.seek(width % 40);
        await screen.until((picture) => picture.width === width);
      }
    }));

  it('has one object and one signed URL a rendition', async () => {
    const { link, grant } = await house.share(TITLE);
    const secret = await parseLinkSecret(new URL(link).hash.slice(1));
    const gateway = new Gateway(new URL(link).origin, grant, secret?.bearer ?? '');
    for (const rendition of opened.title.renditions) {
      const name = await opened.key.name(role(Kind.mediaPlaylist, rendition.id, 0));
      const { text } = await gateway.playlist(name);
      const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
      const maps = [...text.matchAll(/#EXT-X-MAP:URI="([^"]+)"/g)].map(([, uri]) => uri);
      expect(lines.length).toBeGreaterThan(20);
      expect(new Set([...lines, ...maps]).size).toBe(1);
    }
  });
});

/** The rendition files of all pictures. */
async function files(): Promise<string[]> {
  return Promise.all(
    videos.map(({ id }) => fileOf(folder, opened.key, role(Kind.renditionFile, id, 0))),
  );
}

/** From where to where a segment reaches in one of them. */
function placeIn(video: number, index: number): { from: number; to: number } {
  const place = fileOfRendition(videos[video] as VideoRendition)?.segment(index);
  if (!place) throw new Error('there is no such segment');
  return { from: place.offset, to: place.offset + place.bytes };
}

const TAMPERED: Expected = { code: 'tampered', words: /changed on its way/ };
const atOnce = (): Promise<void> => Promise.resolve();

async function expectFailure(
  change: (bytes: Buffer, video: number) => Buffer | undefined,
  expected: Expected,
  before = pressPlay,
): Promise<void> {
  const { link } = await house.share(TITLE);
  const changeAll = (all: Buffer[]) => all.map(change);
  await damaged(await files(), changeAll, () => told(viewer, opened, link, expected, before));
}

describe('a rendition file', () => {
  it('with a flipped byte in the middle of a segment is told as changed', () =>
    expectFailure((bytes, video) => {
      const { from, to } = placeIn(video, AT);
      return flip(bytes, (from + to) >> 1);
    }, TAMPERED));

  it('with a flipped byte in the last tag of a segment gives nothing of it to the decoder', () =>
    expectFailure((bytes, video) => flip(bytes, placeIn(video, AT).to - 1), TAMPERED));

  it('with two segments exchanged is told as changed', () =>
    expectFailure((bytes, video) => {
      const [one, other] = [placeIn(video, AT), placeIn(video, AT + 1)];
      return Buffer.concat([
        bytes.subarray(0, one.from),
        bytes.subarray(other.from, other.to),
        bytes.subarray(one.from, one.to),
        bytes.subarray(other.to),
      ]);
    }, TAMPERED));

  it('with other sealed bytes in a segment’s place is told as changed', () =>
    expectFailure((bytes, video) => {
      const { from, to } = placeIn(video, AT);
      bytes.copy(bytes, from, from - (to - from), from);
      return bytes;
    }, TAMPERED));

  it('that is truncated is told as changed', () =>
    expectFailure((bytes) => bytes.subarray(0, bytes.length - 16_400), TAMPERED, atOnce));

  it('that is longer than its segments is told as changed', () =>
    expectFailure((bytes) => Buffer.concat([bytes, Buffer.alloc(72)]), TAMPERED, atOnce));

  it('that is missing is told as missing', () =>
    expectFailure(
      () => undefined,
      { code: 'object-missing', words: /part of this video/ },
      atOnce,
    ));
});

describe('its playlist', () => {
  const check = async (change: (lines: string[]) => string[]) => {
    const names = videos.map(({ id }) => opened.key.name(role(Kind.mediaPlaylist, id, 0)));
    const playlists = (await Promise.all(names)).map((name) => folder.path(`${name}.m3u8`));
    const changeAll = (all: Buffer[]) =>
      all.map((bytes) => Buffer.from(change(bytes.toString().trimEnd().split('\n')).join('\n')));
    const { link } = await house.share(TITLE);
    const words = /not as it was sealed/;
    const refused = async () => {
      await house.forgetAll();
      await told(viewer, opened, link, { code: 'playlist-mismatch', words });
    };
    await damaged(playlists, changeAll, refused).finally(() => house.forgetAll());
  };

  it('of an older state, a segment short, is refused', () =>
    check((lines) => [...lines.slice(0, -4), '#EXT-X-ENDLIST']));

  it('with two ranges exchanged is refused', () =>
    check((lines) => {
      const ranges = lines.flatMap((line, at) => (line.startsWith('#EXT-X-BYTE') ? [at] : []));
      const [one, other] = ranges as [number, number];
      return lines.with(one, lines[other] as string).with(other, lines[one] as string);
    }));

  it('with a range that reaches into the next one is refused', () =>
    check((lines) => lines.map((line) => line.replace(/^(#EXT-X-BYTERANGE:\d+)@/, '$10@'))));
});

/**
 * What must not play, and what the viewer is told: each damage its own words, and nothing that
 * failed its seal in the decoder.
 */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, inject, it } from 'vitest';
import { damaged, flip, TitleFolder } from '../harness/bucket';
import { fileOf, openTitle, role, type OpenedTitle } from '../harness/opened';
import { TITLE } from '../harness/setup';
import { pressPlay, told } from '../harness/told';
import { Veilcast } from '../harness/veilcast';
import { Viewer } from '../harness/viewer';
import { Kind } from '../../player/src/vault/role';

const house = Veilcast.at(inject('data'));
const folder = new TitleFolder(join(house.data, 'bucket'), inject('title'));
/** The damaged segment. */
const AT = 20;

let viewer: Viewer;
let opened: OpenedTitle;

beforeAll(async () => {
  viewer = await Viewer.start();
  const { link, grant } = await house.share(TITLE);
  opened = await openTitle(folder, link, grant);
});
afterAll(() => viewer.close());

/** The files of an object in every video rendition. */
function inEveryVideo(kind: Kind, ...indices: number[]): Promise<string[]> {
  const videos = opened.title.renditions.filter(({ type }) => type === 'video');
  const roles = videos.flatMap(({ id }) => indices.map((index) => role(kind, id, index)));
  return Promise.all(roles.map((one) => fileOf(folder, opened.key, one)));
}

/** Opens a link and expects to be told. */
const expectFailure = (link: string, code: string, words: RegExp): Promise<void> =>
  told(viewer, opened, link, { code, words });

/** The same with a link made now. */
async function expectRefused(code: string, words: RegExp): Promise<void> {
  const { link } = await house.share(TITLE);
  await expectFailure(link, code, words);
}

/** The same once playback has begun: the player reads ahead, and meets the damage by itself. */
async function expectStopped(code: string, words: RegExp): Promise<void> {
  const { link } = await house.share(TITLE);
  await told(viewer, opened, link, { code, words }, pressPlay);
}

describe('a damaged object', () => {
  it('with a flipped byte in its middle is told as changed', async () => {
    const files = await inEveryVideo(Kind.segment, AT);
    const change = (all: Buffer[]) => all.map((bytes) => flip(bytes, bytes.length >> 1));
    await damaged(files, change, () => expectStopped('tampered', /changed on its way/));
  });

  it('with a flipped byte in its last tag gives nothing of itself to the decoder', async () => {
    const files = await inEveryVideo(Kind.segment, AT);
    const change = (all: Buffer[]) => all.map((bytes) => flip(bytes, bytes.length - 1));
    await damaged(files, change, () => expectStopped('tampered', /did not pass its seal/));
  });

  it('that is truncated is told as changed', async () => {
    const files = await inEveryVideo(Kind.segment, AT);
    const change = (all: Buffer[]) => all.map((bytes) => bytes.subarray(0, bytes.length - 16_400));
    await damaged(files, change, () => expectStopped('tampered', /changed on its way/));
  });

  it('that was swapped with another segment is told as changed', async () => {
    const files = await inEveryVideo(Kind.segment, AT, AT + 1);
    const swap = (all: Buffer[]) => all.map((_, at) => all[at ^ 1]);
    await damaged(files, swap, () => expectStopped('tampered', /changed on its way/));
  });

  it('that is missing is told as missing', async () => {
    const files = await inEveryVideo(Kind.segment, AT);
    const remove = (all: Buffer[]) => all.map(() => undefined);
    await damaged(files, remove, () => expectStopped('object-missing', /part of this video/));
  });

  it('that is the description stops before anything plays', async () => {
    const file = await fileOf(folder, opened.key, role(Kind.manifest, 0, 0));
    const change = (all: Buffer[]) => all.map((bytes) => flip(bytes, 60));
    await damaged([file], change, () => expectRefused('tampered', /description/));
  });
});

describe('a playlist', () => {
  const cut = (all: Buffer[]) =>
    all.map((bytes) => {
      const lines = bytes.toString().trimEnd().split('\n');
      return Buffer.from([...lines.slice(0, -3), '#EXT-X-ENDLIST', ''].join('\n'));
    });
  const check = async (change: (all: Buffer[]) => Buffer[]) => {
    const names = await inEveryVideo(Kind.mediaPlaylist, 0);
    const files = names.map((name) => `${name}.m3u8`);
    const refused = async () => {
      await house.forgetAll();
      await expectRefused('playlist-mismatch', /not as it was sealed/);
    };
    await damaged(files, change, refused).finally(() => house.forgetAll());
  };

  it('of an older state, a segment short, is refused', () => check(cut));

  it('with two segments exchanged is refused', () =>
    check((all) =>
      all.map((bytes) => {
        const lines = bytes.toString().split('\n');
        const [first, second] = lines.flatMap((line, at) =>
          /^[0-9a-f]{32}$/.test(line) ? [at] : [],
        );
        if (first === undefined || second === undefined) throw new Error('no segments');
        [lines[first], lines[second]] = [lines[second] ?? '', lines[first] ?? ''];
        return Buffer.from(lines.join('\n'));
      }),
    ));

  it('with another duration is refused', () =>
    check((all) =>
      all.map((bytes) => Buffer.from(bytes.toString().replace('#EXTINF:2.', '#EXTINF:1.'))),
    ));
});

describe('a link', () => {
  it('with a wrong secret is told apart', async () => {
    const { link } = await house.share(TITLE);
    const [before, secret] = link.split('#') as [string, string];
    const wrong = (secret.startsWith('A') ? 'B' : 'A') + secret.slice(1);
    await expectFailure(`${before}#${wrong}`, 'secret-wrong', /doesn’t fit/);
  });

  it('without or with half of its secret is told as incomplete', async () => {
    const { link } = await house.share(TITLE);
    await expectFailure(link.split('#')[0] ?? '', 'link-incomplete', /incomplete/);
    await expectFailure(link.slice(0, -9), 'link-incomplete', /incomplete/);
  });

  it('that nobody made leads nowhere', async () => {
    const { link } = await house.share(TITLE);
    const unknown = link.replace(/\/w\/[0-9a-f]{32}/, `/w/${'0'.repeat(32)}`);
    await expectFailure(unknown, 'link-unknown', /leads nowhere/);
  });

  it('that has expired is told as expired', async () => {
    const { link } = await house.share(TITLE, '--expires', '1s');
    await new Promise((resolve) => setTimeout(resolve, 2100));
    await expectFailure(link, 'grant-expired', /expired/);
  });

  it('that was revoked is told as withdrawn', async () => {
    const { link, grant } = await house.share(TITLE);
    await house.run('revoke', grant);
    await expectFailure(link, 'grant-revoked', /withdrawn/);
  });

  it('whose grant was changed in the bucket does not open', async () => {
    const { link, grant } = await house.share(TITLE);
    const file = join(folder.bucket, 'g', grant);
    const record = JSON.parse(await readFile(file, 'utf8')) as { envelope: string };
    const end = record.envelope.slice(-8) === 'AAAAAAAA' ? 'BBBBBBBB' : 'AAAAAAAA';
    record.envelope = record.envelope.slice(0, -8) + end;
    await writeFile(file, JSON.stringify(record));
    await expectFailure(link, 'tampered', /grant/);
  });

  it('whose end was pushed out in the bucket does not open', async () => {
    const { link, grant } = await house.share(TITLE);
    const file = join(folder.bucket, 'g', grant);
    const record = JSON.parse(await readFile(file, 'utf8')) as { expires: string };
    record.expires = '2099-01-01T00:00:00Z';
    await writeFile(file, JSON.stringify(record));
    await expectFailure(link, 'tampered', /grant/);
  });
});

/** Opens the page's link anew, in the page. */
function openAgain(): void {
  const player = document.querySelector('veil-player') as unknown as {
    open(link: { gateway: string; grantId: string; secret: string }): void;
  };
  const grantId = location.pathname.split('/').pop() ?? '';
  player.open({ gateway: '/', grantId, secret: location.hash.slice(1) });
}

describe('a lost connection', () => {
  it('is told, and playback goes on by itself when it is back', async () => {
    const { link } = await house.share(TITLE);
    await viewer.visit(link, async (screen) => {
      await screen.ready();
      await screen.play();
      const context = screen.page.context();
      await context.setOffline(true);
      await screen.page.evaluate(openAgain);
      await screen.page
        .getByText(/you are offline|doesn’t answer/i)
        .first()
        .waitFor();
      await context.setOffline(false);
      await screen.ready();
      await screen.play();
    });
  });
});

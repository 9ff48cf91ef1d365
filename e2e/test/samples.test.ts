/** Every sample plays in the browser as wide and as high as it should, or is refused with a reason. */

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { samplesFolder, Veilcast } from '../harness/veilcast';
import { Viewer } from '../harness/viewer';

const house = Veilcast.at(inject('data'));
const media = join(samplesFolder(), 'media');
const names = existsSync(media) ? readdirSync(media) : [];
/** Samples that are no video, and what is said of them. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  'sample_malformed_free_box.mp4': /its index \(`moov`\) is missing or broken/,
  'subtitles-unicode.srt': /not a video/,
};
let viewer: Viewer;

interface Imported {
  readonly width: number;
  readonly height: number;
  readonly duration_us: number;
}

beforeAll(async () => {
  viewer = await Viewer.start();
});
afterAll(() => viewer.close());

async function plays(link: string, { width, height, duration_us }: Imported): Promise<void> {
  await viewer.visit(link, async (screen) => {
    await screen.ready();
    await screen.pressPlay();
    const seconds = duration_us / 1e6;
    const far = Math.min(0.5, seconds / 2);
    const picture = await screen.until(({ time, frames }) => time >= far && (!width || frames > 0));
    if (width) expect(picture.width / picture.height).toBeCloseTo(width / height, 2);
  });
}

describe.runIf(names.length > 0)('the sample', () => {
  it.each(names)('%s plays or is refused with a reason', async (name) => {
    const importing = house.run<Imported>('import', join(media, name), '--title', name);
    const reason = REFUSED[name];
    if (reason) return expect(importing).rejects.toThrow(reason);
    const imported = await importing;
    const { link } = await house.share(name);
    await plays(link, imported);
    await house.run('remove', name, '--yes');
  });
});

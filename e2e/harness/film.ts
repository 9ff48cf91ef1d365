/**
 * A film of ten seconds that has everything a viewer may choose: chapters, two sounds, captions.
 */

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A chapter's beginning in seconds, and its name. */
export type ChapterAt = readonly [start: number, title: string];

const LENGTH_S = 10;

/** Chapters as FFmpeg reads them. */
function metadataOf(chapters: readonly ChapterAt[]): string {
  const parts = chapters.map(([start, title], index) => {
    const end = chapters[index + 1]?.[0] ?? LENGTH_S;
    return `[CHAPTER]\nTIMEBASE=1/1000\nSTART=${start * 1000}\nEND=${end * 1000}\ntitle=${title}\n`;
  });
  return `;FFMETADATA1\n${parts.join('')}`;
}

/** Makes the film in `folder`; returns where it lies. `picture` is a source of FFmpeg's. */
export function makeFilm(
  folder: string,
  chapters: readonly ChapterAt[],
  picture = 'testsrc2=',
): string {
  const path = join(folder, 'film.mkv');
  const [subtitles, metadata] = [join(folder, 'film.srt'), join(folder, 'chapters.txt')];
  writeFileSync(subtitles, '1\n00:00:00,200 --> 00:00:09,800\nGuten Tag, liebe Leute\n');
  writeFileSync(metadata, metadataOf(chapters));
  const tone = (hertz: number) => ['-f', 'lavfi', '-i', `sine=frequency=${hertz}:duration=10`];
  const shape = `${picture}${picture.endsWith('=') ? '' : ':'}size=1280x720:rate=25:duration=10`;
  const maps = ['0:v', '1:a', '2:a', '3:s'].flatMap((map) => ['-map', map]);
  const languages = ['s:a:0=eng', 's:a:1=deu', 's:s:0=deu'].flatMap((one) => {
    const [stream, language] = one.split('=') as [string, string];
    return [`-metadata:${stream}`, `language=${language}`];
  });
  const codecs = ['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', '-c:s', 'srt'];
  const inputs = [
    '-f',
    'lavfi',
    '-i',
    shape,
    ...tone(330),
    ...tone(440),
    '-i',
    subtitles,
    '-i',
    metadata,
  ];
  const rest = [...maps, '-map_chapters', '4', ...languages, ...codecs, path];
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...inputs, ...rest]);
  return path;
}

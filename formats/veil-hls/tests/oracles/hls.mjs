/**
 * Oracle: hls.js, which reads playlists for our player.
 *
 * Called with the path of a JSON request {"cases": [playlist, …]}; prints the JSON list of what it made of each.
 */

import { readFileSync } from 'node:fs';

globalThis.self = globalThis;
const { M3U8Parser } = await import('hls.js');

function read(playlist) {
  const level = M3U8Parser.parseLevelPlaylist(playlist, 'https://x/', 0, 'main', 0, null);
  return {
    error: level.playlistParsingError && String(level.playlistParsingError),
    version: level.version,
    map: level.fragments[0]?.initSegment?.url ?? null,
    segments: level.fragments.map(({ url, duration, byteRange }) => ({ url, duration, byteRange })),
  };
}

const request = JSON.parse(readFileSync(process.argv[2], 'utf8'));
process.stdout.write(JSON.stringify(request.cases.map(read)));

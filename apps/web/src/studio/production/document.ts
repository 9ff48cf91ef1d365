/**
 * A production as a value: what it may hold (`docs/format/production.md`), and edits of it.
 *
 * Pure. Invariants: an edit returns another document and changes none; what is as it would be anyway isn't written.
 */

/** Who speaks. */
export type Voice =
  | { provider: 'espeak'; voice?: string; words_a_minute?: number; pitch?: number }
  | { provider: 'piper'; voice?: string | null }
  | { provider: 'openai'; model?: string; voice?: string }
  | { provider: 'recording'; file: string }
  | { provider: 'none' };

export const MOTIONS = ['zoom-in', 'zoom-out', 'pan-right', 'pan-left', 'none'] as const;
export const FITS = ['crop', 'pad', 'blur-pad'] as const;

/** What is behind a scene. */
export type Background =
  | { kind: 'gradient'; colors: [string, string] }
  | { kind: 'image'; file: string; motion?: (typeof MOTIONS)[number] }
  | { kind: 'video'; file: string; fit?: (typeof FITS)[number]; start?: number };

export const CAPTION_STYLES = ['highlight', 'pop', 'pill', 'block', 'none'] as const;
export const POSITIONS = ['top', 'middle', 'bottom'] as const;

/** How captions look. */
export interface Captions {
  style?: (typeof CAPTION_STYLES)[number];
  position?: (typeof POSITIONS)[number];
  size?: number;
  color?: string;
  highlight?: string;
  font?: string;
}

export const TRANSITIONS = ['cut', 'fade', 'dissolve'] as const;
export type Transition = (typeof TRANSITIONS)[number];

/** One scene. */
export interface Scene {
  heading?: string | null;
  text?: string;
  voice?: Voice | null;
  background?: Background | null;
  captions?: Captions | null;
  transition?: Transition | null;
  transition_seconds?: number | null;
  duration?: number | null;
  pause?: number | null;
}

/** Music under everything. */
export interface Music {
  file: string;
  volume?: number;
  duck?: boolean;
  fade_out?: number;
}

export const CORNERS = ['top-left', 'top-right', 'bottom-left', 'bottom-right'] as const;

/** A picture on top of everything. */
export interface Watermark {
  file: string;
  position?: (typeof CORNERS)[number];
  width?: number;
  opacity?: number;
}

/** Scenes beside the others: before them, and after them. */
export type Edge = 'intro' | 'outro';

/** What a background is at first. */
export const GRADIENT: Background = { kind: 'gradient', colors: ['#1b2a6b', '#7a2f86'] };

export const FORMATS = ['9:16', '16:9', '1:1', '4:5'] as const;
export type Format = (typeof FORMATS)[number];
export const RATES = [24, 25, 30, 50, 60] as const;

/** The document. Members that the page doesn't edit stay as they are. */
export interface Production {
  version?: 1;
  title?: string | null;
  format?: Format;
  height?: number | null;
  fps?: number;
  voice?: Voice;
  voice_volume?: number;
  captions?: Captions;
  backgrounds?: Background[];
  transition?: Transition;
  transition_seconds?: number | null;
  music?: Music | null;
  intro?: Scene | null;
  outro?: Scene | null;
  watermark?: Watermark | null;
  scenes?: Scene[];
  [more: string]: unknown;
}

/** Most scenes in a production. */
export const SCENES_MOST = 500;

/** Returns the scenes of a document. */
export function scenesOf({ scenes }: Production): readonly Scene[] {
  return scenes ?? [];
}

/** Returns an object without the members that say nothing. */
function said<T extends object>(value: T): T {
  const entries = Object.entries(value).filter(([, one]) => one !== null && one !== undefined);
  return Object.fromEntries(entries) as T;
}

/** Changes members of the document; `null` and `undefined` take them out. */
export function changed(document: Production, change: Partial<Production>): Production {
  return said({ ...document, ...change });
}

/** Changes members of a scene. */
export function withScene(
  document: Production,
  index: number,
  change: Partial<Scene>,
): Production {
  const scenes = scenesOf(document).map((scene, at) =>
    at === index ? said({ ...scene, ...change }) : scene,
  );
  return { ...document, scenes };
}

/** Changes members of the intro or the outro. */
export function withEdge(document: Production, edge: Edge, change: Partial<Scene>): Production {
  return { ...document, [edge]: said({ ...document[edge], ...change }) };
}

/** Puts a scene behind another; `-1` puts it first. */
export function addScene(document: Production, after: number, scene: Scene): Production {
  const scenes = [...scenesOf(document)];
  if (scenes.length >= SCENES_MOST) return document;
  scenes.splice(after + 1, 0, scene);
  return { ...document, scenes };
}

/** Takes a scene out. */
export function removeScene(document: Production, index: number): Production {
  return { ...document, scenes: scenesOf(document).filter((_, at) => at !== index) };
}

/** Moves a scene to another place; the place is the one it has afterwards. */
export function moveScene(document: Production, from: number, to: number): Production {
  const scenes = [...scenesOf(document)];
  const [scene] = scenes.splice(from, 1);
  if (scene === undefined || to < 0 || to > scenes.length || from === to) return document;
  scenes.splice(to, 0, scene);
  return { ...document, scenes };
}

/** Puts scenes in the place of all others. */
export function withScenes(document: Production, scenes: readonly Scene[]): Production {
  return { ...document, scenes: [...scenes] };
}

/** Returns the text of all scenes, a paragraph each, as somebody would write a story. */
export function storyOf(document: Production): string {
  const parts = scenesOf(document).flatMap(({ heading, text }) => [
    heading ? `# ${heading}` : '',
    text ?? '',
  ]);
  return parts.filter((part) => part !== '').join('\n\n');
}

const WORD_S = 0.4;
const LEAST_S = 2.5;
const PAUSE_S = 0.35;

/** Returns about how many seconds a scene takes; its voice says it exactly, once it has spoken. */
export function secondsOf(scene: Scene): number {
  const spoken = (scene.text ?? '').trim() || (scene.heading ?? '').trim();
  const words = spoken === '' ? 0 : spoken.split(/\s+/u).length;
  const needed = words === 0 ? LEAST_S : words * WORD_S + (scene.pause ?? PAUSE_S);
  return Math.max(needed, scene.duration ?? 0);
}

/** Returns about when a scene begins, in seconds. */
export function beginOf(document: Production, index: number): number {
  return scenesOf(document)
    .slice(0, index)
    .reduce((sum, scene) => sum + secondsOf(scene), 0);
}

/** Returns the medium that a file of a document names, `null` where it names none of the library. */
export function mediumOf(file: string): string | null {
  return file.startsWith('media:') ? file.slice('media:'.length) : null;
}

/** Returns how a document names a medium. */
export function fileOf(medium: string): string {
  return `media:${medium}`;
}

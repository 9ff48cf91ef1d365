/**
 * The languages of a `table.json`, each cut out of it by the bundler: see `vite.ts` of this package.
 */

declare module '*?first=en' {
  const words: Readonly<Record<string, string>>;
  export default words;
}

declare module '*?first=de' {
  const words: Readonly<Record<string, string>>;
  export default words;
}

declare module '*?first=zh' {
  const words: Readonly<Record<string, string>>;
  export default words;
}

declare module '*?first=es' {
  const words: Readonly<Record<string, string>>;
  export default words;
}

declare module '*?later=en' {
  const words: Readonly<Record<string, string>>;
  export default words;
}

declare module '*?later=de' {
  const words: Readonly<Record<string, string>>;
  export default words;
}

declare module '*?later=zh' {
  const words: Readonly<Record<string, string>>;
  export default words;
}

declare module '*?later=es' {
  const words: Readonly<Record<string, string>>;
  export default words;
}

declare module '*?parts' {
  const parts: Readonly<Record<'first' | 'later', import('./words').WordPart>>;
  export default parts;
}

/** The languages of `table.json`, each cut out of it by the bundler: see `vite.ts` of this package. */

type WordsOf<Part extends 'first' | 'later'> = Readonly<
  Record<keyof (typeof import('./table.json'))[Part], string>
>;

declare module '*?first=en' {
  const words: WordsOf<'first'>;
  export default words;
}

declare module '*?first=de' {
  const words: WordsOf<'first'>;
  export default words;
}

declare module '*?first=zh' {
  const words: WordsOf<'first'>;
  export default words;
}

declare module '*?first=es' {
  const words: WordsOf<'first'>;
  export default words;
}

declare module '*?later=en' {
  const words: WordsOf<'later'>;
  export default words;
}

declare module '*?later=de' {
  const words: WordsOf<'later'>;
  export default words;
}

declare module '*?later=zh' {
  const words: WordsOf<'later'>;
  export default words;
}

declare module '*?later=es' {
  const words: WordsOf<'later'>;
  export default words;
}

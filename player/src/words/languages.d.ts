/** The languages of `table.json`, each cut out of it by the bundler: see `vite.ts` of this package. */

type TableInOneLanguage = Readonly<Record<keyof typeof import('./table.json'), string>>;

declare module '*?language=en' {
  const words: TableInOneLanguage;
  export default words;
}

declare module '*?language=de' {
  const words: TableInOneLanguage;
  export default words;
}

declare module '*?language=zh' {
  const words: TableInOneLanguage;
  export default words;
}

declare module '*?language=es' {
  const words: TableInOneLanguage;
  export default words;
}

/**
 * Writes the package's types into one file, `dist/index.d.ts`.
 *
 * The names of words come from the table, which is no TypeScript: its type is written out here.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { generateDtsBundle } from 'dts-bundle-generator';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));

const TABLE = 'type Table = typeof table;';

function tableType() {
  const table = JSON.parse(readFileSync(at('../src/words/table.json'), 'utf8'));
  const parts = Object.entries(table).map(([part, words]) => {
    const names = Object.keys(words).map((word) => JSON.stringify(word));
    return `${part}: Record<${names.join(' | ')}, Record<Language, string>>`;
  });
  return `type Table = { ${parts.join('; ')} };`;
}

const entry = {
  filePath: at('../src/index.ts'),
  output: { noBanner: true, inlineDeclareGlobals: true },
};
const options = { preferredConfigPath: at('../tsconfig.json') };
const [types] = generateDtsBundle([entry], options);
if (!types?.includes(TABLE))
  throw new Error('the words have no type any more that is written out here');
writeFileSync(at('../dist/index.d.ts'), types.replace(TABLE, tableType()));

// A catalog whose names and types try to be something else: Mermaid, Markdown, HTML, SQL, JavaScript.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const NAMES = [
  'table_1',
  '"; DROP TABLE x; --',
  "it's a `table`",
  '{ int a }',
  '[x](javascript:window.hacked=1)',
  '<img src=x onerror=window.hacked=2>',
  '<script>window.hacked=3</script>',
  'end',
  'END',
  'direction TB',
  'x direction LR y',
  'classDef a fill:#f00;',
  'style x:#quot; y',
  'erDiagram',
  'title',
  'C4Container',
  '__proto__',
  '%%{init: {"theme": "dark"}}%%',
  '%% comment',
  '---',
  '1. **bold** _em_ ~~gone~~',
  'a}o--||b : c',
  'back\\slash',
  '\u{1F600}\u{1F468}\u200D\u{1F469}\u200D\u{1F467}',
  '주문 주소 表 таблица',
  'Číslo objednávky',
  '&lt;b&gt; #35; www.example.com',
  'ﬂ°°35¶ß',
  '\u200B',
  'x'.repeat(200),
];

export const TYPES = [
  'numeric(10,2)',
  'character varying(20)[]',
  'timestamp with time zone',
  'struct<a:int>',
  'map<string,array<int>>',
  'fk(1)',
  'PK',
  'enum("a","b")',
  '~int~',
  '"',
  '😀',
];

// Writes it into the folder; returns where. Every table has all names as columns and refers to the next one.
export function writeHostileCatalog(folder) {
  const columns = NAMES.map((name, place) => ({ name, type: TYPES[place % TYPES.length] }));
  const tables = NAMES.map((name, place) => {
    const next = NAMES[(place + 1) % NAMES.length];
    const key = { columns: [name], references: `h.${next}`, to_columns: [next] };
    return { schema: 'h', name, type: 'TABLE', primary_key: [name], columns, foreign_keys: [key] };
  });
  const file = join(folder, 'hostile.json');
  writeFileSync(file, JSON.stringify({ format: 1, name: 'hostile', as_of: '2026-11-20', tables }));
  return file;
}

// A model that lists everything for "list", and describes table N for "describe N".
export const SCRIPT = {
  scenarios: [
    calling('list', 'list_tables', {}),
    ...NAMES.map((name, place) => calling(`describe ${place}`, 'get_table_details', { table: `h.${name}` })),
  ],
};

function calling(question, name, args) {
  return { when: { exact: question }, steps: [[{ call: { name, arguments: args } }], [{ text: 'Done.' }]] };
}

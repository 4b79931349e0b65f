/** Writes the OpenAPI document to a file, `openapi.json` unless one is named. */
import { writeFileSync } from 'node:fs';

import { apiDocument } from '../src/api-document.ts';

const [file = 'openapi.json'] = process.argv.slice(2);
writeFileSync(file, `${JSON.stringify(JSON.parse(await apiDocument()), null, 2)}\n`);
console.log(`${file} written`);
process.exit();

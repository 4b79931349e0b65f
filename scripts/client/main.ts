/** Writes the package of a typed client into a folder, `client` unless one is named. */
import { writeClient } from './package.ts';
import { apiDocument } from '../../src/api-document.ts';

import type { OpenApiDocument } from '../../plugins/docs/openapi.ts';

const [folder = 'client'] = process.argv.slice(2);
writeClient(JSON.parse(await apiDocument()) as OpenApiDocument, folder);
console.log(`${folder} written`);
process.exit();

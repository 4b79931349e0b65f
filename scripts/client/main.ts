/** Writes the package of a typed client into a folder, `client` unless one is named. */
import { writeClient } from './package.ts';
import { apiDocument } from '../api-document.ts';

const [folder = 'client'] = process.argv.slice(2);
writeClient(await apiDocument(), folder);
console.log(`${folder} written`);
process.exit();

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { temporaryFolder } from './folder.ts';

/** A script of a test's own, for `store.script`. */
export function temporaryScript(source: string): URL {
    const file = join(temporaryFolder(), 'script.lua');
    writeFileSync(file, source);
    return pathToFileURL(file);
}

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { withRoutes } from '../src/api-document.ts';
import { catalogue } from '../src/http/errors.ts';

/** What no answer of any test was. */
interface UnseenErrors {
    /** Codes of the catalogue. */
    codes: string[];
    /** `<method> <path> <code>` of what routes name themselves. */
    ofRoutes: string[];
}

/** @param folder Where tests have noted what they saw, a line each: `<method> <path> <code>` */
export async function unseenErrors(folder: string): Promise<UnseenErrors> {
    const seen = new Set(readdirSync(folder).flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n')));
    const codes = new Set([...seen].map((line) => line.split(' ')[2]));
    const documented = await withRoutes(async (server) =>
        server
            .table()
            .flatMap(({ method, path, settings }) =>
                (settings.app?.errors ?? []).map((code) => `${method} ${path} ${code}`),
            ),
    );
    return {
        codes: Object.keys(catalogue).filter((code) => !codes.has(code)),
        ofRoutes: documented.filter((line) => !seen.has(line)).toSorted(),
    };
}

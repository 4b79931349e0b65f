import { appendFileSync } from 'node:fs';
import { join } from 'node:path';

import { isBoom } from '@hapi/boom';

import { catalogue } from '../../src/http/errors.ts';
import { toApiError } from '../../src/http/to-api-error.ts';

import type { Request, RequestRoute, Server } from '@hapi/hapi';

/** Where a run of all tests wants to know which codes came from which routes; nothing is noted without it. */
const folder = process.env.SEEN_CODES;
const noted = new Set<string>();

/** Notes the code of each refusal of a server, by the route that it came from. */
export function noteRefusals(server: Server): void {
    if (folder === undefined) return;
    const note = ({ response, route }: Request): void => {
        if (isBoom(response)) noteCode(route, toApiError(response).data?.code ?? '');
    };
    // The error itself, before it gets the form of its answer.
    server.ext('onPreResponse', (request, h) => (note(request), h.continue), { before: 'responses' });
}

/** Notes what the events and records of an answer failed with. */
export function noteFailures(route: Pick<RequestRoute, 'method' | 'path' | 'settings'>, text: string): void {
    // Lists and examples of codes are answers of no failure.
    if (folder === undefined || route.path === '/api/errors' || route.settings.app?.status === undefined) return;
    for (const [, code = ''] of text.matchAll(/"(?:code|errorCode|error)":"([A-Z_]+)"/g)) noteCode(route, code);
}

function noteCode({ method, path }: Pick<RequestRoute, 'method' | 'path'>, code: string): void {
    const line = `${method} ${path} ${code}\n`;
    if (!Object.hasOwn(catalogue, code) || noted.has(line)) return;
    noted.add(line);
    appendFileSync(join(folder ?? '', String(process.pid)), line);
}

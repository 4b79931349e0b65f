import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

import Inert from '@hapi/inert';

import { DOCUMENT_PATH, FILES_PATH, page, PAGE_FILES } from './page.ts';
import { writeDocument } from './write-document.ts';

import type { Plugin, ServerRoute } from '@hapi/hapi';
import type { Clock } from '../../src/clock.ts';
import type { Platform } from '../../src/platform.ts';

/** The OpenAPI document and Swagger UI, made from what the routes say of themselves. */
export const docs: Plugin<Platform> = {
    name: 'docs',
    register: async (server, { config, clock, writeDocument: write = () => writeDocument(server, config.VERSION) }) => {
        if (!config.DOCS) return;
        // It is loaded for the first who wants the document; that it is missing is to be known now.
        import.meta.resolve('hapi-swagger');
        // Not by the package's own entry, which loads all of the browser's code.
        const folder = dirname(fileURLToPath(import.meta.resolve('swagger-ui-dist/absolute-path.js')));
        await server.register(Inert);
        server.route([getDocument(write, clock), showPage, ...PAGE_FILES.map((name) => getFile(folder, name))]);
    },
};

/** The document is made once, and kept. */
function getDocument(write: () => Promise<string>, clock: Clock): ServerRoute {
    let document: Promise<{ text: string; madeAt: string }> | undefined;
    return {
        method: 'GET',
        path: DOCUMENT_PATH,
        options: { auth: false },
        handler: async (_request, h) => {
            document ??= write().then((text) => ({ text, madeAt: new Date(clock()).toUTCString() }));
            // One that could not be made is made by the next request.
            const { text, madeAt } = await document.catch((error: unknown) => {
                document = undefined;
                throw error;
            });
            return h.response(text).type('application/json').header('last-modified', madeAt);
        },
    };
}

const showPage: ServerRoute = {
    method: 'GET',
    path: '/documentation',
    options: { auth: false },
    handler: (_request, h) => h.response(page).type('text/html'),
};

const getFile = (folder: string, name: string): ServerRoute => ({
    method: 'GET',
    path: `${FILES_PATH}${name}`,
    options: { auth: false, files: { relativeTo: folder } },
    handler: { file: name },
});

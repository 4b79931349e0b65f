import Inert from '@hapi/inert';
import Vision from '@hapi/vision';
import HapiSwagger from 'hapi-swagger';

import { completeDocument } from './complete-document.ts';
import { description, securitySchemes, tags } from './description.ts';

import type { Plugin, Request, Server } from '@hapi/hapi';
import type { OpenApiDocument } from './openapi.ts';
import type { Clock } from '../../src/clock.ts';
import type { Platform } from '../../src/platform.ts';

const DOCUMENT_PATH = '/openapi.json';
/** The plugin's types do not know that null turns it off. */
const NO_ONLINE_VALIDATOR: object = { validatorUrl: null };
/** One or the other, on every route that does not say otherwise. The plugin's types know of one only. */
const SECURITY: object = { security: Object.keys(securitySchemes).map((name) => ({ [name]: [] })) };

/** The OpenAPI document and Swagger UI, made from what the routes say of themselves. */
export const docs: Plugin<Platform> = {
    name: 'docs',
    register: async (server, { config, clock }) => {
        if (!config.DOCS) return;
        serveFromMemory(server, clock);
        await server.register([Inert, Vision]);
        await server.register({
            plugin: HapiSwagger,
            options: {
                OAS: 'v3.0',
                info: { title: 'llm-api-layer', version: config.VERSION, description },
                tags,
                grouping: 'tags',
                // A schema that is met again keeps its label, with a number: the document is completed by that.
                definitionPrefix: 'useLabel',
                auth: false,
                securityDefinitions: securitySchemes,
                ...SECURITY,
                // Stands for the address that a request's headers would decide; the document's own is relative.
                servers: [{ url: 'http://localhost' }],
                jsonPath: DOCUMENT_PATH,
                cache: {},
                ...NO_ONLINE_VALIDATOR,
                // Also keeps `?url=` from showing the document of somebody else on our origin.
                uiOptions: { url: DOCUMENT_PATH, validatorUrl: null },
            },
        });
    },
};

interface DocumentWriter {
    getJSON: (options: object, request: Pick<Request, 'server'> & { query: object }) => Promise<OpenApiDocument>;
}

/**
 * With `cache` hapi-swagger takes its document from the server method of this name, and makes the method only where
 * there is none. Its own would keep whatever `?tags=` the first request asked for.
 */
function serveFromMemory(server: Server, clock: Clock): void {
    let document: Promise<object> | undefined;
    server.method('getSwaggerJSON', () => {
        document ??= writeDocument(server).then((value) => ({ value, cached: { stored: clock() } }));
        return document;
    });
}

async function writeDocument(server: Server): Promise<OpenApiDocument> {
    const writer = (server.plugins as { 'hapi-swagger'?: DocumentWriter })['hapi-swagger'];
    if (writer === undefined) throw new Error('hapi-swagger is not registered');
    return completeDocument(await writer.getJSON({}, { server, query: {} }), server.table());
}

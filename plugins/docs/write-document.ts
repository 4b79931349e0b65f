import Hapi from '@hapi/hapi';

import { completeDocument } from './complete-document.ts';
import { description, securitySchemes, tags } from './description.ts';

import type { Request, Server } from '@hapi/hapi';
import type { OpenApiDocument } from './openapi.ts';

/** The plugin's types do not know of more than one. On every route that does not say otherwise. */
const SECURITY: object = { security: Object.keys(securitySchemes).map((name) => ({ [name]: [] })) };

interface DocumentWriter {
    getJSON: (options: object, request: Pick<Request, 'server'> & { query: object }) => Promise<OpenApiDocument>;
}

/**
 * The document of a server's routes, as JSON. hapi-swagger takes 50 MB and a third of a second to load, so that is done
 * here, and it is registered with a server of its own: the one that is described needs nothing of it.
 */
export async function writeDocument(server: Server, version: string): Promise<string> {
    const { default: HapiSwagger } = await import('hapi-swagger');
    const desk = Hapi.server();
    await desk.register({
        plugin: HapiSwagger,
        options: {
            OAS: 'v3.0',
            info: { title: 'llm-api-layer', version, description },
            tags,
            grouping: 'tags',
            // A schema that is met again keeps its label, with a number: the document is completed by that.
            definitionPrefix: 'useLabel',
            auth: false,
            securityDefinitions: securitySchemes,
            ...SECURITY,
            // Stands for the address that a request's headers would decide; the document's own is relative.
            servers: [{ url: 'http://localhost' }],
            documentationPage: false,
            swaggerUI: false,
        },
    });
    const writer = (desk.plugins as { 'hapi-swagger'?: DocumentWriter })['hapi-swagger'];
    if (writer === undefined) throw new Error('hapi-swagger is not registered');
    return JSON.stringify(completeDocument(await writer.getJSON({}, { server, query: {} }), server.table()));
}

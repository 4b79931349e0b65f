import { errorAnswers, errorCodesOf, errorExamples, errorSchemas, formExamples, formsOf } from './error-answers.ts';
import { headers, headersOf } from './headers.ts';
import { mapValues, nameOf } from './openapi.ts';
import { tidySchema, tidySchemas } from './tidy-schemas.ts';
import { MAX_KEY_LENGTH } from '../../src/http/idempotency-key.ts';
import { formatEvent, type ServerSentEvent } from '../../src/http/sse.ts';

import type { RequestRoute, RouteOptionsApp } from '@hapi/hapi';
import type { MediaType, OpenApiDocument, Operation, Response, Schema } from './openapi.ts';

type Schemas = Record<string, Schema>;

/**
 * Makes of hapi-swagger's document what a client can rely on: schemas as OpenAPI 3.0 means them, the errors and headers
 * of each route, event streams, and addresses relative to where the document was got.
 */
export function completeDocument(document: OpenApiDocument, routes: readonly RequestRoute[]): OpenApiDocument {
    // The schemas of alternatives are in a place of their own, and are referred to as the others.
    const { 'x-alt-definitions': alternatives, ...raw } = document;
    const schemas: Schemas = { ...(alternatives as Schemas | undefined), ...raw.components.schemas };
    const paths: OpenApiDocument['paths'] = {};
    for (const route of routes) {
        const operation = raw.paths[route.path]?.[route.method];
        if (operation === undefined) continue;
        paths[route.path] = { ...paths[route.path], [route.method]: complete(operation, route, schemas) };
    }
    const forms = formsOf(routes);
    return {
        ...raw,
        servers: [{ url: '/' }],
        paths,
        components: {
            ...raw.components,
            schemas: { ...tidySchemas(schemas), ...errorSchemas(forms) },
            examples: Object.assign(errorExamples(), ...forms.map(formExamples)),
            headers,
        },
    };
}

function complete(operation: Operation, route: RequestRoute, schemas: Schemas): Operation {
    const { idempotent, takesBinary, form } = route.settings.app ?? {};
    const parameters = [...(operation.parameters ?? []), ...keyParameters(idempotent)];
    const { requestBody } = operation;
    const responses: Record<string, Response> = {
        ...successes(operation, route, schemas),
        ...errorAnswers(errorCodesOf(route, operation), form),
    };
    for (const [status, response] of Object.entries(responses)) {
        response.headers = headersOf(Number(status), operation, idempotent !== undefined);
    }
    return {
        ...operation,
        ...(parameters.length > 0 && { parameters: parameters.map(tidyIn(schemas)) }),
        ...(requestBody && { requestBody: completeBody(requestBody.content, schemas) }),
        ...(takesBinary && { requestBody: { required: true, content: binary(takesBinary) } }),
        responses,
    };
}

const idempotencyKey = {
    name: 'idempotency-key',
    in: 'header',
    description:
        'chosen by you, a new one for each request: a repeat with the same key and body is answered as the first one ' +
        'was, for 24 h, and nothing is done again',
    schema: { type: 'string', minLength: 1, maxLength: MAX_KEY_LENGTH, pattern: '^[ -~]+$' },
};

const keyParameters = (idempotent: RouteOptionsApp['idempotent']) => {
    if (idempotent === undefined) return [];
    return [idempotent === 'required' ? { ...idempotencyKey, required: true } : idempotencyKey];
};

const tidyIn =
    (schemas: Schemas) =>
    <Place extends { schema: Schema }>(place: Place): Place => ({
        ...place,
        schema: tidySchema(place.schema, schemas),
    });

function successes({ responses }: Operation, { settings }: RequestRoute, schemas: Schemas) {
    const { streamExample: events, textExample, answersBinary } = settings.app ?? {};
    return mapValues(responses, ({ content, ...response }) => ({
        ...response,
        content: {
            ...(answersBinary ? binary(answersBinary) : mapValues(content, tidyIn(schemas))),
            ...(textExample && { [textExample.type]: { schema: { type: 'string' }, example: textExample.text } }),
            ...(events && { 'text/event-stream': eventStream(events) }),
        },
    }));
}

const binary = (types: string[]): Record<string, MediaType> =>
    Object.fromEntries(types.map((type) => [type, { schema: { type: 'string', format: 'binary' } }]));

const eventStream = (events: ServerSentEvent[] | string): MediaType => ({
    schema: { type: 'string' },
    example: typeof events === 'string' ? events : events.map(formatEvent).join(''),
});

/** A body may be left out where nothing in it is required. */
function completeBody(content: Record<string, MediaType>, schemas: Schemas) {
    const { $ref = '' } = content['application/json']?.schema ?? {};
    const required = schemas[nameOf($ref)]?.required !== undefined;
    return { required, content: mapValues(content, tidyIn(schemas)) };
}

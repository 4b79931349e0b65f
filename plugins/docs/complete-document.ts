import { errorAnswers, errorCodesOf, errorExamples, errorSchemas, formExamples, formsOf } from './error-answers.ts';
import { headers, headersOf } from './headers.ts';
import { mapValues, nameOf } from './openapi.ts';
import { keyParameters, showParameter } from './parameters.ts';
import { rateLimitOf } from './rate-limits.ts';
import { nameAlternatives, tidySchema, tidySchemas } from './tidy-schemas.ts';
import { formatEvent, type ServerSentEvent } from '../../src/http/sse.ts';

import type { RequestRoute } from '@hapi/hapi';
import type { MediaType, OpenApiDocument, Operation, Response, Schema } from './openapi.ts';

type Schemas = Record<string, Schema>;

/** Methods that hapi-swagger leaves out of what takes any. */
const LEFT_OUT = ['head', 'options'];
/** A body of these means nothing (RFC 9110, 9.3). */
const WITHOUT_BODY = new Set(['get', 'delete', 'head', 'options']);

/**
 * Makes of hapi-swagger's document what a client can rely on: schemas as OpenAPI 3.0 means them, the errors and headers
 * of each route, event streams, and addresses relative to where the document was got.
 */
export function completeDocument(document: OpenApiDocument, routes: readonly RequestRoute[]): OpenApiDocument {
    // The schemas of alternatives are in a place of their own, and are referred to as the others.
    const { 'x-alt-definitions': alternatives, ...raw } = document;
    const schemas: Schemas = {
        ...nameAlternatives(alternatives as Schemas | undefined),
        ...raw.components.schemas,
    };
    const paths: OpenApiDocument['paths'] = {};
    for (const route of routes) {
        // The last part of a path may be several of what OpenAPI takes for one.
        const path = route.path.replace('*}', '}');
        for (const [method, operation] of operationsOf(route, raw.paths[route.path])) {
            paths[path] = { ...paths[path], [method]: complete(operation, { method, route }, schemas) };
        }
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

/** Those of a route, by method; none of one that is not to be shown. */
function operationsOf({ method, path }: RequestRoute, written: Record<string, Operation> = {}): [string, Operation][] {
    if (method !== '*') return Object.entries(written).filter(([name]) => name === method);
    const { get } = written;
    if (get === undefined) return [];
    const more = LEFT_OUT.map((name): [string, Operation] => [name, { ...get, operationId: `${name}${path}` }]);
    return [...Object.entries(written), ...more];
}

/** A route, and the method that it is asked with: of one that takes any, one of them. */
interface Asked {
    method: string;
    route: RequestRoute;
}

function complete(operation: Operation, { method, route }: Asked, schemas: Schemas): Operation {
    const { idempotent, takesBinary, byteExamples, form } = route.settings.app ?? {};
    const parameters = [...(operation.parameters ?? []), ...keyParameters(idempotent)];
    const { requestBody } = operation;
    const responses: Record<string, Response> = {
        ...successes(operation, route, schemas),
        ...errorAnswers(errorCodesOf(route, operation, method), form),
    };
    for (const [status, response] of Object.entries(responses)) {
        response.headers = headersOf(Number(status), operation, idempotent !== undefined);
    }
    return {
        ...operation,
        ...(parameters.length > 0 && { parameters: parameters.map(tidyIn(schemas)).map(showParameter) }),
        ...(requestBody && { requestBody: completeBody(requestBody.content, schemas) }),
        ...(takesBinary && mayBring(method, route) && { requestBody: binaryBody(takesBinary, byteExamples, route) }),
        'x-rate-limit': rateLimitOf(operation),
        responses,
    };
}

const tidyIn =
    (schemas: Schemas) =>
    <Place extends { schema: Schema }>(place: Place): Place => ({
        ...place,
        schema: tidySchema(place.schema, schemas),
    });

function successes({ responses }: Operation, { settings }: RequestRoute, schemas: Schemas) {
    const { streamExample: events, textExample, answersBinary, byteExamples } = settings.app ?? {};
    return mapValues(responses, ({ content, ...response }) => ({
        ...response,
        content: {
            ...(answersBinary ? binary(answersBinary, byteExamples) : mapValues(content, tidyIn(schemas))),
            ...(textExample && { [textExample.type]: { schema: { type: 'string' }, example: textExample.text } }),
            ...(events && { 'text/event-stream': eventStream(events) }),
        },
    }));
}

const mayBring = (method: string, route: RequestRoute): boolean => route.method !== '*' || !WITHOUT_BODY.has(method);

/** What takes any method takes whatever comes with it, be it nothing. */
const binaryBody = (types: string[], examples: Examples, route: RequestRoute) => ({
    required: route.method !== '*',
    content: binary(types, examples),
});

type Examples = Record<string, string> | undefined;

const binary = (types: string[], examples: Examples = {}): Record<string, MediaType> =>
    Object.fromEntries(
        types.map((type) => {
            const example = examples[type];
            return [type, { schema: { type: 'string', format: 'binary' }, ...(example !== undefined && { example }) }];
        }),
    );

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

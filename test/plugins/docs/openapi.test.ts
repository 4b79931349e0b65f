import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import { validate } from '@readme/openapi-parser';
import { createParser, type EventSourceMessage } from 'eventsource-parser';

import { catalogue } from '../../../src/http/errors.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { follow, refsOf, servedDocument, type ServedDocument } from '../../helpers/openapi.ts';
import { newTenant } from '../../helpers/tenant.ts';

import type { RequestRoute } from '@hapi/hapi';
import type Joi from 'joi';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const SEND = '/api/threads/{threadId}/models/{modelId}/messages';

/** Everything else that the server has, and why it is in no document of an API. */
const LEFT_OUT: [paths: RegExp, why: string][] = [
    [/^\/(documentation|openapi\.json|swaggerui\/.+)$/, 'the document itself, with its page'],
    [/^\/admin(\/.*)?$/, 'the files of the console'],
];

/** The operations that a route is shown as: one of each method if it takes any, with its path as OpenAPI has it. */
const documented = (route: RequestRoute): [name: string, route: RequestRoute][] => {
    const methods = ['get', 'post', 'put', 'patch', 'delete', 'head', 'options'];
    const path = route.path.replace('*}', '}');
    return (route.method === '*' ? methods : [route.method]).map((method) => [`${method} ${path}`, route]);
};

describe('GET /openapi.json', () => {
    let app: TestApp;
    let served: ServedDocument;
    /** The routes that a client may call, by the name of their operation. */
    let routes: Map<string, RequestRoute>;

    before(async () => {
        app = await startApp();
        served = await servedDocument(app);
        const called = app.server.table().filter(({ path }) => !LEFT_OUT.some(([paths]) => paths.test(path)));
        routes = new Map(called.flatMap(documented));
    });

    after(() => app.stop());

    it('is valid OpenAPI 3', async () => {
        const result = await validate(structuredClone(served.document));
        expect(result).to.include({ valid: true, specification: 'OpenAPI' });
        expect(result.warnings).to.equal([]);
    });

    it('has no reference that leads nowhere', () => {
        const refs = refsOf(served.document);
        expect(refs.length).to.be.above(50);
        expect(refs.filter((ref) => follow(served.document, ref) === undefined)).to.equal([]);
    });

    it('has every route of the API, and no other', () => {
        expect(served.operations.map(({ name }) => name).sort()).to.equal([...routes.keys()].sort());
    });

    it('has a parameter for each part of a path', () => {
        for (const { name, path, operation } of served.operations) {
            const inPath = (operation.parameters ?? []).filter((one: { in: string }) => one.in === 'path');
            const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, part]) => part);
            expect(
                inPath.map((one: { name: string }) => one.name),
                name,
            ).to.equal(names);
        }
    });

    it('has a summary and a described tag for each operation', () => {
        const tags = served.document.tags.map((tag: { name: string }) => tag.name);
        for (const { name, operation } of served.operations) {
            expect(operation.summary, name).to.match(/^[A-Z].{3,}[^.]$/);
            expect(operation.tags, name).to.have.length(1);
            expect(tags, name).to.include(operation.tags[0]);
        }
        for (const tag of served.document.tags) expect(tag.description).to.be.a.string();
    });

    it('names the success that the route answers with, and no other', () => {
        for (const { name, operation } of served.operations) {
            const successes = Object.keys(operation.responses).filter((status) => status < '400');
            expect(successes, name).to.equal([String(routes.get(name)?.settings.app?.status)]);
        }
        const created = served.operations.filter(({ operation }) => operation.responses['201']);
        expect(created.map(({ name }) => name).sort()).to.equal([
            'post /api/admin/tenants',
            'post /api/auth/register',
            'post /api/backups/schedule',
            'post /api/billing/credits',
            'post /api/billing/refunds',
            'post /api/keys',
            'post /api/projects',
            'post /api/proxies',
            'post /api/threads',
            'post /api/threads/{threadId}/fork',
            'post /api/tunnels',
            'post /api/tunnels/{tunnelId}/endpoints',
            'post /api/tunnels/{tunnelId}/shares',
            'post /api/users',
            'post /api/users/{userId}/invitation',
            'post /api/users/{userId}/password-reset',
            'post /api/vms',
            'post /api/webhooks',
        ]);
    });

    it('shows a success that fits its schema, and the schema of the route', () => {
        for (const { name, path, method, operation } of served.operations) {
            const { settings } = routes.get(name) as RequestRoute;
            const status = String(settings.app?.status);
            // Bytes are in no form that an example could show.
            if (settings.app?.answersBinary) continue;
            const { example } = operation.responses[status].content['application/json'];
            const place = ['paths', path, method, 'responses', status, 'content', 'application/json', 'schema'];
            expect(served.faults(place, example), name).to.equal('');
            expect(successOf(settings, status).validate(example).error, name).to.be.undefined();
        }
    });

    it('shows `pagination` in every list, and nowhere else', () => {
        const pages = served.operations.filter(({ operation }) => {
            const example = operation.responses['200']?.content['application/json']?.example;
            return example?.pagination !== undefined;
        });
        const lists = [
            '/api/admin/bulk',
            '/api/admin/jobs',
            '/api/admin/tenants',
            '/api/admin/users',
            '/api/audit',
            '/api/backups/list',
            '/api/billing/history',
            '/api/billing/invoices',
            '/api/keys',
            '/api/profile/activity',
            '/api/projects',
            '/api/proxies',
            '/api/threads',
            SEND,
            '/api/tunnels',
            '/api/tunnels/{tunnelId}/endpoints',
            '/api/tunnels/{tunnelId}/shares',
            '/api/users',
            '/api/vms',
            '/api/webhooks',
            '/api/webhooks/{webhookId}/deliveries',
        ];
        expect(pages.map(({ path }) => path).sort()).to.equal(lists);
        const { ThreadsDataAnswer, ThreadDataAnswer } = served.document.components.schemas;
        expect(ThreadsDataAnswer.properties.pagination).to.equal({ $ref: '#/components/schemas/Pagination' });
        expect(ThreadsDataAnswer.required).to.include('pagination');
        expect(ThreadDataAnswer.properties).to.not.include('pagination');
    });

    it('shows a body that fits its schema, and the schema of the route', () => {
        const withBody = served.operations.filter(
            ({ name, operation }) =>
                operation.requestBody?.content['application/json'] && !routes.get(name)?.settings.app?.takesBinary,
        );
        const validated = [...routes.values()].filter(({ settings }) => settings.validate?.payload);
        expect(withBody).to.have.length(validated.length);
        for (const { name, path, method, operation } of withBody) {
            const { schema } = operation.requestBody.content['application/json'];
            const { example } = follow(served.document, schema.$ref) as { example: unknown };
            const place = ['paths', path, method, 'requestBody', 'content', 'application/json', 'schema'];
            expect(served.faults(place, example), name).to.equal('');
            const payload = routes.get(name)?.settings.validate?.payload as Joi.Schema;
            expect(payload.validate(example).error, name).to.be.undefined();
        }
    });

    it('shows the types of bodies and answers that are bytes', () => {
        const { put, get } = served.document.paths['/api/profile/avatar'];
        const schema = { type: 'string', format: 'binary' };
        const content = { 'image/png': { schema }, 'image/jpeg': { schema }, 'image/webp': { schema } };
        expect(put.requestBody).to.equal({ required: true, content });
        expect(get.responses['200'].content).to.equal(content);
        expect(Object.keys(put.responses['200'].content)).to.equal(['application/json']);
        expect(Object.keys(get.responses['404'].content)).to.equal(['application/json']);
    });

    it('shows what takes any method as an operation of each, with a body where that means something', () => {
        const relay = served.document.paths['/api/tunnels/{tunnelId}/http/{path}'];
        const content = { '*/*': { schema: { type: 'string', format: 'binary' } } };
        for (const [method, operation] of Object.entries<ServedDocument['operations'][0]['operation']>(relay)) {
            expect(operation.responses['200'].content, method).to.equal(content);
            const mayBring = ['post', 'put', 'patch'].includes(method);
            expect(operation.requestBody, method).to.equal(mayBring ? { required: false, content } : undefined);
            const path = operation.parameters.find(({ name }: { name: string }) => name === 'path');
            expect(path, method).to.include({ in: 'path', required: true });
            expect(Object.keys(operation.responses), method).to.include(['401', '403', '404', '502', '503', '504']);
        }
    });

    it('asks for a body where a field of it is required', () => {
        const { paths } = served.document;
        expect(paths['/api/login'].post.requestBody.required).to.be.true();
        expect(paths['/api/threads'].post.requestBody.required).to.be.false();
    });

    it('lists the codes of each error status, all of the catalogue, with an example of each', () => {
        for (const { name, path, method, operation } of served.operations) {
            for (const [status, { content, description }] of Object.entries<never>(operation.responses)) {
                if (status < '400') continue;
                const { examples } = content['application/json'] as { examples: Record<string, { $ref: string }> };
                const codes = Object.keys(examples);
                expect(codes.length, name).to.be.above(0);
                const named = [...String(description).matchAll(/^- `(\w+)`/gm)].map(([, code]) => code);
                expect(named, name).to.equal(codes);
                const place = ['paths', path, method, 'responses', status, 'content', 'application/json', 'schema'];
                for (const [code, { $ref }] of Object.entries(examples)) {
                    const { value } = follow(served.document, $ref) as { value: { error: object } };
                    expect(served.faults(place, value), code).to.equal('');
                    const { status: statusCode, category, message, suggestion } = catalogue[code as 'INTERNAL_ERROR'];
                    expect(statusCode, name).to.equal(Number(status));
                    if (routes.get(name)?.settings.app?.form) expect(value).to.only.include('error');
                    else expect(value.error).to.include({ code, statusCode, category, message, suggestion });
                }
            }
        }
    });

    it('names every code that a route says it fails with', () => {
        for (const { name, operation } of served.operations) {
            const text = JSON.stringify(operation.responses);
            for (const code of routes.get(name)?.settings.app?.errors ?? [])
                expect(text, name).to.include(`\`${code}\``);
        }
    });

    it('asks for an access token except on the routes that need none', () => {
        expect(served.document.security).to.equal([{ accessToken: [] }, { apiKey: [] }]);
        const { accessToken, apiKey } = served.document.components.securitySchemes;
        expect(accessToken).to.include({ type: 'http', scheme: 'bearer' });
        expect(apiKey).to.include({ type: 'apiKey', in: 'header', name: 'X-API-Key' });
        for (const { name, operation } of served.operations) {
            const route = routes.get(name) as RequestRoute;
            // Undefined is the default, which requires a credential.
            const { auth = { mode: 'required' } } = route.settings;
            const needsOne = typeof auth === 'object' && auth.mode === 'required';
            expect(operation.security, name).to.equal(needsOne ? undefined : []);
        }
        expect(served.operations.filter(({ operation }) => operation.security).length).to.be.above(10);
    });

    it("has each route's rate limit: its own, that of the tier, or none for what nobody needs to sign", () => {
        const ofTier = { per: 'user', window: 60, tiers: { free: 100, premium: 500, enterprise: 2_000 } };
        const unlimited: string[] = [];
        for (const { name, operation } of served.operations) {
            const { rateLimit } = routes.get(name)?.settings.app ?? {};
            const { 'x-rate-limit': shown, security } = operation;
            if (shown.per === 'none') unlimited.push(name);
            else if (!rateLimit) expect(shown, name).to.equal(ofTier);
            if (!rateLimit) continue;
            const { limit, window } = rateLimit;
            expect(shown, name).to.equal({ limit, window, per: security ? 'ip' : 'user' });
        }
        const probes = ['get /health', 'get /health/live', 'get /health/ready', 'get /metrics'];
        const signingOut = ['post /api/auth/logout', 'post /api/logout'];
        expect(unlimited.toSorted()).to.equal([...probes, ...signingOut]);
        expect(served.document.paths['/api/login'].post['x-rate-limit']).to.equal({ limit: 5, window: 60, per: 'ip' });
    });

    it('documents query, header and path parameters', () => {
        const { parameters: list } = served.document.paths['/api/threads'].get;
        expect(list.map((one: { name: string; in: string }) => `${one.in} ${one.name}`)).to.equal([
            'query limit',
            'query cursor',
            'query order',
            'query orderBy',
            'query q',
        ]);
        expect(list[0].schema).to.equal({ type: 'integer', default: 20, minimum: 1, maximum: 100 });
        expect(list[2].schema).to.include({ enum: ['asc', 'desc'], default: 'desc' });
        const { parameters: rename } = served.document.paths['/api/threads/{threadId}/title'].patch;
        expect(rename[0]).to.include({ name: 'if-match', in: 'header' });
        expect(rename[1]).to.include({ name: 'threadId', in: 'path', required: true });
        expect(rename[1].schema.example).to.match(new RegExp(rename[1].schema.pattern as string));
    });

    it('documents the Idempotency-Key of the routes that take one, and of no others', () => {
        const keyOf = ({ operation }: ServedDocument['operations'][0]) =>
            (operation.parameters ?? []).find((one: { name: string }) => one.name === 'idempotency-key');
        const documented = served.operations.filter((operation) => keyOf(operation) !== undefined);
        const taking = served.operations.filter(({ name }) => routes.get(name)?.settings.app?.idempotent);
        expect(documented).to.equal(taking);
        expect(documented.map(({ name }) => name)).to.include(['post /api/threads', `post ${SEND}`]);
        for (const operation of documented) {
            expect(keyOf(operation)).to.include({ in: 'header' });
            expect(keyOf(operation).schema).to.include({ minLength: 1, maxLength: 128 });
        }
    });

    it('is made once, whatever a request asks for, and has an address of its own for no host', async () => {
        const headers = { 'x-forwarded-host': 'evil.example', referer: 'https://evil.example/page' };
        const other = await startApp();
        const few = await other.call('GET', '/openapi.json?tags=admin', { headers });
        await other.advance(60_000);
        const all = await other.call('GET', '/openapi.json');
        await other.stop();
        expect(few.body.paths).to.equal(served.document.paths);
        expect([few.body.servers, served.document.servers]).to.equal([[{ url: '/' }], [{ url: '/' }]]);
        expect(all.body).to.equal(few.body);
        expect(all.headers['last-modified']).to.be.a.string().and.equal(few.headers['last-modified']);
    });

    it('shows the whole answer of the routes that have no envelope, and their errors in the same form', () => {
        const bare = served.operations.filter(({ name }) => routes.get(name)?.settings.app?.form);
        const names = ['get /v1/models', 'get /v1/models/{id}', 'post /v1/chat/completions'];
        expect(bare.map(({ name }) => name).toSorted()).to.equal(names);
        for (const { operation } of bare) {
            const { responses } = operation;
            expect(responses['200'].content['application/json'].example).to.not.include('success');
            const { schema, examples } = responses['401'].content['application/json'];
            expect(schema).to.equal({ $ref: '#/components/schemas/OpenAiError' });
            expect(examples.KEY_INVALID).to.equal({ $ref: '#/components/examples/OpenAiError.KEY_INVALID' });
        }
        const { value } = served.document.components.examples['OpenAiError.KEY_INVALID'];
        expect(value.error).to.include({ type: 'authentication_error', code: 'invalid_api_key' });
    });

    describe('the route that may stream', () => {
        it('has JSON and an event stream for its success', () => {
            const { content } = served.document.paths[SEND].post.responses['200'];
            expect(Object.keys(content)).to.equal(['application/json', 'text/event-stream']);
            expect(content['text/event-stream'].schema).to.equal({ type: 'string' });
        });

        it('is one of seven: it is followed, given anew, and there are events, loads, restores and the door for clients of OpenAI', () => {
            const streams = served.operations.filter(({ operation }) =>
                JSON.stringify(operation.responses).includes('text/event-stream'),
            );
            expect(streams.map(({ name }) => name).toSorted()).to.equal([
                'get /api/backups/restores/{restoreId}/stream',
                'get /api/events/stream',
                'get /api/models/{modelId}/load/stream',
                `get ${SEND}/{messageId}/stream`,
                `post ${SEND}`,
                `post ${SEND}/{messageId}/regenerate`,
                'post /v1/chat/completions',
            ]);
        });

        it('shows a body that asks for the stream', () => {
            expect(served.document.components.schemas.SendMessage.example).to.include({ stream: true });
        });

        it('shows the events that are sent', async () => {
            const { example } = served.document.paths[SEND].post.responses['200'].content['text/event-stream'];
            const tenant = await newTenant(app);
            const { body } = await tenant.call('POST', '/api/threads', { payload: {} });
            const sent = await tenant.call('POST', `/api/threads/${body.data.thread.id}/models/sandbox/messages`, {
                payload: served.document.components.schemas.SendMessage.example,
            });
            expect(sent.headers['content-type']).to.match(/^text\/event-stream/);
            const [shown, real] = [shapes(example), shapes(sent.text)];
            expect(new Set(real)).to.equal(new Set(shown));
            expect(real.at(0)).to.equal(shown.at(0));
            expect(real.at(-1)).to.equal(shown.at(-1));
        });
    });
});

/** The Joi schema that the document's success is made from. */
function successOf({ plugins = {} }: RequestRoute['settings'], status: string): Joi.Schema {
    const { responses } = plugins['hapi-swagger'] as { responses: Record<string, { schema: Joi.Schema }> };
    return (responses[status] as { schema: Joi.Schema }).schema;
}

/** The name of each event with the fields of its data. */
function shapes(stream: string): string[] {
    const found: string[] = [];
    const onEvent = ({ event, data }: EventSourceMessage) =>
        void found.push(`${event}: ${Object.keys(JSON.parse(data) as object).join(', ')}`);
    createParser({ onEvent }).feed(stream);
    return found;
}

import { setTimeout as sleep } from 'node:timers/promises';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import Joi from 'joi';

import { describeRoute } from '../../../src/http/describe-route.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { newTenant } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const ME = '/api/auth/me';
const REGISTER = '/api/auth/register';

/** Routes that fail in each way a handler may, and one whose answer is long. */
function addRoutes({ server }: TestApp): void {
    const options = (more: object) => ({
        ...describeRoute('A route of the test', {
            tag: 'test',
            answer: Joi.object({ value: Joi.number() }).label('TestData'),
            example: { value: 1 },
            isPublic: true,
        }),
        auth: false as const,
        ...more,
    });
    const add = (path: string, handler: () => unknown, more: object = {}) =>
        server.route({ method: ['GET', 'POST'], path, options: options(more), handler: handler as () => string });
    add('/api/test/failing', () => {
        throw new Error('the inner secret of the machine');
    });
    add('/api/test/mistaken', () => ({ value: 'no number' }));
    add('/api/test/slow', async () => (await sleep(500), { value: 1 }), { timeout: { server: 20 } });
    server.route({
        method: 'GET',
        path: '/api/test/long',
        options: { auth: false, app: { status: 200 } },
        handler: () => ({ text: 'x'.repeat(2_000) }),
    });
    server.route({
        method: 'GET',
        path: '/api/test/page',
        options: { auth: false, app: { status: 200 } },
        handler: () => ({ things: [1], pagination: { cursor: null, limit: 20, hasMore: false } }),
    });
    server.route({ method: 'GET', path: '/api/test/raw', options: { auth: false }, handler: () => 'as it is' });
    server.route({
        method: 'GET',
        path: '/api/test/accepted',
        options: { auth: false, app: { status: 200 } },
        handler: (_request, h) => h.response({ value: 1 }).code(202),
    });
}

describe('the request id', () => {
    let app: TestApp;
    const ask = (id?: string) => app.call('GET', ME, { headers: id === undefined ? {} : { 'x-request-id': id } });

    before(async () => {
        app = await startApp();
    });

    after(() => app.stop());

    for (const id of ['abcdefgh', 'A-b_9'.repeat(12), 'x'.repeat(64)]) {
        it(`is taken from the request: ${id}`, async () => {
            const answer = await ask(id);
            expect(answer.headers['x-request-id']).to.equal(id);
            expect(answer.body.requestId).to.equal(id);
            expect(answer.body.error.correlationId).to.equal(id);
            expect(app.logs.filter(({ requestId }) => requestId === id)).to.have.length(1);
        });
    }

    for (const id of ['short', 'x'.repeat(65), 'with space', 'umläut-12', 'a;b=c;d=e', '']) {
        it(`is replaced where it is ill-formed: "${id}"`, async () => {
            const answer = await ask(id);
            expect(answer.headers['x-request-id']).to.match(/^req_[0-9A-Z]{26}$/);
            expect(answer.body.requestId).to.equal(answer.headers['x-request-id']);
        });
    }

    it('is another for each request that brings none', async () => {
        const answers = await Promise.all([ask(), ask(), ask()]);
        expect(new Set(answers.map(({ body }) => body.requestId)).size).to.equal(3);
    });

    it('is in the answer of a success as well', async () => {
        const { call } = await newTenant(app);
        const { headers, body } = await call('GET', ME, { headers: { 'x-request-id': 'success-1234' } });
        expect(headers['x-request-id']).to.equal('success-1234');
        expect(Object.keys(body).toSorted()).to.equal(['data', 'requestId', 'success', 'timestamp']);
        expect(body.requestId).to.equal('success-1234');
        const line = app.logs.find(({ requestId }) => requestId === 'success-1234');
        expect(line).to.include({ method: 'get', path: ME, res: { statusCode: 200 } });
    });
});

describe('the envelope', () => {
    let app: TestApp;

    before(async () => {
        app = await startApp();
        addRoutes(app);
    });

    after(() => app.stop());

    it('has the pagination beside the data', async () => {
        const { body } = await app.call('GET', '/api/test/page');
        expect(body.data).to.equal({ things: [1] });
        expect(body.pagination).to.equal({ cursor: null, limit: 20, hasMore: false });
    });

    it('is not put around what no route described', async () => {
        expect((await app.call('GET', '/api/test/raw')).text).to.equal('as it is');
    });

    it('keeps a status that the handler gave', async () => {
        expect((await app.call('GET', '/api/test/accepted')).status).to.equal(202);
    });

    it('has the time of the process in UTC', async () => {
        const { body } = await app.call('GET', ME);
        expect(body.timestamp).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
        expect(Math.abs(Date.parse(body.timestamp) - Date.now())).to.be.below(10_000);
    });

    it('is not cached and not guessed at', async () => {
        const { headers } = await app.call('GET', ME);
        expect(headers).to.include({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' });
        const { call } = await newTenant(app);
        expect((await call('GET', ME)).headers['cache-control']).to.equal('no-store');
    });

    it('is the same under /api/v1 as under /api', async () => {
        const { call } = await newTenant(app);
        const [pinned, newest] = [await call('GET', '/api/v1/auth/me?'), await call('GET', ME)];
        expect(pinned.status).to.equal(200);
        expect(pinned.body.data).to.equal(newest.body.data);
        expectError(await call('GET', '/api/v1'), 'ROUTE_NOT_FOUND');
        expectError(await call('GET', '/api/v2/auth/me'), 'ROUTE_NOT_FOUND');
        expectError(await call('GET', '/api/v1/api/v1/auth/me'), 'ROUTE_NOT_FOUND');
        expectError(await call('GET', '/api/auth/v1/me'), 'ROUTE_NOT_FOUND');
    });

    it('is there for a versioned path with a Host that makes no URL', async () => {
        const answer = await app.call('GET', '/api/v1/auth/me', { headers: { host: '[not a host' } });
        expectError(answer, 'MALFORMED_REQUEST');
        expect(app.logs.some(({ requestId }) => requestId === answer.body.requestId)).to.be.true();
    });

    it('is there for routes and methods that do not exist', async () => {
        for (const [method, path] of [
            ['GET', '/'],
            ['GET', '/api/nothing'],
            ['DELETE', ME],
            ['GET', REGISTER],
            ['GET', '/api/%zz'],
        ] as const) {
            expectError(await app.call(method, path), 'ROUTE_NOT_FOUND');
        }
    });

    it('shows nothing of what went wrong inside; the log line with the request id does', async () => {
        const answer = await app.call('GET', '/api/test/failing');
        expectError(answer, 'INTERNAL_ERROR');
        expect(answer.text).not.to.include('secret');
        const lines = app.logs.filter(({ requestId }) => requestId === answer.body.requestId);
        expect(lines.find(({ level }) => level === 50)).to.include({ msg: 'the inner secret of the machine' });
        expect(lines.at(-1)).to.include({ errorCode: 'INTERNAL_ERROR', res: { statusCode: 500 } });
    });

    it('is a 500 when an answer does not meet its schema, and says no more', async () => {
        const answer = await app.call('GET', '/api/test/mistaken');
        expect(expectError(answer, 'INTERNAL_ERROR').details).to.be.undefined();
        const line = app.logs.find(({ requestId, level }) => requestId === answer.body.requestId && level === 50);
        expect(JSON.stringify(line)).not.to.include('no number');
    });

    it('tells a request that took too long', async () => {
        expectError(await app.call('GET', '/api/test/slow'), 'REQUEST_TIMEOUT');
    });
});

describe('a body', () => {
    let app: TestApp;
    const register = (payload: unknown, headers: Record<string, string> = {}) =>
        app.call('POST', REGISTER, { payload, headers });
    const valid = { tenantName: 'A', domain: 'body.example', email: 'a@body.example', password: 'a password' };

    before(async () => {
        app = await startApp();
    });

    after(async () => {
        expect(await app.redis.exists(tenantKey('platform', 'domain', valid.domain))).to.equal(0);
        await app.stop();
    });

    it('that is not JSON is malformed', async () => {
        for (const text of ['{', '{"a":}', 'text', JSON.stringify(valid).slice(0, -1)]) {
            expectError(await register(text, { 'content-type': 'application/json' }), 'MALFORMED_REQUEST');
        }
    });

    it('of another content type is not supported', async () => {
        for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
            expectError(await register(JSON.stringify(valid), { 'content-type': type }), 'UNSUPPORTED_MEDIA_TYPE');
        }
    });

    it('of more than 1 MiB is too large, of exactly 1 MiB not', async () => {
        const text = (bytes: number) => JSON.stringify({ ...valid, more: 'x'.repeat(bytes) });
        const frame = text(0).length;
        const headers = { 'content-type': 'application/json' };
        expectError(await register(text(1_048_577 - frame), headers), 'PAYLOAD_TOO_LARGE');
        expectError(await register(text(1_048_576 - frame), headers), 'VALIDATION_ERROR');
    });

    it('of the wrong shape is not valid', async () => {
        for (const payload of [[], [valid], '"text"', '7', 'null']) {
            const headers = { 'content-type': 'application/json' };
            expectError(await register(payload, headers), 'VALIDATION_ERROR');
        }
    });

    it('names every fault by the path of its field', async () => {
        const { details } = expectError(
            await register({ ...valid, email: 'x', more: 1, $where: 2 }),
            'VALIDATION_ERROR',
        );
        expect(Object.keys(details.fields).toSorted()).to.equal(['$where', 'email', 'more']);
        expect(details.fields.more).to.equal('more is not allowed');
    });

    it('with half a surrogate pair is malformed, in a text as in a name', async () => {
        for (const more of [{ tenantName: 'A\ud83d' }, { 'a\udc00': 1 }, { deep: [{ text: '\ud83d' }] }]) {
            expectError(await register({ ...valid, ...more }), 'MALFORMED_REQUEST');
        }
        expectError(await register({ ...valid, more: '\ud83d\ude00' }), 'VALIDATION_ERROR');
    });

    it('nested as deep as 1 MiB allows is refused like any other', async () => {
        const text = `{"tenantName":${'['.repeat(500_000)}${']'.repeat(500_000)}}`;
        expectError(await register(text, { 'content-type': 'application/json' }), 'VALIDATION_ERROR');
    });

    it('cannot reach the prototype', async () => {
        const text = `{"__proto__":{"isAdmin":true},${JSON.stringify(valid).slice(1)}`;
        expectError(await register(text, { 'content-type': 'application/json' }), 'MALFORMED_REQUEST');
    });
});

describe('compression', () => {
    let app: TestApp;
    const raw = (encoding: string, url = '/api/test/long') =>
        app.server.inject({ url, headers: { 'accept-encoding': encoding } });

    before(async () => {
        app = await startApp();
        addRoutes(app);
    });

    after(() => app.stop());

    for (const [encoding, decode] of [
        ['gzip', gunzipSync],
        ['br', brotliDecompressSync],
    ] as const) {
        it(`is ${encoding} over 1 KiB where the client takes it`, async () => {
            const { headers, rawPayload } = await raw(encoding);
            expect(headers['content-encoding']).to.equal(encoding);
            expect(rawPayload.length).to.be.below(1_000);
            expect(JSON.parse(decode(rawPayload).toString()).data.text).to.have.length(2_000);
        });
    }

    it('is left out for short answers and for clients that do not take it', async () => {
        expect((await raw('gzip, br', '/api/test/raw')).headers['content-encoding']).to.be.undefined();
        const { headers, payload } = await raw('identity');
        expect(headers['content-encoding']).to.be.undefined();
        expect(JSON.parse(payload).success).to.be.true();
    });
});

describe('CORS', () => {
    let app: TestApp;
    const ORIGIN = 'https://app.example';
    const ASKED = ['authorization', 'x-api-key', 'x-request-id', 'x-tenant-id', 'idempotency-key', 'last-event-id'];
    const preflight = (origin: string, asked = ASKED) =>
        app.call('OPTIONS', ME, {
            headers: {
                origin,
                'access-control-request-method': 'GET',
                'access-control-request-headers': asked.join(','),
            },
        });

    before(async () => {
        app = await startApp({ config: { CORS_ORIGINS: [ORIGIN] } });
    });

    after(() => app.stop());

    it('lets a configured origin call with credentials and read our headers', async () => {
        const { status, headers } = await preflight(ORIGIN);
        expect(status).to.be.within(200, 204);
        expect(headers).to.include({
            'access-control-allow-origin': ORIGIN,
            'access-control-allow-credentials': 'true',
        });
        const { call } = await newTenant(app);
        const answer = await call('GET', ME, { headers: { origin: ORIGIN } });
        expect(answer.headers['access-control-allow-origin']).to.equal(ORIGIN);
        expect(answer.headers['access-control-expose-headers']).to.include('X-RateLimit-Remaining');
        expect(answer.headers['access-control-expose-headers']).to.include('X-Request-Id');
    });

    it('lets it send our headers, and no others', async () => {
        const { headers } = await preflight(ORIGIN);
        expect(headers['access-control-allow-headers']?.toLowerCase().split(',')).to.include(ASKED);
        const refused = await preflight(ORIGIN, ['x-other']);
        expect(refused.headers['access-control-allow-headers']).to.be.undefined();
    });

    it('tells a configured origin why it was refused', async () => {
        const answer = await app.call('GET', ME, { headers: { origin: ORIGIN } });
        expectError(answer, 'UNAUTHENTICATED');
        expect(answer.headers['access-control-allow-origin']).to.equal(ORIGIN);
    });

    it('lets no other origin', async () => {
        for (const origin of ['https://evil.example', `${ORIGIN}.evil.example`, 'http://app.example', 'null']) {
            expect((await preflight(origin)).headers['access-control-allow-origin']).to.be.undefined();
            const { headers } = await app.call('GET', ME, { headers: { origin } });
            expect(headers['access-control-allow-origin']).to.be.undefined();
        }
    });

    it('is off where no origin is configured', async () => {
        const closed = await startApp();
        const { headers } = await closed.call('GET', ME, { headers: { origin: ORIGIN } });
        await closed.stop();
        expect(headers['access-control-allow-origin']).to.be.undefined();
    });
});

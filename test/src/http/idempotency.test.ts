import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import Joi from 'joi';

import { describeRoute } from '../../../src/http/describe-route.ts';
import { apiError, type ErrorCode } from '../../../src/http/errors.ts';
import { startApp, startReplicas, type Answer, type TestApp } from '../../helpers/app.ts';
import { countCommands } from '../../helpers/count-commands.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { startRedis } from '../../helpers/redis.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newUser } from '../../helpers/user.ts';

import type { ResponseToolkit } from '@hapi/hapi';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const THREADS = '/api/threads';

/** A route that counts how often it was done, and fails, waits or answers as the test wants. */
function addLamps({ server }: TestApp, work: (h: ResponseToolkit) => unknown, more: object = {}): void {
    server.route({
        method: 'POST',
        path: '/api/lamps/{lampId}',
        options: {
            ...describeRoute('Light a lamp', {
                tag: 'test',
                answer: Joi.object({ lamp: Joi.number() }).label('LampData'),
                example: { lamp: 1 },
                status: 201,
                idempotent: true,
            }),
            ...more,
        },
        handler: (_request, h) => work(h) as object,
    });
}

describe('a request with an Idempotency-Key', () => {
    let app: TestApp;
    let other: TestApp;
    let ada: TestTenant;
    let work: (h: ResponseToolkit) => unknown;
    let done: number;

    const post = (key: string, payload: unknown = {}, url = '/api/lamps/a', tenant = ada) =>
        tenant.call('POST', url, { payload, headers: { 'idempotency-key': key } });
    const onOther = (key: string, payload: unknown = {}, url = '/api/lamps/a') =>
        other.call('POST', url, { payload, token: ada.accessToken, headers: { 'idempotency-key': key } });
    const keys = () => app.redis.keys(`tenant:{${ada.tenantId}}:idempotency:*`);
    const threadCount = async () => (await ada.call('GET', THREADS)).body.pagination.totalCount;
    const isReplayed = ({ headers }: Answer) => headers['idempotent-replayed'] === 'true';

    before(async () => {
        [app, other] = await startReplicas();
        for (const one of [app, other]) {
            addLamps(one, (h) => {
                done++;
                return work(h);
            });
        }
    });

    beforeEach(async () => {
        ada = await newTenant(app);
        done = 0;
        work = () => ({ lamp: done });
    });

    after(async () => {
        await app.stop();
        await other.stop();
    });

    it('is answered again as it was the first time, in an envelope of its own', async () => {
        const payload = { title: 'One' };
        const first = await post('key', payload, THREADS);
        await sleep(2);
        const second = await post('key', payload, THREADS);
        expect([first.status, second.status]).to.equal([201, 201]);
        expect(second.body.data).to.equal(first.body.data);
        expect(second.headers.etag).to.equal(first.headers.etag).and.equal('"1"');
        expect([isReplayed(first), isReplayed(second)]).to.equal([false, true]);
        expect(second.body.requestId).to.not.equal(first.body.requestId);
        expect(second.body.timestamp).to.not.equal(first.body.timestamp);
        expect(second.headers['x-ratelimit-remaining']).to.equal('8');
        expect(await threadCount()).to.equal(1);
    });

    it('is answered again by another replica, and under the pinned path', async () => {
        const first = await post('key', {}, THREADS);
        const second = await onOther('key', {}, '/api/v1/threads');
        expect(second.body.data).to.equal(first.body.data);
        expect(isReplayed(second)).to.be.true();
    });

    it('keeps a status of the handler’s own, and its headers', async () => {
        work = (h) => h.response({ lamp: 7 }).code(202).header('location', '/lamps/7');
        for (const answer of [await post('key'), await post('key')]) {
            expect([answer.status, answer.headers.location, answer.body.data.lamp]).to.equal([202, '/lamps/7', 7]);
        }
        expect(done).to.equal(1);
    });

    it('is done each time without the key, and for each key', async () => {
        for (const headers of [{}, {}, { 'idempotency-key': 'a' }, { 'idempotency-key': 'b' }]) {
            const answer = await ada.call('POST', '/api/lamps/a', { headers });
            expect(isReplayed(answer)).to.be.false();
        }
        expect(done).to.equal(4);
    });

    it('is the same whatever the order of its fields', async () => {
        await post('key', { a: 1, b: { c: [1, 2], d: null } });
        expect(isReplayed(await post('key', { b: { d: null, c: [1, 2] }, a: 1 }))).to.be.true();
    });

    it('is refused with another body, and changes nothing', async () => {
        await post('key', { title: 'One' }, THREADS);
        for (const payload of [{ title: 'Two' }, {}, { title: null }]) {
            expectError(await post('key', payload, THREADS), 'IDEMPOTENCY_KEY_REUSED');
        }
        expect(await threadCount()).to.equal(1);
        expect(isReplayed(await post('key', { title: 'One' }, THREADS))).to.be.true();
    });

    it('is refused with another query', async () => {
        await post('key');
        expectError(await post('key', {}, '/api/lamps/a?bright=1'), 'IDEMPOTENCY_KEY_REUSED');
    });

    it('shares its key with no other user, tenant, route or path', async () => {
        const eve = await newTenant(app);
        const bob = await newUser(app, ada.tenantId, 'user');
        await post('key');
        await post('key', {}, '/api/lamps/b');
        await post('key', {}, '/api/lamps/a', eve);
        await bob.call('POST', '/api/lamps/a', { payload: {}, headers: { 'idempotency-key': 'key' } });
        expect(done).to.equal(4);
        expect((await post('key', {}, THREADS)).status).to.equal(201);
    });

    for (const key of ['', 'x'.repeat(129), 'k\u00e9y', 'a\tb', 'a\u007fb']) {
        it(`is refused with a key that is not 1 to 128 printable characters: ${JSON.stringify(key)}`, async () => {
            expectFaults(await post(key), ['idempotency-key']);
            expect(done).to.equal(0);
        });
    }

    for (const key of ['x', ' ~!"{}:*', 'x'.repeat(128)]) {
        it(`takes the key ${JSON.stringify(key)}`, async () => {
            await post(key);
            expect(isReplayed(await post(key))).to.be.true();
        });
    }

    it('is refused while the first one runs, here and on another replica', async () => {
        let release = (): void => undefined;
        const released = new Promise<void>((resolve) => (release = resolve));
        let reach = (): void => undefined;
        const reached = new Promise<void>((resolve) => (reach = resolve));
        work = async () => {
            reach();
            await released;
            return { lamp: 1 };
        };
        const first = post('key');
        await reached;
        for (const answer of [await post('key'), await onOther('key')]) {
            expectError(answer, 'IDEMPOTENCY_IN_PROGRESS');
            expect(answer.headers['retry-after']).to.equal('2');
        }
        expectError(await post('key', { other: 1 }), 'IDEMPOTENCY_KEY_REUSED');
        release();
        expect((await first).status).to.equal(201);
        expect(isReplayed(await onOther('key'))).to.be.true();
        expect(done).to.equal(1);
    });

    it('is done once, of fifty at once on two replicas', async () => {
        work = async () => {
            await sleep(20);
            return { lamp: 1 };
        };
        const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => (n % 2 ? onOther('key') : post('key'))));
        expect(done).to.equal(1);
        const created = answers.filter(({ status }) => status === 201);
        expect(created.filter((answer) => !isReplayed(answer))).to.have.length(1);
        for (const answer of answers.filter(({ status }) => status !== 201)) {
            expectError(answer, 'IDEMPOTENCY_IN_PROGRESS');
        }
    });

    it('creates one thread, of ten at once on two replicas', async () => {
        const create = (n: number) => (n % 2 ? onOther : post)('key', { title: 'One' }, THREADS);
        const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => create(n)));
        expect(await threadCount()).to.equal(1);
        const ids = answers.filter(({ status }) => status === 201).map(({ body }) => body.data.thread.id);
        expect(new Set(ids).size).to.equal(1);
        for (const { status } of answers) expect([201, 409]).to.include(status);
    });

    for (const code of ['THREAD_NOT_FOUND', 'DOMAIN_TAKEN', 'MESSAGE_TOO_LONG'] as ErrorCode[]) {
        it(`that was refused with ${code} is refused again in the same way`, async () => {
            work = () => {
                throw apiError(code, { details: { limit: done } });
            };
            for (const answer of [await post('key'), await post('key')]) {
                expect(expectError(answer, code).details).to.equal({ limit: 1 });
            }
            expect(isReplayed(await post('key'))).to.be.true();
            expect(done).to.equal(1);
        });
    }

    for (const code of ['SESSION_ENDED', 'FORBIDDEN', 'RATE_LIMITED', 'SERVER_BUSY', 'PROVIDER_ERROR'] as ErrorCode[]) {
        it(`that was refused with ${code} may be repeated`, async () => {
            work = () => {
                throw apiError(code);
            };
            expectError(await post('key'), code);
            expect(await keys()).to.equal([]);
            work = () => ({ lamp: 2 });
            const again = await post('key');
            expect([again.status, isReplayed(again)]).to.equal([201, false]);
        });
    }

    it('that failed inside, or gave no data, may be repeated', async () => {
        for (const faulty of [() => Promise.reject(new Error('inside')), () => Buffer.from('no data')]) {
            work = faulty;
            expectError(await post('key'), 'INTERNAL_ERROR');
            expect(await keys()).to.equal([]);
        }
    });

    it('takes no key when its body is not valid', async () => {
        expectFaults(await post('key', { title: 7 }, THREADS), ['title']);
        expect(await keys()).to.equal([]);
    });

    it('leaves neither the key nor the answer to be read in Redis, and nothing after 24 hours', async () => {
        const { body } = await post('a telling key', { title: 'A telling title' }, THREADS);
        const [key = ''] = await keys();
        const stored = JSON.stringify([key, await app.redis.hgetall(key)]);
        for (const secret of ['telling', body.data.thread.id, 'title']) expect(stored).to.not.contain(secret);
        expect(await app.redis.pttl(key)).to.be.within(86_000_000, 86_400_000);
    });

    it('does not take the answer of another key for its own', async () => {
        await post('one');
        const [one = ''] = await keys();
        await post('two');
        const two = (await keys()).find((key) => key !== one) ?? '';
        await app.redis.hset(two, 'answer', (await app.redis.hget(one, 'answer')) ?? '');
        expectError(await post('two'), 'INTERNAL_ERROR');
        expect(done).to.equal(2);
    });
});

describe('a request with an Idempotency-Key whose client is told that it took too long', () => {
    it('is finished, and its repeat gets the answer', async () => {
        const app = await startApp();
        let done = 0;
        addLamps(app, async () => (await sleep(500), { lamp: ++done }), { timeout: { server: 100 } });
        const { call } = await newTenant(app);
        const post = () => call('POST', '/api/lamps/a', { headers: { 'idempotency-key': 'key' } });
        expectError(await post(), 'REQUEST_TIMEOUT');
        let again = await post();
        // While it is done, and where the machine is slow, the repeat is refused too.
        while (again.status === 409 || again.status === 503) {
            await sleep(20);
            again = await post();
        }
        await app.stop();
        expect(again.body.data, again.text).to.equal({ lamp: 1 });
        expect(done).to.equal(1);
    });
});

describe('the Redis round trips of an idempotent request', () => {
    it('are two more with a key, one more for a repeat, and none without', async () => {
        const redis = await startRedis();
        const app = await startApp({ redisPath: redis.path });
        const { call } = await newTenant(app);
        const create = (key?: string) =>
            call('POST', THREADS, { payload: {}, headers: key === undefined ? {} : { 'idempotency-key': key } });
        await create('to make the scripts known');
        expect(await countCommands(app.redis, () => create())).to.have.length(2);
        expect(await countCommands(app.redis, () => create('key'))).to.have.length(4);
        expect(await countCommands(app.redis, () => create('key'))).to.have.length(2);
        await app.stop();
        await redis.stop();
    });
});

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from '../../helpers/app.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { messagesPath, newThread } from '../../helpers/thread.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

let app: TestApp;
let ada: TestTenant;
let mallory: TestTenant;

before(async () => {
    app = await startApp();
});

beforeEach(async () => {
    ada = await newTenant(app);
    mallory = await newTenant(app);
});

after(() => app.stop());

describe('POST /api/threads', () => {
    it('creates a thread with a title', async () => {
        const { status, body, headers } = await ada.call('POST', '/api/threads', { payload: { title: '  Lisbon ' } });
        expect(status).to.equal(201);
        expect(headers.etag).to.equal('"1"');
        expect(body.data.thread).to.include({ title: 'Lisbon', messageCount: 0, lastMessage: null, revision: 1 });
        expect(body.data.thread.activeModels).to.equal([]);
        expect(body.data.thread.userId).to.not.exist();
    });

    it('creates a thread without a body, and with a title of null', async () => {
        expect((await ada.call('POST', '/api/threads')).body.data.thread.title).to.be.null();
        const { body } = await ada.call('POST', '/api/threads', { payload: { title: null } });
        expect(body.data.thread.title).to.be.null();
    });

    for (const [what, payload] of [
        ['an unknown field', { title: 'A', color: 'red' }],
        ['a title of another type', { title: 5 }],
        ['a title that is too long', { title: 'x'.repeat(201) }],
        ['an empty title', { title: ' ' }],
    ] as const) {
        it(`refuses ${what} and creates nothing`, async () => {
            const { status, body } = await ada.call('POST', '/api/threads', { payload });
            expect([status, body.error.code]).to.equal([400, 'VALIDATION_ERROR']);
            expect(Object.keys(body.error.details.fields)).to.have.length(1);
            expect((await ada.call('GET', '/api/threads')).body.pagination.totalCount).to.equal(0);
        });
    }

    it('writes its event and its audit entry in the same step', async () => {
        const id = await newThread(ada);
        const events = await app.redis.xrevrange(`tenant:{${ada.tenantId}}:events`, '+', '-', 'COUNT', 1);
        expect(events[0]?.[1]).to.include(['type', 'thread.created']);
        const audit = await app.redis.xrevrange(`tenant:{${ada.tenantId}}:audit`, '+', '-', 'COUNT', 1);
        expect(audit[0]?.[1]).to.include(['action', 'thread.create', 'resourceId', id, 'userId', ada.userId]);
    });

    it('is limited to ten a minute and user', () =>
        app.inNoTime(async () => {
            for (let n = 0; n < 10; n++) await newThread(ada);
            const { status, headers, body } = await ada.call('POST', '/api/threads');
            expect([status, body.error.code]).to.equal([429, 'RATE_LIMITED']);
            expect(Number(headers['retry-after'])).to.be.between(0, 8);
            expect(headers['x-ratelimit-limit']).to.equal('10');
        }));
});

describe('GET /api/threads', () => {
    it('lists the newest change first, page by page, each thread once', async () => {
        const ids: string[] = [];
        for (let n = 0; n < 7; n++) ids.unshift(await newThread(ada, `Thread ${n}`));
        const seen: string[] = [];
        let cursor: string | null = '';
        while (cursor !== null) {
            const url: string = `/api/threads?limit=3${cursor && `&cursor=${cursor}`}`;
            const { body } = await ada.call('GET', url);
            seen.push(...body.data.threads.map(({ id }: { id: string }) => id));
            expect(body.pagination.totalCount).to.equal(7);
            cursor = body.pagination.cursor;
        }
        expect(seen).to.equal(ids);
    });

    it('orders by creation, and by the last change', async () => {
        const first = await newThread(ada);
        const second = await newThread(ada);
        await ada.call('PATCH', `/api/threads/${first}/title`, { payload: { title: 'Changed' } });
        const ids = async (query: string) =>
            (await ada.call('GET', `/api/threads?${query}`)).body.data.threads.map(({ id }: { id: string }) => id);
        expect(await ids('orderBy=updated_at')).to.equal([first, second]);
        expect(await ids('orderBy=created_at')).to.equal([second, first]);
        expect(await ids('orderBy=created_at&order=asc')).to.equal([first, second]);
    });

    it('shows nobody else’s threads, of the same tenant or another', async () => {
        await newThread(mallory);
        expect((await ada.call('GET', '/api/threads')).body.data.threads).to.equal([]);
    });

    it('refuses a cursor of another user, and one that was altered', async () => {
        for (let n = 0; n < 2; n++) await newThread(mallory);
        const { body } = await mallory.call('GET', '/api/threads?limit=1');
        const { cursor } = body.pagination;
        for (const bad of [cursor, `${String(cursor).slice(0, -1)}x`, 'nonsense']) {
            const answer = await ada.call('GET', `/api/threads?limit=1&cursor=${bad}`);
            expect([answer.status, answer.body.error.code]).to.equal([400, 'INVALID_CURSOR']);
        }
        const turned = await mallory.call('GET', `/api/threads?limit=1&order=asc&cursor=${cursor}`);
        expect(turned.body.error.code).to.equal('INVALID_CURSOR');
    });

    for (const query of ['limit=0', 'limit=101', 'order=up', 'orderBy=title', 'page=2']) {
        it(`refuses ?${query}`, async () => {
            const { status, body } = await ada.call('GET', `/api/threads?${query}`);
            expect([status, body.error.code]).to.equal([400, 'VALIDATION_ERROR']);
        });
    }
});

describe('GET /api/threads/{threadId}', () => {
    it('gives the thread with what it knows of its models', async () => {
        const id = await newThread(ada);
        await ada.call('POST', messagesPath(id), { payload: { content: 'Hello' } });
        const { status, body, headers } = await ada.call('GET', `/api/threads/${id}`);
        expect(status).to.equal(200);
        expect(headers.etag).to.equal('"3"');
        expect(body.data.thread).to.include({ id, messageCount: 2, activeModels: ['sandbox'] });
        expect(body.data.thread.models.sandbox.messageCount).to.equal(2);
        expect(body.data.thread.lastMessage).to.include({ role: 'assistant', model: 'sandbox' });
    });

    it('does not find another tenant’s thread, nor one that does not exist', async () => {
        const foreign = await newThread(mallory);
        for (const id of [foreign, 'thread_01K9ZQ4V7N8M3T5R2W6X1Y0ABC']) {
            const { status, body } = await ada.call('GET', `/api/threads/${id}`);
            expect([status, body.error.code]).to.equal([404, 'THREAD_NOT_FOUND']);
        }
    });

    it('refuses an id that is none', async () => {
        for (const id of ['1', 'user_01K9ZQ4V7N8M3T5R2W6X1Y0ABC', '%7Bx%7D']) {
            const { status, body } = await ada.call('GET', `/api/threads/${id}`);
            expect([status, body.error.code]).to.equal([400, 'VALIDATION_ERROR']);
        }
    });
});

describe('PATCH /api/threads/{threadId}/title', () => {
    it('renames the thread', async () => {
        const id = await newThread(ada);
        const { status, body } = await ada.call('PATCH', `/api/threads/${id}/title`, { payload: { title: 'New' } });
        expect(status).to.equal(200);
        expect(body.data.thread).to.include({ title: 'New', revision: 2 });
    });

    it('renames only the revision that If-Match names', async () => {
        const id = await newThread(ada);
        const rename = (tag: string) =>
            ada.call('PATCH', `/api/threads/${id}/title`, { payload: { title: tag }, headers: { 'if-match': tag } });
        expect((await rename('"1"')).status).to.equal(200);
        const late = await rename('"1"');
        expect([late.status, late.body.error.code]).to.equal([412, 'REVISION_MISMATCH']);
        expect((await rename('*')).status).to.equal(200);
        expect((await rename('two')).body.error.code).to.equal('VALIDATION_ERROR');
    });

    it('takes the entity tag of a compressed answer', async () => {
        const id = await newThread(ada, 'ä'.repeat(200));
        await ada.call('POST', messagesPath(id), { payload: { content: 'ä'.repeat(500) } });
        const headers = { authorization: `Bearer ${ada.accessToken}`, 'accept-encoding': 'gzip' };
        const { headers: got } = await app.server.inject({ url: `/api/threads/${id}`, headers });
        expect(got.etag).to.match(/^"3-gzip"$/);
        const rename = (tag: unknown) =>
            ada.call('PATCH', `/api/threads/${id}/title`, {
                payload: { title: 'New' },
                headers: { 'if-match': String(tag) },
            });
        expect((await rename(got.etag)).body.data.thread.revision).to.equal(4);
        expect((await rename(got.etag)).body.error.code).to.equal('REVISION_MISMATCH');
    });

    it('lets exactly one of many changes of one revision win', async () => {
        const id = await newThread(ada);
        const answers = await Promise.all(
            Array.from({ length: 10 }, (_, n) =>
                ada.call('PATCH', `/api/threads/${id}/title`, {
                    payload: { title: `Title ${n}` },
                    headers: { 'if-match': '"1"' },
                }),
            ),
        );
        expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).to.equal([
            200,
            ...Array<number>(9).fill(412),
        ]);
    });

    it('does not find another tenant’s thread and changes nothing', async () => {
        const id = await newThread(mallory, 'Mine');
        const { status } = await ada.call('PATCH', `/api/threads/${id}/title`, { payload: { title: 'Yours' } });
        expect(status).to.equal(404);
        expect((await mallory.call('GET', `/api/threads/${id}`)).body.data.thread.title).to.equal('Mine');
    });

    it('needs a title', async () => {
        const id = await newThread(ada);
        const { body } = await ada.call('PATCH', `/api/threads/${id}/title`, { payload: {} });
        expect(body.error.details.fields.title).to.equal('title is required');
    });
});

describe('DELETE /api/threads/{threadId}', () => {
    it('deletes the thread with its messages and leaves no key behind', async () => {
        // Rates and counters outlive what they have counted.
        const keys = async () =>
            (await app.redis.keys(`tenant:{${ada.tenantId}}:*`)).filter((key) => !/:(rate|usage):/.test(key)).sort();
        // Counted from the first request on; the registration was none.
        await ada.call('GET', '/api/threads');
        const before = await keys();
        const id = await newThread(ada);
        await ada.call('POST', messagesPath(id), { payload: { content: 'Hello' } });
        const { status, body } = await ada.call('DELETE', `/api/threads/${id}`);
        expect([status, body.data]).to.equal([200, { deletedThread: id, deletedMessages: 2 }]);
        expect(await keys()).to.equal(before);
        expect((await ada.call('GET', `/api/threads/${id}`)).status).to.equal(404);
    });

    it('deletes once: of several at once one finds the thread', async () => {
        const id = await newThread(ada);
        const answers = await Promise.all(Array.from({ length: 5 }, () => ada.call('DELETE', `/api/threads/${id}`)));
        expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).to.equal([200, 404, 404, 404, 404]);
    });

    it('deletes only the revision that If-Match names', async () => {
        const id = await newThread(ada);
        const remove = (tag: string) => ada.call('DELETE', `/api/threads/${id}`, { headers: { 'if-match': tag } });
        expect((await remove('"2"')).body.error.code).to.equal('REVISION_MISMATCH');
        expect((await remove('"1"')).status).to.equal(200);
    });

    it('does not find another tenant’s thread and deletes nothing', async () => {
        const id = await newThread(mallory);
        expect((await ada.call('DELETE', `/api/threads/${id}`)).status).to.equal(404);
        expect((await mallory.call('GET', `/api/threads/${id}`)).status).to.equal(200);
    });
});

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { appendOutbox } from '../../../src/redis/append-outbox.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newThread } from '../../helpers/thread.ts';
import { newUser } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const ROUTE = '/api/profile/activity';

interface Entry {
    id: string;
    action: string;
}

describe(`GET ${ROUTE}`, () => {
    let app: TestApp;
    let ada: TestTenant;

    before(async () => {
        app = await startApp();
    });

    beforeEach(async () => {
        ada = await newTenant(app);
    });

    after(() => app.stop());

    it('shows the own entries of the audit, newest first', async () => {
        const bob = await newUser(app, ada.tenantId, 'user');
        const threadId = await newThread(ada);
        await bob.call('PATCH', '/api/profile', { payload: { displayName: 'Bob' } });
        await ada.call('DELETE', `/api/threads/${threadId}`);
        const { status, body } = await ada.call('GET', ROUTE);
        expect(status).to.equal(200);
        const { entries } = body.data;
        expect(entries.map(({ action }: Entry) => action)).to.equal([
            'thread.delete',
            'thread.create',
            'auth.register',
        ]);
        expect(entries[1]).to.include({ resource: 'thread', resourceId: threadId, result: 'success' });
        expect(entries[1]).to.include({ correlationId: entries[1].correlationId, userAgent: 'shot' });
        expect(body.pagination).to.equal({ cursor: null, limit: 20, hasMore: false });
        const theirs = (await bob.call('GET', ROUTE)).body.data.entries;
        expect(theirs.map(({ action }: Entry) => action)).to.equal(['profile.update', 'auth.login']);
        expect(theirs[0].details).to.equal({ changed: ['displayName'] });
    });

    it('shows every entry once, a page at a time, though more are written meanwhile', async () => {
        for (let n = 0; n < 6; n++) await newThread(ada);
        const before = (await readAudit(app, ada.tenantId)).length;
        const seen: string[] = [];
        let cursor = '';
        do {
            const { body } = await ada.call('GET', `${ROUTE}?limit=3${cursor && `&cursor=${cursor}`}`);
            seen.push(...body.data.entries.map(({ id }: Entry) => id));
            cursor = body.pagination.cursor ?? '';
            expect(body.pagination.hasMore).to.equal(cursor !== '');
            await newThread(ada);
        } while (cursor !== '');
        expect(seen).to.have.length(before);
        expect(new Set(seen).size).to.equal(before);
        expect(seen).to.equal(seen.toSorted().toReversed());
    });

    it('refuses a cursor of another user, an altered one, and a limit out of range', async () => {
        const bob = await newUser(app, ada.tenantId, 'user');
        await newThread(ada);
        const { cursor } = (await ada.call('GET', `${ROUTE}?limit=1`)).body.pagination;
        expectError(await bob.call('GET', `${ROUTE}?cursor=${cursor}`), 'INVALID_CURSOR');
        expectError(await ada.call('GET', `${ROUTE}?cursor=${cursor}x`), 'INVALID_CURSOR');
        expectFaults(await ada.call('GET', `${ROUTE}?limit=101`), ['limit']);
        expectFaults(await ada.call('GET', `${ROUTE}?order=asc`), ['order']);
        expectError(await app.call('GET', ROUTE), 'UNAUTHENTICATED');
    });

    it('leaves out what the audit keeps no more', async () => {
        await newThread(ada);
        const audit = tenantKey(ada.tenantId, 'audit');
        const [oldest] = await app.redis.xrange(audit, '-', '+');
        await app.redis.xdel(audit, oldest?.[0] ?? '');
        const { entries } = (await ada.call('GET', ROUTE)).body.data;
        expect(entries.map(({ action }: Entry) => action)).to.equal(['thread.create']);
    });

    it('keeps a thousand entries of a user', async () => {
        const { tenantId, userId } = ada;
        const entry = { userId, action: 'a', resource: 'b', resourceId: 'c', result: 'success' };
        for (let n = 0; n < 4; n++) {
            await appendOutbox(app.store)(tenantId, { audit: Array.from({ length: 400 }, () => entry) });
        }
        const length = await app.redis.llen(tenantKey(tenantId, 'user', userId, 'audit'));
        expect(length).to.equal(1_000);
        expect(await app.redis.xlen(tenantKey(tenantId, 'audit'))).to.be.above(1_600);
    });
});

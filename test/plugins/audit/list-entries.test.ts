import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { AuditStore } from '../../../plugins/audit/store.ts';
import { Vault } from '../../../src/security/vault.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { auditKeys, sealAudit, writeAudit } from '../../helpers/audit-chain.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { newTenant, platformToken, type TestTenant } from '../../helpers/tenant.ts';
import { newUser } from '../../helpers/user.ts';

import type { AuditRecord } from '../../../plugins/audit/entry.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const PATH = '/api/audit';

describe('GET /api/audit', () => {
    let app: TestApp;
    let ada: TestTenant;

    before(async () => {
        app = await startApp();
    });

    beforeEach(async () => {
        ada = await newTenant(app);
    });

    after(() => app.stop());

    const list = async (query = ''): Promise<AuditRecord[]> => {
        const { status, body } = await ada.call('GET', `${PATH}${query}`);
        expect(status, query).to.equal(200);
        return body.data.entries;
    };
    const actions = async (query = '') => (await list(query)).map(({ action }) => action);
    /** An entry of each sort, a second apart. */
    const AT = Date.parse('2026-11-20T10:00:00.000Z');
    const SORTS: Record<string, string>[] = [
        { userId: 'user_a', action: 'auth.login', resource: 'user', resourceId: 'user_a', result: 'success' },
        { action: 'auth.login', resource: 'user', resourceId: 'user_b', result: 'INVALID_CREDENTIALS' },
        { userId: 'user_a', action: 'auth.logout', resource: 'session', resourceId: 's1', result: 'success' },
        { userId: 'user_b', action: 'tenant.update', resource: 'tenant', resourceId: 't1', result: 'intended' },
        { userId: 'user_b', action: 'authority.grant', resource: 'tenant', resourceId: 't1', result: 'DOMAIN_TAKEN' },
    ];
    const writeSorts = () =>
        writeAudit(app, ada.tenantId, SORTS.length, { at: AT, everyMs: 1_000, fields: (n) => SORTS[n] ?? {} });

    it('shows who did what, from where and with what result', async () => {
        await ada.call('POST', '/api/threads', {
            payload: { title: 'Lisbon' },
            headers: { 'user-agent': 'test/1', 'x-request-id': 'req_of_this_test' },
            from: '192.0.2.7',
        });
        const [entry, registration] = await list();
        expect(entry).to.include({
            tenantId: ada.tenantId,
            userId: ada.userId,
            actor: { type: 'user', id: ada.userId },
            action: 'thread.create',
            resource: 'thread',
            result: 'success',
            details: {},
            ipAddress: '192.0.2.7',
            userAgent: 'test/1',
            correlationId: 'req_of_this_test',
            hash: null,
        });
        expect(String(entry?.resourceId)).to.startWith('thread_');
        expect(Date.now() - Date.parse(entry?.timestamp ?? '')).to.be.below(60_000);
        expect(String(entry?.id)).to.startWith(String(Date.parse(entry?.timestamp ?? '')));
        expect(registration).to.include({ action: 'auth.register' });
    });

    it('names the key that a user’s request came with, nobody who is not known, and the program', async () => {
        const { secret, keyId } = await keyOf(ada);
        await app.call('POST', '/api/threads', { payload: {}, token: secret });
        await app.call('POST', '/api/login', { payload: { email: ada.email, password: 'not the password' } });
        await app.redis.xadd(auditKeys(ada.tenantId).audit, '*', 'action', 'vm.mend', 'details', '{"to":"stopped"}');
        const [byProgram, byNobody, byKey] = await list();
        expect(byProgram).to.include({ actor: { type: 'system', id: null }, details: { to: 'stopped' } });
        expect(byNobody).to.include({ actor: { type: 'anonymous', id: null }, userId: null });
        expect(byNobody).to.include({ action: 'auth.login', result: 'INVALID_CREDENTIALS', resourceId: ada.userId });
        expect(byKey).to.include({ actor: { type: 'key', id: keyId }, userId: ada.userId });
    });

    it('shows an entry whose details were altered', async () => {
        await app.redis.xadd(auditKeys(ada.tenantId).audit, '*', 'action', 'a.b', 'details', '{"to":');
        expect((await list())[0]).to.include({ details: { unreadable: '{"to":' } });
    });

    it('has the hashes of what is sealed', async () => {
        await sealAudit(app, ada.tenantId);
        await ada.call('POST', '/api/threads', { payload: {} });
        const [unsealed, ...sealed] = await list();
        expect(unsealed?.hash).to.be.null();
        expect(sealed.length).to.be.above(0);
        for (const { id, hash } of sealed) {
            const [seal] = await app.redis.xrange(auditKeys(ada.tenantId).seals, id, id);
            expect(seal?.[1].slice(0, 2)).to.equal(['hash', hash ?? '']);
            expect(hash).to.match(/^[0-9a-f]{64}$/);
        }
    });

    it('is filtered by user, action, resource, result and time, and by all of them at once', async () => {
        await writeSorts();
        const all = SORTS.map(({ action }) => action).toReversed();
        expect(await actions()).to.equal(all);
        expect(await actions('?order=asc')).to.equal(all.toReversed());
        const expected: Record<string, number[]> = {
            'userId=user_a': [0, 2],
            'action=auth.login': [0, 1],
            'action=auth.*': [0, 1, 2],
            'action=auth*': [0, 1, 2, 4],
            'action=*': [0, 1, 2, 3, 4],
            'action=auth': [],
            'resource=tenant': [3, 4],
            'resourceId=user_b': [1],
            'result=success': [0, 2],
            'result=failure': [1, 4],
            'result=DOMAIN_TAKEN': [4],
            'result=intended': [3],
            'from=2026-11-20T10:00:01.000Z': [1, 2, 3, 4],
            'to=2026-11-20T10:00:01.000Z': [0],
            'from=2026-11-20T10:00:01.000Z&to=2026-11-20T10:00:03.000Z': [1, 2],
            'action=auth.*&result=failure&resource=user&from=2026-11-20T10:00:00.000Z': [1],
            'userId=user_a&result=failure': [],
        };
        for (const [query, numbers] of Object.entries(expected)) {
            const found = (await list(`?order=asc&${query}`)).map(({ id }) => (Number.parseInt(id) - AT) / 1_000);
            expect(found, query).to.equal(numbers);
        }
    });

    it('comes in pages, in both directions, each entry once', async () => {
        const ids = await writeAudit(app, ada.tenantId, 45);
        for (const order of ['asc', 'desc']) {
            const seen: string[] = [];
            for (let cursor: string | null = ''; cursor !== null;) {
                const { body } = await ada.call(
                    'GET',
                    `${PATH}?limit=20&order=${order}${cursor && `&cursor=${cursor}`}`,
                );
                seen.push(...body.data.entries.map(({ id }: AuditRecord) => id));
                expect(body.pagination).to.include({ limit: 20, hasMore: seen.length < 45 });
                ({ cursor } = body.pagination);
            }
            expect(seen).to.equal(order === 'asc' ? ids : ids.toReversed());
        }
    });

    it('refuses a cursor of another query or tenant, or an altered one', async () => {
        await writeAudit(app, ada.tenantId, 5);
        const { body } = await ada.call('GET', `${PATH}?limit=2&action=thread.*`);
        const { cursor } = body.pagination;
        const eve = await newTenant(app);
        expect((await ada.call('GET', `${PATH}?limit=1&action=thread.*&cursor=${cursor}`)).status).to.equal(200);
        for (const query of ['', '&order=asc', '&action=thread.create', '&action=thread.*&result=failure']) {
            expectError(await ada.call('GET', `${PATH}?limit=2&cursor=${cursor}${query}`), 'INVALID_CURSOR');
        }
        expectError(await eve.call('GET', `${PATH}?limit=2&action=thread.*&cursor=${cursor}`), 'INVALID_CURSOR');
        expectError(await ada.call('GET', `${PATH}?action=thread.*&cursor=${cursor}x`), 'INVALID_CURSOR');
    });

    it('looks at so many entries at once and no more, and finds what is behind them', async () => {
        const rare = (n: number) => (n === 3 ? { resourceId: 'rare' } : { resourceId: 'other' });
        await writeAudit(app, ada.tenantId, 2_100, { fields: rare });
        const query = `${PATH}?resourceId=rare`;
        const first = (await ada.call('GET', query)).body;
        expect(first.data.entries).to.equal([]);
        expect(first.pagination.hasMore).to.be.true();
        const second = (await ada.call('GET', `${query}&cursor=${first.pagination.cursor}`)).body;
        expect(second.data.entries).to.have.length(1);
        expect(second.pagination).to.include({ hasMore: false, cursor: null });
    });

    it('gives each entry once, whatever the length of a page and of a look', async () => {
        const ids = await writeAudit(app, ada.tenantId, 30, { fields: (n) => ({ resourceId: `r${n % 3}` }) });
        const expected = ids.filter((_, n) => n % 3 === 1).toReversed();
        for (const [most, limit] of [
            [1, 1],
            [3, 2],
            [7, 5],
            [30, 10],
            [31, 100],
        ] as const) {
            const store = new AuditStore(app.store, new Vault(app.config.VAULT_KEYS), most);
            const seen: string[] = [];
            let cursor: string | null = null;
            do {
                const query = { limit, order: 'desc', resourceId: 'r1', ...(cursor !== null && { cursor }) } as const;
                const page = await store.page(ada.tenantId, query);
                expect(page.entries.length).to.be.at.most(limit);
                seen.push(...page.entries.map(({ id }) => id));
                ({ cursor } = page.pagination);
            } while (cursor !== null);
            expect(seen, `${most} ${limit}`).to.equal(expected);
        }
    });

    it('is empty where nothing is', async () => {
        await app.redis.del(auditKeys(ada.tenantId).audit);
        const { body } = await ada.call('GET', PATH);
        expect(body.data).to.equal({ entries: [] });
        expect(body.pagination).to.equal({ cursor: null, limit: 20, hasMore: false });
    });

    it('refuses what it does not know', async () => {
        const queries = [
            'color=red',
            'limit=101',
            'order=up',
            'action=a*b',
            'result=none',
            'from=yesterday',
            'format=csv',
        ];
        for (const query of queries) expectError(await ada.call('GET', `${PATH}?${query}`), 'VALIDATION_ERROR');
    });

    it('is for admins of the tenant, each of their own, and for the platform’s support of the platform', async () => {
        const user = await newUser(app, ada.tenantId, 'user');
        for (const path of [PATH, `${PATH}/export`, `${PATH}/verify`]) {
            expectError(await user.call('GET', path), 'FORBIDDEN');
            expectError(await app.call('GET', path), 'UNAUTHENTICATED');
        }
        const eve = await newTenant(app);
        const { body } = await eve.call('GET', PATH);
        expect(body.data.entries.map(({ tenantId }: AuditRecord) => tenantId)).to.only.include(eve.tenantId);
        const platform = await app.call('GET', `${PATH}?limit=1`, { token: await platformToken(app) });
        expect(platform.body.data.entries[0].tenantId).to.equal('platform');
    });

    it('is open to a key with that scope alone', async () => {
        const reader = await keyOf(ada, 'audit:read');
        const other = await keyOf(ada);
        expect((await app.call('GET', PATH, { token: reader.secret })).status).to.equal(200);
        expectError(await app.call('GET', PATH, { token: other.secret }), 'FORBIDDEN');
    });

    it('is limited to sixty a minute and user', () =>
        app.inNoTime(async () => {
            for (let n = 0; n < 60; n++) expect((await ada.call('GET', `${PATH}?limit=1`)).status).to.equal(200);
            expectError(await ada.call('GET', PATH), 'RATE_LIMITED');
        }));

    const keyOf = async (tenant: TestTenant, scope = 'thread:write') => {
        const { body } = await tenant.call('POST', '/api/keys', { payload: { name: scope, scopes: [scope] } });
        return { secret: String(body.data.secret), keyId: String(body.data.key.id) };
    };
});

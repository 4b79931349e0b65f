import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { BillingStore } from '../../../plugins/billing/store.ts';
import { newId } from '../../../src/ids.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { newKey } from '../../helpers/api-key.ts';
import { readAudit } from '../../helpers/audit.ts';
import { charge } from '../../helpers/billing.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { startAt } from '../../helpers/moved-clock.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newUser } from '../../helpers/user.ts';

import type { TestApp } from '../../helpers/app.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const ROUTE = '/api/billing/limits';
const NOBODY = 'user_00000000000000000000000000';

describe('the limits of a month', () => {
    let app: TestApp;
    let to: (time: string) => Promise<void>;
    let ada: TestTenant;

    before(async () => {
        ({ app, to } = await startAt('2030-01-10T12:00:00Z'));
    });

    beforeEach(async () => {
        await to('2030-01-10T12:00:00Z');
        ada = await newTenant(app);
    });

    after(() => app.stop());

    const read = async () => (await ada.call('GET', ROUTE)).body.data.limits;
    const put = (payload: object) => ada.call('PUT', ROUTE, { payload });
    const limitOf = (limitMicros: number | null, spentMicros = 0, heldMicros = 0) => ({
        limitMicros,
        spentMicros,
        spent: `0.${String(spentMicros).padStart(6, '0')}`,
        heldMicros,
        held: `0.${String(heldMicros).padStart(6, '0')}`,
    });
    const hold = (amount: bigint, who: string[]) =>
        new BillingStore(app.store, Date.now).takeHold(ada.tenantId, {
            id: newId('hold'),
            want: String(amount),
            least: String(amount),
            lease: 60_000,
            who,
            entry: { id: newId('bill'), type: 'model_usage', fields: [], sums: [], counts: [], index: [] },
        });
    const codeOf = (work: Promise<unknown>) =>
        work.then(
            () => 'done',
            (error: unknown) => (error as { data: { code: string } }).data.code,
        );

    describe(`GET ${ROUTE}`, () => {
        it('tells that there are none, and when the month ends', async () => {
            expect(await read()).to.equal({
                lowCreditMicros: 1_000_000,
                resetsAt: '2030-02-01T00:00:00.000Z',
                tenant: limitOf(null),
                users: {},
                keys: {},
            });
        });

        it('tells what was spent and is held of them in this month', async () => {
            const bob = await newUser(app, ada.tenantId, 'user');
            const key = await newKey(ada);
            await put({ tenant: 900_000, users: { [bob.userId]: 500_000 }, keys: { [key.id]: 400_000 } });
            await charge(app, { tenantId: ada.tenantId, userId: bob.userId }, 1_000n);
            await charge(app, { ...ada, keyId: key.id }, 20_000n);
            await hold(300_000n, ['tenant', `user:${bob.userId}`]);
            const limits = await read();
            expect(limits.tenant).to.equal(limitOf(900_000, 21_000, 300_000));
            expect(limits.users).to.equal({ [bob.userId]: limitOf(500_000, 1_000, 300_000) });
            expect(limits.keys).to.equal({ [key.id]: limitOf(400_000, 20_000) });
            await to('2030-02-10T12:00:00Z');
            expect((await read()).tenant).to.equal(limitOf(900_000, 0, 300_000));
        });
    });

    describe(`PUT ${ROUTE}`, () => {
        it('sets what is named and leaves the rest, and answers with all', async () => {
            await put({ tenant: 1_000, lowCreditMicros: 2_000_000 });
            const { status, body } = await put({ users: { [ada.userId]: 5 } });
            expect(status).to.equal(200);
            expect(body.data.limits).to.equal(await read());
            expect(body.data.limits).to.include({ lowCreditMicros: 2_000_000, tenant: limitOf(1_000) });
            const { body: rest } = await put({ tenant: null, users: { [ada.userId]: null }, lowCreditMicros: null });
            const none = { lowCreditMicros: 1_000_000, tenant: limitOf(null), users: {}, keys: {} };
            expect(rest.data.limits).to.include(none);
        });

        it('holds for what is begun from now on, and not beyond the month', async () => {
            const bob = await newUser(app, ada.tenantId, 'user');
            const who = ['tenant', `user:${bob.userId}`];
            await put({ users: { [bob.userId]: 100_000 }, tenant: 300_000 });
            expect(await codeOf(hold(100_001n, who))).to.equal('SPEND_LIMIT_REACHED');
            expect(await codeOf(hold(100_000n, who))).to.equal('done');
            expect(await codeOf(hold(1n, who))).to.equal('SPEND_LIMIT_REACHED');
            expect(await codeOf(hold(200_001n, ['tenant']))).to.equal('SPEND_LIMIT_REACHED');
            await put({ users: { [bob.userId]: null } });
            expect(await codeOf(hold(1n, who))).to.equal('done');
            await charge(app, ada, 199_999n);
            expect(await codeOf(hold(1n, ['tenant']))).to.equal('SPEND_LIMIT_REACHED');
            await to('2030-02-10T12:00:00Z');
            expect(await codeOf(hold(1n, ['tenant']))).to.equal('done');
        });

        it('knows no user and no key that is not there, is deleted or of another tenant, and then changes nothing', async () => {
            const eve = await newTenant(app);
            const bob = await newUser(app, ada.tenantId, 'user');
            const key = await newKey(eve);
            await put({ users: { [bob.userId]: 7 } });
            await ada.call('DELETE', `/api/users/${bob.userId}`);
            for (const id of [NOBODY, eve.userId, bob.userId]) {
                const { details } = expectError(await put({ tenant: 1, users: { [id]: 1 } }), 'USER_NOT_FOUND');
                expect(details).to.equal({ id });
            }
            for (const id of ['key_00000000000000000000000000', key.id]) {
                expectError(await put({ tenant: 1, keys: { [id]: 1 } }), 'KEY_NOT_FOUND');
            }
            expect((await read()).tenant.limitMicros).to.be.null();
            // A limit of somebody who has gone can be taken away.
            expect((await put({ users: { [bob.userId]: null } })).body.data.limits.users).to.equal({});
            expect(await app.redis.exists(tenantKey(eve.tenantId, 'credits:limits'))).to.equal(0);
        });

        it('refuses what is no amount, no id, and a body that says nothing', async () => {
            expectError(await put({}), 'VALIDATION_ERROR');
            expectFaults(await put({ tenant: -1 }), ['tenant']);
            expectFaults(await put({ tenant: 1.5, lowCreditMicros: 'x' }), ['tenant', 'lowCreditMicros']);
            expectFaults(await put({ users: { ada: 1 } }), ['users.ada']);
            expectFaults(await put({ tenant: 9_007_199_254_740_992 }), ['tenant']);
            expectFaults(await put({ projects: {} }), ['projects']);
        });

        it('is for admins of the tenant, and told in its audit', async () => {
            const bob = await newUser(app, ada.tenantId, 'user');
            const change = { payload: { tenant: 5_000 } };
            expectError(await bob.call('PUT', ROUTE, change), 'FORBIDDEN');
            expectError(await bob.call('GET', ROUTE), 'FORBIDDEN');
            expectError(await app.call('PUT', ROUTE, change), 'UNAUTHENTICATED');
            const reader = await newKey(ada, { scopes: ['billing:read'] });
            expectError(await app.call('PUT', ROUTE, { ...change, token: reader.secret }), 'FORBIDDEN');
            await put({ tenant: 5_000 });
            const entries = (await readAudit(app, ada.tenantId)).filter(({ action }) => action === 'billing.limit');
            expect(entries).to.have.length(1);
            expect(entries[0]).to.include({ userId: ada.userId, result: 'success', details: '{"tenant":5000}' });
        });

        it('is forgotten with a user who is purged', async () => {
            const bob = await newUser(app, ada.tenantId, 'user');
            await put({ users: { [bob.userId]: 7, [ada.userId]: 8 } });
            await ada.call('DELETE', `/api/users/${bob.userId}`);
            await to('2030-02-11T12:00:00Z');
            await app.server.plugins.users.purge(ada.tenantId, bob.userId);
            expect(Object.keys((await read()).users)).to.equal([ada.userId]);
        });

        it('leaves every change of several at once', async () => {
            const users = await Promise.all(Array.from({ length: 5 }, () => newUser(app, ada.tenantId, 'user')));
            await Promise.all(users.map(({ userId }, n) => put({ users: { [userId]: n } })));
            const limits = Object.entries((await read()).users).map(([id, limit]) => [
                id,
                (limit as { limitMicros: number }).limitMicros,
            ]);
            expect(Object.fromEntries(limits)).to.equal(Object.fromEntries(users.map(({ userId }, n) => [userId, n])));
        });
    });
});

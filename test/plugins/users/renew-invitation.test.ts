import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { createUser } from '../../helpers/invite.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newUser, setUserField } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const DAY_MS = 24 * 3600 * 1000;
const PASSWORD = 'a password of Bob';
const routeOf = (userId: string) => `/api/users/${userId}/invitation`;

describe('POST /api/users/{userId}/invitation', () => {
    let app: TestApp;
    let tenant: TestTenant;
    let userId: string;
    let first: string;
    const renew = (options: object = {}) => tenant.call('POST', routeOf(userId), options);
    const accept = (token: string) =>
        app.call('POST', '/api/auth/invitation/accept', { payload: { token, password: PASSWORD } });

    before(async () => {
        app = await startApp();
    });

    beforeEach(async () => {
        tenant = await newTenant(app);
        const { body } = await createUser(tenant);
        userId = body.data.user.id;
        first = body.data.token;
    });

    after(() => app.stop());

    it('gives a token with which the user begins, and the one before is dead', async () => {
        const { status, body } = await renew();
        expect(status).to.equal(201);
        expect(body.data.user).to.include({ id: userId, revision: 1 });
        expect(String(body.data.token)).to.startWith(`it1.${tenant.tenantId}.${userId}.`);
        expect(body.data.token).to.not.equal(first);
        expectError(await accept(first), 'INVITATION_INVALID');
        expect((await accept(body.data.token)).status).to.equal(200);
        expectError(await accept(body.data.token), 'INVITATION_INVALID');
    });

    it('begins the 7 days anew, also when those of the first are over', async () => {
        const later = await startApp();
        try {
            await later.advance(8 * DAY_MS);
            const key = tenantKey(tenant.tenantId, 'invitation', userId);
            // As Redis does it by its own clock.
            await app.redis.del(key);
            expectError(await accept(first), 'INVITATION_INVALID');
            const { token } = (await renew()).body.data;
            expect(await app.redis.pttl(key)).to.be.within(7 * DAY_MS - 60_000, 7 * DAY_MS);
            const payload = { token, password: PASSWORD };
            expectError(await later.call('POST', '/api/auth/invitation/accept', { payload }), 'INVITATION_INVALID');
            expect((await accept(token)).status).to.equal(200);
        } finally {
            await later.stop();
        }
    });

    it('stores a hash only, and is audited and told', async () => {
        const { body } = await renew();
        const { token } = body.data;
        const keys = await app.redis.keys(tenantKey(tenant.tenantId, '*'));
        const dumps = await Promise.all(keys.map((key) => app.redis.dumpBuffer(key)));
        expect(dumps.some((dump) => dump?.includes(String(token).split('.')[3] ?? ''))).to.be.false();
        const entry = (await readAudit(app, tenant.tenantId)).at(-1);
        const expected = { action: 'user.invite', resourceId: userId, userId: tenant.userId, result: 'success' };
        expect(entry).to.include(expected);
        const events = await app.redis.xrange(tenantKey(tenant.tenantId, 'events'), '-', '+');
        const told = ['type', 'user.invited', 'data', JSON.stringify({ userId }), 'requestId', body.requestId];
        expect(events.at(-1)?.[1]).to.equal(told);
    });

    it('is done once with an Idempotency-Key', async () => {
        const headers = { 'idempotency-key': 'again' };
        const [one, other] = [await renew({ headers }), await renew({ headers })];
        expect(other.body.data.token).to.equal(one.body.data.token);
        expect(other.headers['idempotent-replayed']).to.equal('true');
        expect((await accept(one.body.data.token)).status).to.equal(200);
    });

    it('leaves one good token of twenty that were asked for at once', async () => {
        await app.redis.hset(tenantKey(tenant.tenantId, 'info'), 'limits', '{"requestsPerMinute":1000}');
        const answers = await Promise.all(Array.from({ length: 20 }, () => renew()));
        const tokens = answers.map(({ body }) => String(body.data.token));
        const accepted = await Promise.all(tokens.map(accept));
        expect(accepted.filter(({ status }) => status === 200)).to.have.length(1);
    });

    it('and the acceptance of the first token exclude each other', async () => {
        const [accepted, renewed] = await Promise.all([accept(first), renew()]);
        if (accepted.status === 200) {
            expectError(await renew(), 'INVITATION_ACCEPTED');
            if (renewed.status === 201) expectError(await accept(renewed.body.data.token), 'INVITATION_INVALID');
        } else {
            expectError(accepted, 'INVITATION_INVALID');
            expect((await accept(renewed.body.data.token)).status).to.equal(200);
        }
    });

    it('refuses for a user who has accepted, who is deleted or who is none', async () => {
        await accept(first);
        expectError(await renew(), 'INVITATION_ACCEPTED');
        expectError(await tenant.call('POST', routeOf(tenant.userId)), 'INVITATION_ACCEPTED');
        expect(await app.redis.exists(tenantKey(tenant.tenantId, 'invitation', userId))).to.equal(0);
        const { body } = await createUser(tenant);
        await tenant.call('DELETE', `/api/users/${body.data.user.id}`);
        expectError(await tenant.call('POST', routeOf(body.data.user.id)), 'ALREADY_DELETED');
        const unknown = 'user_00000000000000000000000000';
        expectError(await tenant.call('POST', routeOf(unknown)), 'USER_NOT_FOUND');
        expect(await app.redis.exists(tenantKey(tenant.tenantId, 'invitation', unknown))).to.equal(0);
        expectFaults(await tenant.call('POST', routeOf('nobody')), ['userId']);
    });

    it('does not help a user who is disabled', async () => {
        await setUserField(app, tenant.tenantId, userId, 'isActive', '0');
        const { token } = (await renew()).body.data;
        expectError(await accept(token), 'INVITATION_INVALID');
    });

    it('refuses another tenant, who is no admin, and who is nobody', async () => {
        expectError(await (await newTenant(app)).call('POST', routeOf(userId)), 'USER_NOT_FOUND');
        const { call } = await newUser(app, tenant.tenantId, 'user');
        expect(expectError(await call('POST', routeOf(userId)), 'FORBIDDEN').details).to.equal({
            permission: 'user:write',
        });
        expectError(await app.call('POST', routeOf(userId)), 'UNAUTHENTICATED');
        expect((await accept(first)).status).to.equal(200);
    });
});

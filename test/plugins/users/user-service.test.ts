import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { createRecords } from '../../../src/redis/create-records.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { newTenant } from '../../helpers/tenant.ts';
import { newUser } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
    promise.then(
        () => undefined,
        (error) => error.data?.code,
    );

describe('UserService', () => {
    let app: TestApp;

    before(async () => {
        app = await startApp();
    });

    after(() => app.stop());

    it('gives a user without the password hash, and with it for authentication', async () => {
        const { users } = app.server.plugins;
        const { tenantId, userId, email } = await newTenant(app);
        const published = await users.get(tenantId, userId);
        expect(published).to.include({ id: userId, email, username: email, role: 'admin', isActive: true, tier: null });
        expect(published).not.to.include('passwordHash');
        const found = await users.findByEmail(tenantId, email);
        expect(found?.passwordHash).to.match(/^\$2b\$/);
        expect(await users.find(tenantId, userId)).to.equal(found);
        expect(users.publish(found as NonNullable<typeof found>)).to.equal(published);
    });

    it('knows no user of another tenant', async () => {
        const { users } = app.server.plugins;
        const [one, other] = [await newTenant(app), await newTenant(app)];
        expect(await codeOf(users.get(other.tenantId, one.userId))).to.equal('USER_NOT_FOUND');
        expect(await users.find(other.tenantId, one.userId)).to.be.null();
        expect(await users.findByEmail(other.tenantId, one.email)).to.be.null();
    });

    it('reads what a script returned of a user', async () => {
        const { users } = app.server.plugins;
        const { tenantId, userId, email } = await newTenant(app);
        const flat = Object.entries(await app.redis.hgetall(users.key(tenantId, userId))).flat();
        expect(users.decode(flat)).to.include({ id: userId, email, isActive: true });
    });

    it('takes an e-mail address once in a tenant, of 20 at once as well', async () => {
        const { users } = app.server.plugins;
        const { tenantId } = await newTenant(app);
        const create = () => {
            const user = { email: 'bob@b.example', displayName: 'Bob', role: 'user', passwordHash: 'x' } as const;
            return createRecords(app.store)(tenantId, [users.draft(tenantId, user).draft]);
        };
        const codes = await Promise.all(Array.from({ length: 20 }, () => codeOf(create())));
        expect(codes.filter((code) => code === undefined)).to.have.length(1);
        expect(codes.filter((code) => code === 'EMAIL_TAKEN')).to.have.length(19);
        expect(await app.redis.zcard(tenantKey(tenantId, 'users'))).to.equal(2);
    });

    it('lets two tenants have users of one address', async () => {
        const { users } = app.server.plugins;
        const [one, other] = [await newTenant(app), await newTenant(app)];
        const user = await newUser(app, one.tenantId, 'user');
        const details = { email: user.email, displayName: 'Same', role: 'user', passwordHash: 'x' } as const;
        await createRecords(app.store)(other.tenantId, [users.draft(other.tenantId, details).draft]);
        const found = await users.findByEmail(other.tenantId, user.email);
        expect(found?.displayName).to.equal('Same');
        expect((await users.findByEmail(one.tenantId, user.email))?.id).to.equal(user.userId);
    });
});

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startReplicas, type TestApp } from './helpers/app.ts';
import { setLimits } from './helpers/limits.ts';
import { newTenant, platformToken } from './helpers/tenant.ts';
import { newUser } from './helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const ME = '/api/auth/me';

describe('two replicas on one Redis', () => {
    let one: TestApp;
    let two: TestApp;

    before(async () => {
        [one, two] = await startReplicas();
    });

    after(async () => {
        await one.stop();
        await two.stop();
    });

    /** How many of as many requests at once, to both in turn, are answered, and what the others are told. */
    const answered = async (count: number, token: string) => {
        const calls = Array.from({ length: count }, (_, n) => (n % 2 === 0 ? one : two).call('GET', ME, { token }));
        const answers = await Promise.all(calls);
        const refused = answers.filter(({ status }) => status !== 200);
        return { good: count - refused.length, codes: new Set(refused.map(({ body }) => body.error.code)) };
    };

    it('hold a user to one rate together', () =>
        one.inNoTime(() =>
            two.inNoTime(async () => {
                const { tenantId, accessToken } = await newTenant(one);
                await setLimits(one, tenantId, { requestsPerMinute: 20 });
                const { good, codes } = await answered(60, accessToken);
                // One more comes back every three seconds.
                expect(good).to.be.between(19, 30);
                expect(codes).to.equal(new Set(['RATE_LIMITED']));
            }),
        ));

    it('hold a tenant to one quota together', async () => {
        const { tenantId, accessToken, call } = await newTenant(one);
        const { body } = await call('GET', '/api/profile/usage');
        const { used } = body.data.usage.requestsThisMonth;
        await setLimits(one, tenantId, { requestsPerMonth: used + 15 });
        expect(await answered(40, accessToken)).to.equal({ good: 15, codes: new Set(['QUOTA_EXCEEDED']) });
    });

    it('refuse a session on both once it is ended on one', async () => {
        const { accessToken, call } = await newTenant(one);
        expect((await two.call('GET', ME, { token: accessToken })).status).to.equal(200);
        await call('POST', '/api/auth/logout');
        for (const app of [one, two]) expect((await app.call('GET', ME, { token: accessToken })).status).to.equal(401);
    });

    it('refuse a tenant on both once it is suspended on one, and admit it again', async () => {
        const { tenantId, accessToken } = await newTenant(one);
        const token = await platformToken(one);
        const url = `/api/admin/tenants/${tenantId}`;
        await one.call('POST', `${url}/suspend`, { token, payload: { reason: 'A test' } });
        const { body } = await two.call('GET', ME, { token: accessToken });
        expect(body.error.code).to.equal('TENANT_SUSPENDED');
        await two.call('POST', `${url}/activate`, { token });
        const { email, password } = await newUser(one, tenantId, 'user');
        expect((await two.call('POST', '/api/login', { payload: { email, password, tenantId } })).status).to.equal(200);
    });

    it('take a right away on both once it is taken away on one', async () => {
        const admin = await newTenant(one);
        const { userId, accessToken } = await newUser(one, admin.tenantId, 'admin');
        expect((await two.call('GET', '/api/users', { token: accessToken })).status).to.equal(200);
        await admin.call('PATCH', `/api/users/${userId}`, { payload: { role: 'user' } });
        const { status, body } = await two.call('GET', '/api/users', { token: accessToken });
        expect([status, body.error.code]).to.equal([403, 'FORBIDDEN']);
    });
});

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { startApp, type Answer, type TestApp } from '../../helpers/app.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { newTenant, platformToken, type TestTenant } from '../../helpers/tenant.ts';
import { newUser, setUserField } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const ROUTE = '/api/auth/me';
const LIMIT = 100;
/** What one request of a free user takes to come back, in milliseconds. */
const INTERVAL = 600;

const send = (count: number, call: TestTenant['call']): Promise<Answer[]> =>
    Promise.all(Array.from({ length: count }, () => call('GET', ROUTE)));

const admitted = (answers: Answer[]): number => answers.filter(({ status }) => status === 200).length;

/** Says that the whole limit was admitted, and no more than what came back meanwhile. */
async function expectLimit(work: () => Promise<number>): Promise<void> {
    const start = performance.now();
    const count = await work();
    const back = Math.ceil((performance.now() - start) / INTERVAL);
    expect(count).to.be.between(LIMIT - 1, LIMIT + back + 1);
}

describe('the limit of a user', () => {
    let app: TestApp;

    before(async () => {
        app = await startApp();
    });

    after(() => app.stop());

    it('is told on every authenticated answer, refused ones too', async () => {
        const { tenantId, call } = await newTenant(app);
        const answers = [
            await call('GET', ROUTE),
            await call('POST', `/api/admin/tenants/${tenantId}/activate`),
            await call('GET', ROUTE),
        ];
        expect(answers.map(({ status }) => status)).to.equal([200, 403, 200]);
        for (const { headers } of answers) {
            expect(headers).to.include({ 'x-ratelimit-limit': '100', 'x-ratelimit-window': '60' });
            const reset = Number(headers['x-ratelimit-reset']) * 1000;
            expect(reset).to.be.between(Date.now() - 1000, Date.now() + 5000);
        }
        expect(answers.map(({ headers }) => Number(headers['x-ratelimit-remaining']))[0]).to.equal(99);
        expect(Number(answers[1]?.headers['x-ratelimit-remaining'])).to.be.below(100);
    });

    it('is told to an admin whose request is not valid', async () => {
        const token = await platformToken(app);
        const answer = await app.call('POST', '/api/admin/tenants/nonsense/activate', { token });
        expectError(answer, 'VALIDATION_ERROR');
        expect(answer.headers['x-ratelimit-limit']).to.equal('2000');
    });

    it('refuses the request past it, with Retry-After, and counts no refused one', () =>
        app.inNoTime(async () => {
            const { tenantId, userId, call } = await newTenant(app);
            expect(admitted(await send(LIMIT, call))).to.equal(LIMIT);
            const key = tenantKey(tenantId, 'rate', 'user', userId);
            const counted = await app.redis.get(key);
            const refused = await call('GET', ROUTE);
            expectError(refused, 'RATE_LIMITED');
            expect(refused.headers['x-ratelimit-remaining']).to.equal('0');
            expect(refused.headers['retry-after']).to.equal('1');
            expect(await app.redis.get(key)).to.equal(counted);
        }));

    it('comes back with time, one request each 600 ms, and all of it in a minute', () =>
        app.inNoTime(async () => {
            const { call } = await newTenant(app);
            await send(LIMIT + 10, call);
            await app.advance(10 * INTERVAL);
            expect(admitted(await send(30, call))).to.equal(10);
            await app.advance(60_000);
            expect(admitted(await send(150, call))).to.equal(LIMIT);
        }));

    it('admits exactly as many of 150 at once as it says', () =>
        app.inNoTime(async () => {
            const { call } = await newTenant(app);
            const answers = await send(150, call);
            expect(admitted(answers)).to.equal(LIMIT);
            for (const answer of answers) if (answer.status !== 200) expectError(answer, 'RATE_LIMITED');
        }));

    it('is shared by two servers on one Redis, and by all sessions of the user', async () => {
        // Both of their own: the clock of `app` has been moved, and theirs must agree.
        const one = await startApp();
        const other = await startApp({ config: { JWT_KEYS: one.config.JWT_KEYS } });
        const tenant = await newTenant(one);
        const { email, password } = tenant;
        const { accessToken } = (await other.call('POST', '/api/login', { payload: { email, password } })).body.data;
        await expectLimit(async () => {
            const answers = await Promise.all([
                send(75, tenant.call),
                send(75, (method, url) => other.call(method, url, { token: accessToken })),
            ]);
            return admitted(answers.flat());
        });
        await Promise.all([one.stop(), other.stop()]);
    });

    it('is each user’s own', async () => {
        const { tenantId, call } = await newTenant(app);
        const colleague = await newUser(app, tenantId, 'user');
        await send(LIMIT + 10, call);
        expect((await colleague.call('GET', ROUTE)).headers['x-ratelimit-remaining']).to.equal('99');
    });

    it('follows the plan of the tenant and the tier of the user at once', async () => {
        const { tenantId, userId, call } = await newTenant(app);
        const limit = async () => (await call('GET', ROUTE)).headers['x-ratelimit-limit'];
        await app.redis.hset(tenantKey(tenantId, 'info'), 'plan', 'enterprise');
        expect(await limit()).to.equal('2000');
        await setUserField(app, tenantId, userId, 'tier', 'premium');
        expect(await limit()).to.equal('500');
    });
});

describe('the limit of a route', () => {
    let app: TestApp;

    before(async () => {
        app = await startApp();
        app.server.route({
            method: 'GET',
            path: '/api/test/limited',
            options: { app: { status: 200, rateLimit: { limit: 3, window: 60 } } },
            handler: () => ({ done: true }),
        });
    });

    after(() => app.stop());

    it('counts besides the limit of the user, and the tighter one is told', () =>
        app.inNoTime(async () => {
            const { call } = await newTenant(app);
            const limited = () => call('GET', '/api/test/limited');
            const answers = [await limited(), await limited(), await limited()];
            expect(answers.map(({ status }) => status)).to.equal([200, 200, 200]);
            expect(answers.map(({ headers }) => headers['x-ratelimit-remaining'])).to.equal(['2', '1', '0']);
            expect(answers[0]?.headers['x-ratelimit-limit']).to.equal('3');
            const refused = await limited();
            expectError(refused, 'RATE_LIMITED');
            expect(Number(refused.headers['retry-after'])).to.be.within(1, 20);
            const { headers } = await call('GET', ROUTE);
            expect(headers).to.include({ 'x-ratelimit-limit': '100' });
            // Four were admitted; the refused one took nothing of the user's.
            expect(Number(headers['x-ratelimit-remaining'])).to.be.at.least(96);
            await app.advance(20_000);
            expect((await limited()).status).to.equal(200);
        }));

    it('is not counted for a user who is over the own limit', () =>
        app.inNoTime(async () => {
            const { tenantId, userId, call } = await newTenant(app);
            await send(LIMIT + 20, call);
            expectError(await call('GET', '/api/test/limited'), 'RATE_LIMITED');
            expect(await app.redis.exists(tenantKey(tenantId, 'rate', 'get /api/test/limited', userId))).to.equal(0);
        }));

    it('is each user’s own', async () => {
        const [one, other] = [await newTenant(app), await newTenant(app)];
        await one.call('GET', '/api/test/limited');
        expect((await other.call('GET', '/api/test/limited')).headers['x-ratelimit-remaining']).to.equal('2');
    });

    it('is not that of an address, from which many users may come', async () => {
        const users = [await newTenant(app), await newTenant(app), await newTenant(app)];
        const from = '192.0.2.9';
        const uses = users.flatMap(({ call }) => [1, 2, 3].map(() => call('GET', '/api/test/limited', { from })));
        expect((await Promise.all(uses)).map(({ status }) => status)).to.equal(uses.map(() => 200));
    });
});

import { randomBytes } from 'node:crypto';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { randomAddress, startApp, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { asCookies, cookiesOf } from '../../helpers/cookies.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { startRedis } from '../../helpers/redis.ts';
import { newTenant } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const ROUTE = '/api/auth/register';

const newPayload = (changes: object = {}) => {
    const domain = `${randomBytes(8).toString('hex')}.example`;
    return { tenantName: 'Acme', domain, email: `ada@${domain}`, password: 'a password for a test', ...changes };
};

/** The names of all keys, without what differs between two runs that do the same. */
async function keyShapes(app: TestApp): Promise<string[]> {
    const keys = await app.redis.keys('*');
    const kept = keys.filter((key) => !key.includes(':rate:') && !key.startsWith('test:clock:'));
    return kept.map((key) => key.replace(/_[0-9A-Z]{26}/g, '_ID')).toSorted();
}

describe('POST /api/auth/register', () => {
    let app: TestApp;

    before(async () => {
        app = await startApp();
    });

    after(() => app.stop());

    it('creates a tenant whose first admin is logged in', async () => {
        const tenant = await newTenant(app);
        const { status, body } = await tenant.call('GET', '/api/auth/me');
        expect(status).to.equal(200);
        expect(body.data.user).to.include({ email: tenant.email, role: 'admin' });
    });

    it('answers with the tenant, its admin and the tokens', async () => {
        const payload = newPayload({ displayName: ' Ada Lovelace ', tenantName: ' Acme ' });
        const { status, body, text } = await app.call('POST', ROUTE, { payload });
        expect(status).to.equal(201);
        expect(body.success).to.be.true();
        expect(Object.keys(body.data).toSorted()).to.equal([
            'accessToken',
            'expiresIn',
            'refreshToken',
            'tenant',
            'user',
        ]);
        const { tenant, user, expiresIn } = body.data;
        expect(tenant).to.include({
            name: 'Acme',
            domain: payload.domain,
            status: 'active',
            plan: 'free',
            revision: 1,
        });
        expect(tenant.id).to.match(/^tenant_[0-9A-Z]{26}$/);
        expect(user).to.include({ username: payload.email, email: payload.email, role: 'admin', isActive: true });
        expect(user).to.include({ displayName: 'Ada Lovelace', tier: null, revision: 1 });
        expect(user.id).to.match(/^user_[0-9A-Z]{26}$/);
        expect(expiresIn).to.equal(900);
        expect(text).not.to.include(payload.password).and.not.to.include('passwordHash');
    });

    it('sets both tokens as cookies out of reach of scripts and of other sites', async () => {
        const answer = await app.call('POST', ROUTE, { payload: newPayload() });
        const { access, refresh } = cookiesOf(answer);
        const { accessToken, refreshToken } = answer.body.data;
        expect(access).to.include({ value: accessToken });
        expect(access?.attributes).to.include(['HttpOnly', 'SameSite=Strict', 'Path=/', 'Max-Age=900']);
        expect(refresh).to.include({ value: refreshToken });
        expect(refresh?.attributes).to.include(['HttpOnly', 'SameSite=Strict', 'Path=/api', 'Max-Age=604800']);
    });

    it('sends the cookies over TLS only where that is configured', async () => {
        const secure = await startApp({ config: { COOKIE_SECURE: true } });
        const answer = await secure.call('POST', ROUTE, { payload: newPayload() });
        await secure.stop();
        expect(Object.values(cookiesOf(answer)).map(({ attributes }) => attributes.includes('Secure'))).to.equal([
            true,
            true,
        ]);
    });

    it('folds the case of the domain and of the e-mail address', async () => {
        const { domain, ...payload } = newPayload();
        const answer = await app.call('POST', ROUTE, {
            payload: { ...payload, domain: domain.toUpperCase(), email: `ADA@${domain}` },
        });
        expect(answer.body.data.tenant.domain).to.equal(domain);
        expect(answer.body.data.user.email).to.equal(`ada@${domain}`);
        expectError(await app.call('POST', ROUTE, { payload: { ...payload, domain } }), 'DOMAIN_TAKEN');
    });

    it('names the admin after the e-mail address when no name is given', async () => {
        const { body } = await app.call('POST', ROUTE, { payload: newPayload() });
        expect(body.data.user.displayName).to.equal('ada');
    });

    it('stores the password as a bcrypt hash', async () => {
        const tenant = await newTenant(app);
        const hash = await app.redis.hget(tenantKey(tenant.tenantId, 'user', tenant.userId), 'passwordHash');
        expect(hash).to.match(/^\$2b\$04\$/);
    });

    it('writes one audit entry with the request id, and the events of both records', async () => {
        const payload = newPayload();
        const from = randomAddress();
        const headers = { 'x-request-id': 'register-1234', 'user-agent': 'a test' };
        const { body } = await app.call('POST', ROUTE, { payload, headers, from });
        const { tenant, user } = body.data;
        const entries = await readAudit(app, tenant.id);
        expect(entries).to.equal([
            {
                userId: user.id,
                action: 'auth.register',
                resource: 'tenant',
                resourceId: tenant.id,
                result: 'success',
                ipAddress: from,
                userAgent: 'a test',
                correlationId: 'register-1234',
            },
        ]);
        const events = await app.redis.xrange(tenantKey(tenant.id, 'events'), '-', '+');
        expect(events.map(([, [, type]]) => type)).to.equal(['tenant.created', 'user.created']);
        expect(JSON.stringify(events)).not.to.include(payload.password);
    });

    it('refuses a request without its fields, and names each', async () => {
        expectFaults(await app.call('POST', ROUTE, { payload: {} }), ['domain', 'email', 'password', 'tenantName']);
    });

    it('refuses fields it does not know', async () => {
        expectFaults(
            await app.call('POST', ROUTE, { payload: newPayload({ plan: 'enterprise', role: 'superadmin' }) }),
            ['plan', 'role'],
        );
    });

    for (const [what, changes, fields] of [
        ['a number for a name', { tenantName: 7 }, ['tenantName']],
        ['an empty name', { tenantName: '  ' }, ['tenantName']],
        ['a name of 101 characters', { tenantName: 'x'.repeat(101) }, ['tenantName']],
        ['an ill-formed domain', { domain: 'no domain' }, ['domain']],
        ['a domain of one part', { domain: 'localhost' }, ['domain']],
        ['an ill-formed e-mail address', { email: 'ada' }, ['email']],
        ['a password of 7 characters', { password: '1234567' }, ['password']],
        ['a password of 257 characters', { password: 'x'.repeat(257) }, ['password']],
        ['an object for a password', { password: {} }, ['password']],
    ] as const) {
        it(`refuses ${what}`, async () => {
            const payload = newPayload(changes);
            expectFaults(await app.call('POST', ROUTE, { payload }), [...fields]);
            expect(await app.redis.exists(tenantKey('platform', 'domain', payload.domain))).to.equal(0);
        });
    }

    it('refuses a domain that is taken, and leaves its tenant as it is', async () => {
        const first = await newTenant(app);
        const payload = newPayload({ domain: first.domain });
        expectError(await app.call('POST', ROUTE, { payload }), 'DOMAIN_TAKEN');
        expect((await first.call('GET', '/api/auth/me')).body.data.tenant.id).to.equal(first.tenantId);
        expect(await app.redis.get(tenantKey('platform', 'domain', first.domain))).to.equal(first.tenantId);
    });

    it('is closed where that is configured', async () => {
        const closed = await startApp({ config: { REGISTRATION: 'closed' } });
        const payload = newPayload();
        const answer = await closed.call('POST', ROUTE, { payload });
        await closed.stop();
        expectError(answer, 'REGISTRATION_CLOSED');
        expect(await app.redis.exists(tenantKey('platform', 'domain', payload.domain))).to.equal(0);
    });

    it('takes no notice of a credential', async () => {
        const { accessToken } = await newTenant(app);
        const headers = asCookies({ access: accessToken });
        expect((await app.call('POST', ROUTE, { payload: newPayload(), headers })).status).to.equal(201);
    });

    it('takes 5 requests a minute from one address; what is refused counts nothing and does nothing', () =>
        app.inNoTime(async () => {
            const from = randomAddress();
            const rateKey = tenantKey('platform', 'rate', `post ${ROUTE}`, from);
            const remaining = [];
            for (let n = 0; n < 5; n++) {
                const answer = await app.call('POST', ROUTE, { payload: {}, from });
                expectError(answer, 'VALIDATION_ERROR');
                expect(answer.headers).to.include({ 'x-ratelimit-limit': '5', 'x-ratelimit-window': '60' });
                remaining.push(answer.headers['x-ratelimit-remaining']);
            }
            expect(remaining).to.equal(['4', '3', '2', '1', '0']);

            const counted = await app.redis.get(rateKey);
            const payload = newPayload();
            const refused = await app.call('POST', ROUTE, { payload, from });
            expectError(refused, 'RATE_LIMITED');
            expect(Number(refused.headers['retry-after'])).to.be.within(1, 12);
            expect(refused.headers['x-ratelimit-remaining']).to.equal('0');
            expect(await app.redis.get(rateKey)).to.equal(counted);
            expect(await app.redis.exists(tenantKey('platform', 'domain', payload.domain))).to.equal(0);

            await app.advance(Number(refused.headers['retry-after']) * 1000);
            expect((await app.call('POST', ROUTE, { payload, from })).status).to.equal(201);
        }));
});

describe('POST /api/auth/register, many at once', () => {
    it('gives a domain to exactly one of 50 and leaves nothing of the others', async () => {
        const [raceRedis, cleanRedis] = await Promise.all([startRedis(), startRedis()]);
        const race = await startApp({ redisPath: raceRedis.path });
        const clean = await startApp({ redisPath: cleanRedis.path });
        const payload = newPayload();
        const answers = await Promise.all(
            Array.from({ length: 50 }, (_, n) =>
                race.call('POST', ROUTE, {
                    payload: { ...payload, email: `user-${n}@${payload.domain}` },
                    from: `10.9.0.${n}`,
                }),
            ),
        );
        await clean.call('POST', ROUTE, { payload });
        const shapes = [await keyShapes(race), await keyShapes(clean)];
        const claims = await race.redis.zcard(tenantKey('platform', 'domain-claims'));
        const tenants = await race.redis.zcard(tenantKey('platform', 'tenants'));
        const won = answers.filter(({ status }) => status === 201);
        const works = await race.call('GET', '/api/auth/me', { token: won[0]?.body.data.accessToken });
        await Promise.all([race.stop(), clean.stop()]);
        await Promise.all([raceRedis.stop(), cleanRedis.stop()]);

        expect(won).to.have.length(1);
        for (const answer of answers) if (answer.status !== 201) expectError(answer, 'DOMAIN_TAKEN');
        expect(shapes[0]).to.equal(shapes[1]);
        expect(claims).to.equal(0);
        expect(tenants).to.equal(2);
        expect(works.body.data.user.id).to.equal(won[0]?.body.data.user.id);
    });
});

describe('POST /api/auth/register, when the creation fails halfway', () => {
    let app: TestApp;

    before(async () => {
        app = await startApp();
    });

    after(() => app.stop());

    it('sets the domain free, keeps nothing of the tenant and tells no reason', async () => {
        const payload = newPayload();
        const { users } = app.server.plugins;
        const draft = users.draft.bind(users);
        let tenantId = '';
        users.draft = (id, user) => {
            tenantId = id;
            // On the same connection before the script: the index of the users' addresses is no hash.
            void app.redis.set(tenantKey(id, 'users', 'by-email'), 'in the way');
            return draft(id, user);
        };
        const failed = await app.call('POST', ROUTE, { payload });
        users.draft = draft;

        expectError(failed, 'INTERNAL_ERROR');
        expect(failed.text).not.to.include('WRONGTYPE');
        const key = tenantKey(tenantId, 'users', 'by-email');
        expect(await app.redis.keys(tenantKey(tenantId, '*'))).to.only.include([key, tenantKey(tenantId, 'info')]);
        expect(await app.redis.hgetall(tenantKey(tenantId, 'info'))).to.equal({ id: tenantId, status: 'barred' });
        expect(await app.redis.pttl(tenantKey(tenantId, 'info'))).to.be.above(0);
        const claims = await app.redis.zrange(tenantKey('platform', 'domain-claims'), '0', '-1');
        expect(claims.filter((claim) => claim.startsWith(tenantId))).to.equal([]);

        const logged = JSON.stringify(app.logs);
        expect(logged).to.include('WRONGTYPE');
        expect(logged).not.to.include(payload.password).and.not.to.include('$2b$');

        expect((await app.call('POST', ROUTE, { payload })).status).to.equal(201);
    });

    it('answers 503 when the queue of password hashes is full, and sets the domains free', async () => {
        const slow = await startApp({ config: { BCRYPT_COST: 8 } });
        const payloads = Array.from({ length: 160 }, () => newPayload());
        const answers = await Promise.all(payloads.map((payload) => slow.call('POST', ROUTE, { payload })));
        await slow.stop();
        const busy = answers.filter(({ status }) => status !== 201);
        expect(busy.length).to.be.at.least(1);
        for (const answer of busy) {
            expectError(answer, 'SERVER_BUSY');
            expect(answer.headers['retry-after']).to.equal('5');
        }
        const refused = payloads[answers.findIndex(({ status }) => status !== 201)];
        expect((await app.call('POST', ROUTE, { payload: refused })).status).to.equal(201);
    });
});

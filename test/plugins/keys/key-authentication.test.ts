import { crc32 } from 'node:zlib';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { openApiKey } from '../../../src/security/api-keys.ts';
import { newKey } from '../../helpers/api-key.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { countCommands } from '../../helpers/count-commands.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { startRedis } from '../../helpers/redis.ts';
import { seeded } from '../../helpers/seeded.ts';
import { newTenant, platformToken, type TestTenant } from '../../helpers/tenant.ts';
import { setUserField } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const MUTATIONS = 10_000;
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-.~ é';

/** The text with a few characters replaced, taken out, put in or swapped, or cut off. */
function mutate(text: string, random: () => number): string {
    const at = () => Math.floor(random() * text.length);
    const letter = () => ALPHABET[Math.floor(random() * ALPHABET.length)] ?? '';
    const [one, other] = [at(), at()];
    const [first, last] = [Math.min(one, other), Math.max(one, other)];
    switch (Math.floor(random() * 5)) {
        case 0:
            return text.slice(0, one) + letter() + text.slice(one + 1);
        case 1:
            return text.slice(0, one) + text.slice(one + 1);
        case 2:
            return text.slice(0, one) + letter() + text.slice(one);
        case 3:
            return text.slice(0, first) + text.slice(last) + text.slice(first, last);
        default:
            return text.slice(0, one);
    }
}

describe('authentication by API key', () => {
    let app: TestApp;
    let ada: TestTenant;

    before(async () => {
        app = await startApp();
    });

    beforeEach(async () => {
        ada = await newTenant(app);
    });

    after(() => app.stop());

    const threads = (token: string, headers: Record<string, string> = {}) =>
        app.call('GET', '/api/threads', { token, headers });

    it('takes the key as a bearer and as X-API-Key', async () => {
        const { secret } = await newKey(ada);
        const created = await app.call('POST', '/api/threads', { token: secret, payload: { title: 'By key' } });
        expect(created.status).to.equal(201);
        const { status, body } = await app.call('GET', '/api/threads', { headers: { 'x-api-key': secret } });
        expect([status, body.data.threads[0].title]).to.equal([200, 'By key']);
    });

    it('looks at no X-API-Key where there is an Authorization header', async () => {
        const { secret } = await newKey(ada);
        expectError(await threads('nonsense', { 'x-api-key': secret }), 'UNAUTHENTICATED');
        expect((await threads(ada.accessToken, { 'x-api-key': 'nonsense' })).status).to.equal(200);
    });

    it('asks Redis once', async () => {
        const redis = await startRedis();
        const own = await startApp({ redisPath: redis.path });
        const { secret } = await newKey(await newTenant(own), { scopes: ['model:read'], requestsPerMinute: 10 });
        const use = async () => {
            expect((await own.call('GET', '/api/models', { token: secret })).status).to.equal(200);
        };
        await use();
        expect(await countCommands(own.redis, use)).to.equal(['evalsha']);
        await own.stop();
        await redis.stop();
    });

    it('lets a key call the routes of its scopes only', async () => {
        const { secret } = await newKey(ada, { scopes: ['thread:read'] });
        expect((await threads(secret)).status).to.equal(200);
        const error = expectError(await app.call('POST', '/api/threads', { token: secret, payload: {} }), 'FORBIDDEN');
        expect(error.details.permission).to.equal('thread:write');
    });

    it('lets no key near the account: sessions, keys and whatever asks for no permission', async () => {
        const { id, secret } = await newKey(ada);
        for (const [method, path] of [
            ['GET', '/api/auth/me'],
            ['GET', '/api/keys'],
            ['POST', '/api/keys'],
            ['DELETE', `/api/keys/${id}`],
            ['POST', `/api/keys/${id}/rotate`],
        ] as const) {
            expectError(await app.call(method, path, { token: secret }), 'KEY_NOT_ALLOWED');
        }
        expect((await ada.call('GET', `/api/keys/${id}`)).status).to.equal(200);
    });

    it('has the audit name the key that a change was made by, and none for a session', async () => {
        const keys = [await newKey(ada), await newKey(ada)];
        const payload = { title: 'Which?' };
        for (const token of [...keys.map(({ secret }) => secret), ada.accessToken]) {
            expect((await ada.call('POST', '/api/threads', { token, payload })).status).to.equal(201);
        }
        const entries = await readAudit(app, ada.tenantId);
        const created = entries.filter(({ action }) => action === 'thread.create');
        expect(created.map(({ keyId }) => keyId)).to.equal([...keys.map(({ id }) => id), undefined]);
        expect(created.every(({ userId }) => userId === ada.userId)).to.be.true();
        // Neither the making of a key nor its use is an act of the key.
        expect(entries.filter((entry) => entry.keyId !== undefined)).to.have.length(2);
    });

    it('gives a key no more than its user’s role permits now', async () => {
        const token = await platformToken(app);
        const payload = { name: 'Watch', scopes: ['limit:read', 'thread:read'] };
        const made = await app.call('POST', '/api/keys', { token, payload });
        const { secret } = made.body.data;
        const { tenantId } = openApiKey(secret) ?? {};
        expect(tenantId).to.equal('platform');
        const watch = () => app.call('GET', '/api/admin/rate-limits/violations', { token: secret });
        expect((await watch()).status).to.equal(200);
        const { userId } = (await app.redis.hgetall(tenantKey('platform', 'key', made.body.data.key.id))) as {
            userId: string;
        };
        await setUserField(app, 'platform', userId, 'role', 'nobody');
        try {
            expectError(await watch(), 'FORBIDDEN');
        } finally {
            await setUserField(app, 'platform', userId, 'role', 'superadmin');
        }
        await app.call('DELETE', `/api/keys/${made.body.data.key.id}`, { token });
    });

    it('refuses the key of a user or a tenant that is not in standing', async () => {
        const { secret } = await newKey(ada);
        await setUserField(app, ada.tenantId, ada.userId, 'isActive', '0');
        expectError(await threads(secret), 'USER_DISABLED');
        await setUserField(app, ada.tenantId, ada.userId, 'isActive', '1');
        const token = await platformToken(app);
        const act = (what: string, payload?: object) =>
            app.call('POST', `/api/admin/tenants/${ada.tenantId}/${what}`, { token, payload });
        await act('suspend', { reason: 'Test' });
        expectError(await threads(secret), 'TENANT_SUSPENDED');
        await act('activate');
        expect((await threads(secret)).status).to.equal(200);
        await app.redis.del(tenantKey(ada.tenantId, 'user', ada.userId));
        expectError(await threads(secret), 'USER_DISABLED');
    });

    it('outlives the sessions of its user', async () => {
        const { secret } = await newKey(ada);
        await setUserField(app, ada.tenantId, ada.userId, 'epoch', String(Date.now() + 60_000));
        expectError(await ada.call('GET', '/api/threads'), 'SESSION_ENDED');
        expect((await threads(secret)).status).to.equal(200);
    });

    it('refuses an unknown, an altered and an expired key alike', async () => {
        const own = await startApp();
        const tenant = await newTenant(own);
        const { secret } = await newKey(tenant, { expiresAt: new Date(Date.now() + 60_000).toISOString() });
        const gone = await newKey(tenant);
        await tenant.call('DELETE', `/api/keys/${gone.id}`);
        const use = (token: string) => own.call('GET', '/api/threads', { token });
        expect((await use(secret)).status).to.equal(200);
        await own.advance(61_000);
        const refused = [await use(secret), await use(gone.secret), await use(`${secret.slice(0, -1)}~`)];
        for (const answer of refused.slice(0, 2)) expectError(answer, 'KEY_INVALID');
        expect(refused[2]?.status).to.equal(401);
        await own.stop();
    });

    it('refuses another tenant’s id in X-Tenant-Id', async () => {
        const { secret } = await newKey(ada);
        expect((await threads(secret, { 'x-tenant-id': ada.tenantId })).status).to.equal(200);
        expectError(await threads(secret, { 'x-tenant-id': 'tenant_other' }), 'TENANT_MISMATCH');
    });

    it('writes when the key was used, at most once a minute', async () => {
        const own = await startApp();
        const tenant = await newTenant(own);
        const { id, secret } = await newKey(tenant);
        const use = () => own.call('GET', '/api/threads', { token: secret });
        const lastUsed = async () => (await tenant.call('GET', `/api/keys/${id}`)).body.data.key.lastUsedAt;
        await use();
        const first = await lastUsed();
        expect(Date.parse(first)).to.be.between(Date.now() - 30_000, Date.now() + 1_000);
        await own.advance(30_000);
        await use();
        expect(await lastUsed()).to.equal(first);
        await own.advance(31_000);
        await use();
        expect(Date.parse(await lastUsed())).to.be.at.least(Date.parse(first) + 61_000);
        await own.stop();
    });

    it('holds a key to its own rate and to its user’s, on two servers alike', async () => {
        // Both of their own: the clock of `app` may have been moved.
        const [one, other] = [await startApp(), await startApp()];
        const tenant = await newTenant(one);
        const { secret } = await newKey(tenant, { requestsPerMinute: 5 });
        const use = (server: TestApp) => server.call('GET', '/api/threads', { token: secret });
        const answers = await Promise.all([one, other, one, other, one, other, one, other, one, other].map(use));
        const admitted = answers.filter(({ status }) => status === 200);
        expect(admitted.length).to.equal(5);
        expect(admitted[0]?.headers['x-ratelimit-limit']).to.equal('5');
        for (const answer of answers) if (answer.status !== 200) expectError(answer, 'RATE_LIMITED');
        const { secret: second } = await newKey(tenant, { requestsPerMinute: 1_000 });
        const { headers } = await one.call('GET', '/api/threads', { token: second });
        expect(headers['x-ratelimit-limit']).to.equal('100');
        await Promise.all([one.stop(), other.stop()]);
    });

    it('answers 10,000 mutations of keys with neither 200 nor 500', { timeout: 120_000 }, async () => {
        const random = seeded(20_261_121);
        const { secret } = await newKey(ada);
        const { secret: foreign } = await newKey(await newTenant(app));
        const statuses = new Map<number, number>();
        for (let done = 0; done < MUTATIONS; done += 100) {
            const texts = Array.from({ length: 100 }, () => {
                const once = mutate(random() < 0.5 ? secret : foreign, random);
                // Half of them with a checksum that fits, so that they get as far as Redis.
                const body = once.slice(0, -7);
                return random() < 0.5 ? once : body + crc32(body).toString(36).padStart(7, '0');
            }).filter((text) => text !== secret && text !== foreign);
            const answers = await Promise.all(texts.map((text) => threads(text)));
            for (const { status } of answers) statuses.set(status, (statuses.get(status) ?? 0) + 1);
        }
        expect([...statuses.keys()]).to.equal([401]);
        expect(statuses.get(401) ?? 0).to.be.above(MUTATIONS * 0.9);
    });
});

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startReplicas, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { testCall, testModel } from '../../helpers/model.ts';
import { startProvider, type Provider } from '../../helpers/provider.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { newTenant, platformToken } from '../../helpers/tenant.ts';
import { newUser } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const ROUTE = '/api/admin/breakers';

describe('The circuit breakers, on two replicas', () => {
    let redis: TestRedis;
    let provider: Provider;
    let one: TestApp;
    let two: TestApp;
    let token: string;
    let name: string;

    before(async () => {
        redis = await startRedis();
        provider = await startProvider();
        const config = { OPENAI_BASE_URL: `${provider.url}/v1`, PROVIDER_KEYS_SHARED: { openai: 'sk-of-the-test' } };
        [one, two] = await startReplicas({ redisPath: redis.path, config });
        token = await platformToken(one);
        name = `openai:${provider.url}`;
    });

    after(async () => {
        await Promise.all([one.stop(), two.stop(), provider.stop()]);
        await redis.stop();
    });

    const list = async (on: TestApp) => {
        const { status, body } = await on.call('GET', ROUTE, { token });
        expect(status).to.equal(200);
        return body.data.breakers as { name: string; state: string; failures: number; retryAt: string | null }[];
    };
    const stateOn = async (on: TestApp) => (await list(on)).find((breaker) => breaker.name === name);
    const reset = (which: string, options: object = {}) =>
        one.call('POST', `${ROUTE}/${encodeURIComponent(which)}/reset`, { token, ...options });
    const advance = async () => {
        await one.advance(1_000);
        await two.advance(1_000);
    };
    const call = (on: TestApp) =>
        on.server.plugins.models.open([testCall(testModel())], new AbortController().signal).then(
            () => 'answered',
            (error: { data?: { code?: string } }) => error.data?.code,
        );
    const breakCircuit = async () => {
        provider.answer({ status: 503, headers: { 'retry-after': '20' } });
        for (let n = 0; n < 5; n++) await call(two);
        await advance();
    };

    it('are those of all providers here, the clean ones too', async () => {
        const breakers = await list(one);
        expect(breakers.map((breaker) => breaker.name.split(':')[0])).to.equal([
            'anthropic',
            'google',
            'ollama',
            'openai',
        ]);
        for (const { state, failures, retryAt } of breakers)
            expect([state, failures, retryAt]).to.equal(['closed', 0, null]);
    });

    it('are shown as they are, and closed by hand on every replica within a second', async () => {
        await breakCircuit();
        for (const app of [one, two]) {
            const { state, failures, retryAt } = (await stateOn(app)) ?? {};
            expect([state, failures]).to.equal(['open', 5]);
            expect(Date.parse(String(retryAt))).to.be.above(0);
            expect(await call(app)).to.equal('CIRCUIT_OPEN');
        }
        const { status, body } = await reset(name);
        expect([status, body.data]).to.equal([200, { breaker: { name, state: 'closed', failures: 0, retryAt: null } }]);
        provider.answer({ steps: ['data: {"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\n'] });
        expect(await call(one)).to.equal('answered');
        await advance();
        expect(await call(two)).to.equal('answered');
        expect(await stateOn(two)).to.equal({ name, state: 'closed', failures: 0, retryAt: null });
        const entries = (await readAudit(one, 'platform')).filter((entry) => entry.correlationId === body.requestId);
        expect(entries.map(({ action, resourceId, result }) => [action, resourceId, result])).to.equal([
            ['breaker.reset', name, 'intended'],
            ['breaker.reset', name, 'success'],
        ]);
    });

    it('are known by their whole names only', async () => {
        for (const other of ['openai', `${name}/`, 'nobody:http://127.0.0.1']) {
            expectError(await reset(other), 'BREAKER_NOT_FOUND');
        }
        expectFaults(await reset('x'.repeat(301)), ['name']);
    });

    it('are seen by platform admins, and reset by support and superadmins', async () => {
        const ada = await newTenant(one);
        const as = async (role: 'support' | 'finance') => (await newUser(one, 'platform', role)).accessToken;
        const [support, finance] = [await as('support'), await as('finance')];
        for (const role of [support, finance]) {
            expect((await one.call('GET', ROUTE, { token: role })).status).to.equal(200);
        }
        expect((await reset(name, { token: support })).status).to.equal(200);
        expectError(await reset(name, { token: finance }), 'FORBIDDEN');
        for (const path of ['GET', 'POST']) {
            const url = path === 'GET' ? ROUTE : `${ROUTE}/${encodeURIComponent(name)}/reset`;
            expectError(await one.call(path, url, { token: ada.accessToken }), 'FORBIDDEN');
            expectError(await one.call(path, url), 'UNAUTHENTICATED');
        }
    });
});

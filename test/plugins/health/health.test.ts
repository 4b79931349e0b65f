import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { randomAddress, startApp, type TestApp } from '../../helpers/app.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { startWithProvider } from '../../helpers/with-provider.ts';

import type { Provider } from '../../helpers/provider.ts';

export const lab = Lab.script();
const { describe, it, before, after, beforeEach } = lab;

const PATHS = ['/health', '/api/health', '/api/status/health'];
const LIMIT = 10;

describe('GET /health, /api/health, /api/status/health', () => {
    let app: TestApp;
    let provider: Provider;
    let stop: () => Promise<void>;

    before(async () => {
        ({ app, provider, stop } = await startWithProvider({ BUILD_COMMIT: 'abc123def456' }));
    });

    after(() => stop());

    beforeEach(() => app.advance(16_000));

    const absent = { anthropic: 'not_configured', google: 'not_configured' };
    const running = (models: object[]) => ({ steps: [JSON.stringify({ models })] });

    for (const path of PATHS) {
        it(`tell anybody how everything is (${path})`, async () => {
            provider.answer(running([{ name: 'gemma:2b', size: 1_000 }]));
            const { status, body } = await app.call('GET', path);
            expect(status).to.equal(200);
            const { uptime, services, ...rest } = body.data;
            expect(uptime).to.satisfy((seconds: number) => seconds >= 16);
            expect(services.database).to.include({
                status: 'healthy',
                provider: 'redis',
                memory: { used: null, isFull: false },
            });
            expect(services.database.latency).to.satisfy((milliseconds: number) => milliseconds > 0);
            expect(services.ollama).to.equal({
                status: 'loaded',
                models: [{ model: 'gemma:2b', memoryBytes: 1_000 }],
            });
            expect(services.externalApis).to.equal({ ...absent, openai: 'reachable' });
            const closed = { state: 'closed', failures: 0, retryAt: null };
            expect(rest).to.equal({
                status: 'healthy',
                circuits: { anthropic: closed, google: closed, ollama: closed, openai: closed },
                maintenance: { isOn: false, message: null },
                version: app.config.VERSION,
                environment: 'test',
            });
        });
    }

    it('tell that a provider is away, which degrades the system; a missing Ollama does not', async () => {
        provider.answer(({ path }) => (path === '/v1/models' ? { status: 500 } : running([])));
        const degraded = await app.call('GET', '/health');
        expect(degraded.body.data).to.include({ status: 'degraded' });
        expect(degraded.body.data.services.externalApis).to.equal({ ...absent, openai: 'unreachable' });

        provider.answer(({ path }) => (path === '/v1/models' ? running([]) : { status: 500 }));
        await app.advance(16_000);
        const healthy = await app.call('GET', '/health');
        expect(healthy.body.data.status).to.equal('healthy');
        expect(healthy.body.data.services.ollama).to.equal({ status: 'unreachable' });
    });

    it('tell that a provider without a key is not configured, which is healthy', async () => {
        const other = await startApp({ config: { OLLAMA_URL: provider.url, OPENAI_BASE_URL: provider.url } });
        const { body } = await other.call('GET', '/health');
        expect(body.data.status).to.equal('healthy');
        expect(body.data.services.externalApis).to.equal({ ...absent, openai: 'not_configured' });
        await other.stop();
    });

    it('ask the providers once in 15 seconds, by whatever path', async () => {
        provider.answer(running([]));
        provider.requests.length = 0;
        for (const path of PATHS) await app.call('GET', path);
        expect(provider.requests).to.have.length(2);
    });

    it('let an address ask the limited two ten times a minute together, and the first without end', () =>
        app.inNoTime(async () => {
            const from = randomAddress();
            const ask = async (path: string) => (await app.call('GET', path, { from })).status;
            const statuses = await Promise.all(
                Array.from({ length: 2 * LIMIT }, (_, index) => ask(PATHS[1 + (index % 2)] ?? '')),
            );
            expect(statuses.filter((status) => status === 200)).to.have.length(LIMIT);
            expect(statuses.filter((status) => status === 429)).to.have.length(LIMIT);
            const free = await Promise.all(Array.from({ length: 50 }, () => ask('/health')));
            expect(new Set(free)).to.equal(new Set([200]));
            expect((await app.call('GET', '/api/health')).status).to.equal(200);
        }));

    it('say how long to wait past the limit', () =>
        app.inNoTime(async () => {
            const from = randomAddress();
            for (let call = 0; call < LIMIT; call++) await app.call('GET', '/api/health', { from });
            const { status, headers, body } = await app.call('GET', '/api/status/health', { from });
            expect(status).to.equal(429);
            expect(body.error.code).to.equal('RATE_LIMITED');
            expect(Number(headers['retry-after'])).to.be.within(1, 60);
            expect(headers['x-ratelimit-limit']).to.equal('10');
        }));
});

describe('GET /health while Redis is away', () => {
    let redis: TestRedis;
    let app: TestApp;

    before(async () => {
        redis = await startRedis();
        app = await startApp({ redisPath: redis.path });
        await redis.stop();
    });

    after(() => app.stop());

    it('tells that the system is not healthy', async () => {
        const { status, body } = await app.call('GET', '/health');
        expect(status).to.equal(200);
        expect(body.data.status).to.equal('unhealthy');
        expect(body.data.services.database).to.equal({
            status: 'unhealthy',
            provider: 'redis',
            latency: null,
            memory: { used: null, isFull: false },
        });
    });
});

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { statusCache } from '../../../plugins/models/status-cache.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { cut, startProvider, type Provider, type ProviderAnswer } from '../../helpers/provider.ts';
import { startWithProvider } from '../../helpers/with-provider.ts';

import type { ProviderStatus } from '../../../plugins/models/api.ts';

export const lab = Lab.script();
const { describe, it, before, after, beforeEach } = lab;

describe('ModelService.statuses()', () => {
    let app: TestApp;
    let provider: Provider;
    let stop: () => Promise<void>;

    before(async () => {
        ({ app, provider, stop } = await startWithProvider({
            PROVIDER_KEYS_SHARED: {
                anthropic: 'sk-ant-of-the-test',
                openai: 'sk-of-the-test',
                google: 'AIza-test',
            },
        }));
    });

    after(() => stop());

    beforeEach(async () => {
        await app.advance(16_000);
        provider.requests.length = 0;
    });

    const json = (body: unknown, status = 200): ProviderAnswer => ({ status, steps: [JSON.stringify(body)] });
    const statusesWith = (answer: ProviderAnswer) => {
        provider.answer(answer);
        return app.server.plugins.models.statuses();
    };

    it('tells which local models are in memory', async () => {
        const running = { name: 'gemma:2b', model: 'gemma:2b', size: 2_254_857_830, size_vram: 0, expires_at: 'later' };
        const { ollama } = await statusesWith(json({ models: [running] }));
        expect(ollama).to.equal({ status: 'loaded', models: [{ model: 'gemma:2b', memoryBytes: 2_254_857_830 }] });
    });

    it('tells that Ollama is reachable without a model in memory', async () => {
        for (const models of [[], null, undefined]) {
            await app.advance(16_000);
            const { ollama } = await statusesWith(json({ models }));
            expect(ollama).to.equal({ status: 'reachable', models: [] });
        }
    });

    it('asks each provider with its key, and for nothing that costs', async () => {
        await statusesWith(json({}));
        const asked = provider.requests.map(({ method, path, headers }) => [
            `${method} ${path}`,
            headers.authorization ?? headers['x-api-key'] ?? headers['x-goog-api-key'],
        ]);
        expect(Object.fromEntries(asked)).to.equal({
            'GET /api/ps': undefined,
            'GET /v1/models': 'Bearer sk-of-the-test',
            'GET /of-anthropic/v1/models?limit=1': 'sk-ant-of-the-test',
            'GET /of-google/v1beta/models?pageSize=1': 'AIza-test',
        });
    });

    const failures: [what: string, answer: ProviderAnswer, keyed: ProviderStatus['status']][] = [
        ['answer 500', json({ error: 'x' }, 500), 'unreachable'],
        ['answer 503 in HTML', { status: 503, steps: ['<html>'] }, 'unreachable'],
        ['break off in the middle of an answer', { steps: ['{"mo', 5, cut] }, 'reachable'],
        ['answer 403 (a valid key with few rights, for OpenAI)', json({ error: 'x' }, 403), 'reachable'],
        ['answer 200 in HTML', { steps: ['<html>'] }, 'reachable'],
    ];
    for (const [what, answer, expected] of failures) {
        it(`knows providers that ${what}`, async () => {
            const { anthropic, google, ollama, openai } = await statusesWith(answer);
            expect(ollama).to.equal({ status: 'unreachable' });
            expect([anthropic, google, openai]).to.equal(Array(3).fill({ status: expected }));
        });
    }

    it('knows providers that are not there, the sandbox, and a missing key', async () => {
        const gone = await startProvider();
        await gone.stop();
        const other = await startApp({ config: { OLLAMA_URL: gone.url, OPENAI_BASE_URL: gone.url } });
        expect(await other.server.plugins.models.statuses()).to.equal({
            anthropic: { status: 'not_configured' },
            google: { status: 'not_configured' },
            ollama: { status: 'unreachable' },
            openai: { status: 'not_configured' },
            sandbox: { status: 'reachable' },
        });
        await other.stop();
    });

    it('asks once in 15 seconds, however many ask', async () => {
        provider.answer(json({ models: [] }));
        const { models } = app.server.plugins;
        await Promise.all(Array.from({ length: 20 }, () => models.statuses()));
        expect(provider.requests).to.have.length(4);
        await app.advance(16_000);
        await models.statuses();
        expect(provider.requests).to.have.length(8);
    });
});

describe('statusCache()', () => {
    it('keeps an answer for 15 seconds to the millisecond, a failure too', async () => {
        let now = 0;
        let asked = 0;
        const neverAsked = (async function* () {})();
        const status = () => {
            asked++;
            return Promise.reject(new Error('away'));
        };
        const statuses = statusCache({ ollama: { status, stream: () => neverAsked } }, () => now);
        for (const [at, times] of [
            [0, 1],
            [15_000, 1],
            [15_001, 2],
            [20_000, 2],
        ] as const) {
            now = at;
            expect(await statuses()).to.equal({ ollama: { status: 'unreachable' } });
            expect(asked, `at ${at}`).to.equal(times);
        }
    });
});

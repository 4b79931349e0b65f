import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type AppOptions, type TestApp } from '../../helpers/app.ts';
import { writeCatalogue } from '../../helpers/catalogue.ts';
import { newTenant } from '../../helpers/tenant.ts';

import type { PublicModel } from '../../../plugins/models/public-model.ts';

export const lab = Lab.script();
const { describe, it, afterEach } = lab;

describe('GET /api/models', () => {
    let app: TestApp;

    afterEach(() => app.stop());

    async function listWith(config: AppOptions['config'] = {}): Promise<PublicModel[]> {
        app = await startApp({ config });
        const { status, body } = await (await newTenant(app)).call('GET', '/api/models');
        expect(status).to.equal(200);
        return body.data.models;
    }

    it('lists the sandbox model, which anybody can use', async () => {
        const models = await listWith();
        expect(models.find(({ id }) => id === 'sandbox')).to.equal({
            id: 'sandbox',
            name: 'Sandbox (built in, deterministic)',
            provider: 'sandbox',
            aliases: [],
            apiKeyRequired: null,
            requiresLoading: false,
            capabilities: ['text'],
            contextLength: 32_768,
            maxOutput: 4_096,
            pricing: null,
            temperatureRange: { min: 0, max: 1, step: 0.1, default: 0.7 },
            usable: true,
            reason: null,
        });
    });

    it('lists local models as usable, and those of OpenAI as not usable without a key', async () => {
        const models = await listWith();
        expect(models.find(({ id }) => id === 'gemma-2b-local')).to.include({
            apiKeyRequired: null,
            requiresLoading: true,
            usable: true,
            reason: null,
        });
        const ofOpenAi = models.filter(({ provider }) => provider === 'openai');
        expect(ofOpenAi).to.not.be.empty();
        for (const model of ofOpenAi) {
            expect(model).to.include({ apiKeyRequired: 'openai', usable: false, reason: 'PROVIDER_KEY_MISSING' });
        }
    });

    for (const provider of ['anthropic', 'openai', 'google'] as const) {
        it(`lists the models of ${provider} as usable with a key of the platform, and those of others as not`, async () => {
            const models = await listWith({ PROVIDER_KEYS_SHARED: { [provider]: 'sk-of-the-test' } });
            for (const model of models.filter(({ apiKeyRequired }) => apiKeyRequired !== null)) {
                const usable = model.provider === provider;
                expect(model).to.include({ usable, reason: usable ? null : 'PROVIDER_KEY_MISSING' });
            }
            expect(JSON.stringify(models)).to.not.include('sk-of-the-test');
        });
    }

    it('lists no models of providers that cannot be called', async () => {
        const models = await listWith({ SANDBOX_MODEL: false });
        const providers = new Set(models.map(({ provider }) => provider));
        expect(providers).to.equal(new Set(['anthropic', 'openai', 'google', 'ollama'] as const));
    });

    it('lists the models of a catalogue of your own', async () => {
        const models = await listWith({ CATALOGUE_FILE: writeCatalogue([{ id: 'mine', aliases: ['my'] }]) });
        expect(models).to.have.length(1);
        expect(models[0]).to.include({ id: 'mine', aliases: ['my'], pricing: null });
    });

    it('shows the price of the day', async () => {
        const prices = [
            {
                validFrom: null,
                validUntil: new Date().toISOString().slice(0, 10),
                microsPerMillion: { input: 1, output: 2 },
            },
        ];
        const [model] = await listWith({ CATALOGUE_FILE: writeCatalogue([{ id: 'mine', prices }]) });
        expect(model?.pricing).to.equal({ input: 1, output: 2, unit: 'microsPerMillionTokens' });
        await app.advance(2 * 86_400_000);
        const { body } = await (await newTenant(app)).call('GET', '/api/models');
        expect(body.data.models[0].pricing).to.be.null();
    });

    it('refuses a request without a credential', async () => {
        app = await startApp();
        const { status, body } = await app.call('GET', '/api/models');
        expect(status).to.equal(401);
        expect(body.error.code).to.equal('UNAUTHENTICATED');
    });

    it('lets a user ask 60 times a minute', async () => {
        app = await startApp();
        const { status, headers } = await (await newTenant(app)).call('GET', '/api/models');
        expect(status).to.equal(200);
        expect(headers).to.include({ 'x-ratelimit-limit': '60', 'x-ratelimit-window': '60' });
    });
});

describe('The start', () => {
    it('is refused with the fault of a catalogue', async () => {
        const file = writeCatalogue([{ id: 'mine', provider: 'acme' }]);
        await expect(startApp({ config: { CATALOGUE_FILE: file } })).to.reject(Error, /CATALOGUE_FILE .*provider/);
    });
});

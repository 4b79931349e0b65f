import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { newKey } from '../../helpers/api-key.ts';
import { startApp, startReplicas, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { GIB, layer, StandInOllama, untilProgress } from '../../helpers/ollama.ts';
import { hold, type ProviderAnswer } from '../../helpers/provider.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const UNKNOWN = {
    loadProgress: null,
    memoryUsage: null,
    lastLoaded: null,
    estimatedLoadTime: null,
    reason: null,
    jobId: null,
};

describe('A local model', () => {
    let ollama: StandInOllama;
    let one: TestApp;
    let two: TestApp;
    let ada: TestTenant;

    before(async () => {
        ollama = await StandInOllama.start();
        [one, two] = await startReplicas({ config: { ...ollama.config(), OLLAMA_PULL: true } });
    });

    beforeEach(async () => {
        await later();
        ada = await newTenant(one);
    });

    after(async () => {
        await one.stop();
        await two.stop();
        await ollama.provider.stop();
    });

    /** What was known of Ollama is old then. */
    const later = async () => {
        for (const app of [one, two]) await app.advance(4_000);
    };
    const status = async (model: string, app = one) => {
        const answer = await app.call('GET', `/api/models/${model}/status`, { token: ada.accessToken });
        expect(answer.status, answer.text).to.equal(200);
        return answer.body.data;
    };
    const load = async (model: string) => (await ada.call('POST', `/api/models/${model}/load`)).body.data.jobId;
    const unload = (model: string, by = ada) => by.call('POST', `/api/models/${model}/unload`);
    /** Its stream ends with it. */
    const ended = async (model: string, jobId: string) => {
        const { status: code } = await ada.call('GET', `/api/models/${model}/load/stream?jobId=${jobId}`);
        expect(code).to.equal(200);
        await later();
    };

    describe('GET /api/models/{modelId}/status', () => {
        it('tells of one that waits to be loaded', async () => {
            const onDisk = ollama.diskModel();
            const elsewhere = ollama.newModel();
            for (const model of [onDisk, elsewhere]) {
                expect(await status(model)).to.equal({ ...UNKNOWN, modelId: model, status: 'not_loaded' });
            }
        });

        it('tells on any replica how far a load is, and afterwards what it takes', async () => {
            const model = ollama.newModel();
            const point = hold();
            ollama.pull = [layer('a', 1_000, 415), point];
            const jobId = await load(model);
            await untilProgress(two.redis, jobId, 41);
            const loading = { ...UNKNOWN, modelId: model, status: 'loading', loadProgress: 41, jobId };
            for (const app of [one, two]) expect(await status(model, app)).to.equal(loading);
            point.release();
            await ended(model, jobId);
            const { lastLoaded, ...loaded } = await status(model, two);
            expect(loaded).to.equal({
                modelId: model,
                status: 'loaded',
                loadProgress: 100,
                memoryUsage: '2.1GB',
                estimatedLoadTime: null,
                reason: null,
                jobId: null,
            });
            expect(new Date(lastLoaded).toISOString()).to.equal(lastLoaded);
            ollama.loaded.clear();
            await later();
            const unloaded = await status(model);
            expect(unloaded).to.include({ status: 'not_loaded', lastLoaded, loadProgress: null });
            expect(Number(unloaded.estimatedLoadTime)).to.be.at.least(1);
        });

        it('tells of one that Ollama has loaded by itself, and nothing that nobody knows', async () => {
            const model = ollama.diskModel();
            ollama.loaded.set(`${model}:latest`, 0.5 * GIB);
            const loaded = { ...UNKNOWN, modelId: model, status: 'loaded', loadProgress: 100 };
            expect(await status(model)).to.equal({ ...loaded, memoryUsage: '512MB' });
            ollama.loaded.set(`${model}:latest`, Number.NaN);
            await later();
            expect(await status(model)).to.equal(loaded);
        });

        it('asks Ollama once in three seconds', async () => {
            const model = ollama.diskModel();
            for (let times = 0; times < 5; times++) await status(model);
            expect(ollama.provider.requests.map(({ path }) => path).toSorted()).to.equal(['/api/ps', '/api/tags']);
            await later();
            await status(model);
            expect(ollama.provider.requests.length).to.equal(4);
        });

        it('takes models of providers as loaded when they can be called', async () => {
            expect(await status('sandbox')).to.equal({ ...UNKNOWN, modelId: 'sandbox', status: 'loaded' });
            expect(await status('remote')).to.equal({
                ...UNKNOWN,
                modelId: 'remote',
                status: 'unavailable',
                reason: 'PROVIDER_KEY_MISSING',
            });
        });

        it('is for whoever may read models, and knows no others', async () => {
            expectError(await ada.call('GET', '/api/models/none/status'), 'MODEL_NOT_FOUND');
            expectError(await one.call('GET', '/api/models/sandbox/status'), 'UNAUTHENTICATED');
            const { secret: token } = await newKey(ada, { scopes: ['thread:read'] });
            expectError(await one.call('GET', '/api/models/sandbox/status', { token }), 'FORBIDDEN');
        });
    });

    describe('POST /api/models/{modelId}/unload', () => {
        it('frees the memory, once, and tells of it', async () => {
            const model = ollama.diskModel();
            expect((await status(model)).status).to.equal('not_loaded');
            // By a call, which nobody here has seen yet.
            ollama.loaded.set(`${model}:latest`, GIB);
            for (let times = 0; times < 2; times++) {
                const answer = await unload(model);
                expect([answer.status, answer.body.data]).to.equal([200, { modelId: model, status: 'not_loaded' }]);
            }
            expect(ollama.chats().map(({ body }) => [body.model, body.messages, body.keep_alive])).to.equal([
                [model, [], 0],
            ]);
            expect((await status(model)).status).to.equal('not_loaded');
            const told = (await readAudit(one, ada.tenantId)).filter(({ action }) => action === 'model.unload');
            expect(told.map(({ resourceId, userId, result }) => [resourceId, userId, result])).to.equal([
                [model, ada.userId, 'success'],
            ]);
            const events = await one.redis.xrange(`tenant:{${ada.tenantId}}:events`, '-', '+');
            expect(events.filter(([, [, type]]) => type === 'model.unloaded').length).to.equal(1);
        });

        it('waits for no load that runs', async () => {
            const model = ollama.newModel();
            const point = hold();
            ollama.pull = [point];
            const jobId = await load(model);
            expect(expectError(await unload(model), 'MODEL_LOADING').details).to.equal({ jobId });
            point.release();
            await ended(model, jobId);
            expect((await unload(model)).status).to.equal(200);
        });

        it('is refused where there is nothing to unload, and to whoever may not', async () => {
            expectError(await unload('sandbox'), 'MODEL_NOT_LOADABLE');
            expectError(await unload('none'), 'MODEL_NOT_FOUND');
            expectError(await one.call('POST', '/api/models/sandbox/unload'), 'UNAUTHENTICATED');
            const { secret: token } = await newKey(ada, { scopes: ['model:read'] });
            expectError(await one.call('POST', '/api/models/sandbox/unload', { token }), 'FORBIDDEN');
        });

        for (const [how, answer, code] of [
            ['fails', { status: 500, steps: ['{"error":"no"}'] }, 'PROVIDER_ERROR'],
            ['breaks off', { steps: ['{"done":false}'] }, 'PROVIDER_ERROR'],
            ['has too much to do', { status: 503 }, 'PROVIDER_OVERLOADED'],
        ] as [string, ProviderAnswer, 'PROVIDER_ERROR' | 'PROVIDER_OVERLOADED'][]) {
            it(`says so when Ollama ${how}`, async () => {
                const model = ollama.diskModel();
                ollama.loaded.set(`${model}:latest`, GIB);
                ollama.load = () => answer;
                expectError(await unload(model), code);
                expect(await readAudit(one, ada.tenantId)).to.not.part.include({ action: 'model.unload' });
            });
        }
    });
});

describe('Where models are not fetched from the network', () => {
    let ollama: StandInOllama;
    let app: TestApp;
    let ada: TestTenant;

    before(async () => {
        ollama = await StandInOllama.start();
        app = await startApp({ config: { ...ollama.config(), OLLAMA_PULL: false } });
        ada = await newTenant(app);
    });

    after(async () => {
        await app.stop();
        await ollama.provider.stop();
    });

    it('a model that is not on the disk is unavailable and cannot be loaded', async () => {
        const model = ollama.newModel();
        const { body } = await ada.call('GET', `/api/models/${model}/status`);
        expect(body.data).to.equal({ ...UNKNOWN, modelId: model, status: 'unavailable', reason: 'MODEL_NOT_ON_DISK' });
        expectError(await ada.call('POST', `/api/models/${model}/load`), 'MODEL_NOT_ON_DISK');
        expect(ollama.pulls()).to.be.empty();
    });

    it('the others are loaded as everywhere', async () => {
        await app.advance(4_000);
        const model = ollama.diskModel();
        const url = `/api/models/${model}/load`;
        const { body } = await ada.call('POST', url);
        const { text } = await ada.call('GET', `${url}/stream?jobId=${body.data.jobId}`);
        expect(text).to.contain('event: complete');
        expect(ollama.pulls()).to.be.empty();
    });
});

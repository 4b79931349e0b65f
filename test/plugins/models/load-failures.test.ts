import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import { getGlobalDispatcher } from 'undici';

import { LoadStore } from '../../../plugins/models/load-store.ts';
import { Loads, type LoadsParts } from '../../../plugins/models/loads.ts';
import { OllamaModels } from '../../../plugins/models/providers/ollama-models.ts';
import { overHttp } from '../../../plugins/models/providers/over-http.ts';
import { Drain } from '../../../src/drain.ts';
import { newId } from '../../../src/ids.ts';
import { appendOutbox } from '../../../src/redis/append-outbox.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';
import { startApp, startReplicas, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { testModel } from '../../helpers/model.ts';
import { jsonLine, layer, StandInOllama, untilProgress } from '../../helpers/ollama.ts';
import { cut, hold, startProvider, type ProviderAnswer } from '../../helpers/provider.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { parseEvents } from '../../helpers/thread.ts';

import type { ErrorCode } from '../../../src/http/errors.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const LEASE_MS = 15_000;
const CALLER = { requestId: 'req_of_the_test', ipAddress: '127.0.0.1', userAgent: 'test' };
const FAILING: ProviderAnswer = { status: 500, steps: ['{"error":"out of memory"}'] };

describe('A load that goes wrong', () => {
    let ollama: StandInOllama;
    let one: TestApp;
    let two: TestApp;
    let ada: TestTenant;
    let offset = 0;

    before(async () => {
        ollama = await StandInOllama.start();
        [one, two] = await startReplicas({ config: ollama.config() });
    });

    beforeEach(async () => {
        // What was known of Ollama in the test before is old now.
        await later(4_000);
        ada = await newTenant(one);
    });

    after(async () => {
        await one.stop();
        await two.stop();
        await ollama.provider.stop();
    });

    const later = async (milliseconds: number) => {
        offset += milliseconds;
        for (const app of [one, two]) await app.advance(milliseconds);
    };
    /** A third replica, for a test that ends it. */
    const startAnother = async () => {
        const app = await startApp({ config: one.config });
        await app.advance(offset);
        return app;
    };
    const call = (app: TestApp, method: string, url: string) => app.call(method, url, { token: ada.accessToken });
    const load = async (model: string, app = one): Promise<string> => {
        const answer = await call(app, 'POST', `/api/models/${model}/load`);
        expect(answer.status, answer.text).to.equal(202);
        return answer.body.data.jobId;
    };
    /** All events of a load, to its end. */
    const followed = async (model: string, jobId: string, app = two) =>
        parseEvents((await call(app, 'GET', `/api/models/${model}/load/stream?jobId=${jobId}`)).text);
    const status = async (model: string) => (await call(two, 'GET', `/api/models/${model}/status`)).body.data;
    const told = async (by = two) => {
        const entries = await by.redis.xrange(`tenant:{${ada.tenantId}}:events`, '-', '+');
        const events = entries.flatMap(([, [, type = '', , data = '']]) =>
            type.startsWith('model') ? [[type, JSON.parse(data).code]] : [],
        );
        const audit = (await readAudit(two, ada.tenantId)).filter(({ action }) => action === 'model.load');
        return { events, audit: audit.map(({ result }) => result) };
    };
    const untilTold = async () => {
        while ((await told()).audit.length === 0);
        return told();
    };

    for (const [how, answer] of [
        ['an answer of 500', FAILING],
        ['an error in the middle', { steps: [layer('a', 10, 5), jsonLine({ error: 'connection reset' })] }],
        ['a connection that breaks', { steps: [layer('a', 10, 5), cut] }],
        ['an end without success', { steps: [layer('a', 10, 5)] }],
        ['what is no JSON', { steps: ['<html>\n'] }],
    ] as [string, ProviderAnswer][]) {
        it(`is tried again after ${how}, and is well when that is`, async () => {
            const model = ollama.newModel();
            ollama.pull = (times) => (times < 3 ? answer : undefined);
            const events = await followed(model, await load(model));
            expect(events.at(-1)?.event).to.equal('complete');
            expect([ollama.pulls().length, ollama.chats().length]).to.equal([3, 1]);
            expect(await untilTold()).to.equal({ events: [['model.loaded', undefined]], audit: ['success'] });
        });
    }

    it('ends with an error after three tries, and a new one may succeed', async () => {
        const model = ollama.newModel();
        ollama.load = () => FAILING;
        const jobId = await load(model);
        const last = (await followed(model, jobId)).at(-1);
        expect(last).to.include({ event: 'error' });
        expect(last?.data).to.include({ modelId: model, jobId });
        expect(last?.data.error).to.include({ code: 'PROVIDER_ERROR', statusCode: 502 });
        // What was fetched is not fetched again.
        expect([ollama.pulls().length, ollama.chats().length]).to.equal([1, 3]);
        expect(await status(model)).to.include({ status: 'error', reason: 'PROVIDER_ERROR', jobId: null });
        expect(await untilTold()).to.equal({
            events: [['model.load_failed', 'PROVIDER_ERROR']],
            audit: ['PROVIDER_ERROR'],
        });
        ollama.load = [];
        const again = await load(model);
        expect(again).to.not.equal(jobId);
        expect((await followed(model, again)).at(-1)?.event).to.equal('complete');
        await later(4_000);
        expect(await status(model)).to.include({ status: 'loaded', reason: null });
    });

    it('is not tried again where that makes no sense', async () => {
        const model = ollama.diskModel();
        ollama.load = () => ({ status: 404, steps: ['{"error":"no such model"}'] });
        const { data } = (await followed(model, await load(model))).at(-1) ?? {};
        expect(data.error).to.include({ code: 'PROVIDER_REFUSED' });
        expect(ollama.chats().length).to.equal(1);
    });

    /** A load that a process has begun, half-way through its pull, and then `two` thinks it long dead. */
    const orphaned = async (app: TestApp) => {
        const model = ollama.newModel();
        const point = hold();
        ollama.pull = [layer('a', 100, 50), point, layer('a', 100, 80), hold()];
        const jobId = await load(model, app);
        await untilProgress(two.redis, jobId, 50);
        const [pull] = ollama.pulls();
        return { model, jobId, point, pull };
    };

    for (const [where, ask] of [
        ['in its stream', (model: string, jobId: string) => followed(model, jobId)],
        ['for the status', (model: string) => status(model)],
        ['for another load', (model: string) => load(model, two)],
    ] as const) {
        it(`of a process that died ends with its lease when somebody asks ${where}, and the next begins anew`, async () => {
            const dying = await startAnother();
            const { model, jobId } = await orphaned(dying);
            dying.redis.disconnect();
            await later(LEASE_MS + 1_000);
            ollama.pull = [];
            let answer = await ask(model, jobId);
            // Another replica may be about to end it at this very moment.
            if (answer === jobId || 'loading' === Object(answer).status) {
                await sleep(200);
                answer = await ask(model, jobId);
            }
            const { event, data } = (await followed(model, jobId)).at(-1) ?? {};
            expect(event).to.equal('error');
            expect(data.error).to.include({ code: 'LOAD_INTERRUPTED', statusCode: 503 });
            const { events, audit } = await untilTold();
            // The load that was asked for may be over by now, and be told of as well.
            expect(events.filter(([type]) => type !== 'model.loaded')).to.equal([
                ['model.load_failed', 'LOAD_INTERRUPTED'],
            ]);
            expect(audit.filter((result) => result !== 'success')).to.equal(['LOAD_INTERRUPTED']);
            if ('reason' in Object(answer)) expect(answer).to.include({ status: 'error', reason: 'LOAD_INTERRUPTED' });
            const next = typeof answer === 'string' ? answer : await load(model, two);
            expect(next).to.not.equal(jobId);
            expect((await followed(model, next)).at(-1)?.event).to.equal('complete');
            await dying.stop();
        });
    }

    it('stops at the next step when another process has ended it, and ends nothing once more', async () => {
        const slow = await startAnother();
        const { model, jobId, point, pull } = await orphaned(slow);
        await later(LEASE_MS + 1_000);
        await followed(model, jobId);
        expect(await status(model)).to.include({ status: 'error' });
        point.release();
        await pull?.aborted;
        await slow.stop();
        expect((await followed(model, jobId)).filter(({ event }) => event === 'error').length).to.equal(1);
        expect((await untilTold()).audit).to.equal(['LOAD_INTERRUPTED']);
    });

    it('is interrupted when its process is about to stop, which begins no other', async () => {
        const stopping = await startAnother();
        const { model, jobId, pull } = await orphaned(stopping);
        stopping.drain.begin();
        expectError(await call(stopping, 'POST', `/api/models/${model}/load`), 'SHUTTING_DOWN');
        await stopping.drain.finish(AbortSignal.timeout(10_000));
        await pull?.aborted;
        const { data } = (await followed(model, jobId)).at(-1) ?? {};
        expect(data.error).to.include({ code: 'LOAD_INTERRUPTED' });
        expect((await told()).audit).to.equal(['LOAD_INTERRUPTED']);
        await stopping.stop();
    });

    const failing = () => Promise.reject(new Error('Not told'));
    const loadsWith = (parts: Partial<LoadsParts>) =>
        new Loads({
            store: new LoadStore(one.store),
            local: new OllamaModels(overHttp(getGlobalDispatcher(), ollama.provider.url)),
            mayPull: true,
            appendOutbox: appendOutbox(one.store),
            onChange: () => undefined,
            drain: new Drain(),
            logger: createLogger({ level: 'silent', pretty: false }),
            ...parts,
        });

    describe('within one process', () => {
        const begin = (loads: Loads, id: string) => {
            const caller = { ...CALLER, tenantId: ada.tenantId, userId: ada.userId };
            const model = testModel({ id, provider: 'ollama', requiresLoading: true });
            return loads.begin({ jobId: newId('job'), modelId: id, caller }, model);
        };

        it('ends when its time is over', async () => {
            const loads = loadsWith({ timeoutMs: 50 });
            const model = ollama.newModel();
            ollama.pull = [hold()];
            const { data } = (await followed(model, await begin(loads, model))).at(-1) ?? {};
            expect(data.error).to.include({ code: 'PROVIDER_TIMEOUT' });
            await ollama.pulls()[0]?.aborted;
            expect((await untilTold()).audit).to.equal(['PROVIDER_TIMEOUT']);
            await loads.stop();
        });

        it('is told of later by another where it could not be told of at once', async () => {
            const loads = loadsWith({ appendOutbox: failing });
            const model = ollama.diskModel();
            await followed(model, await begin(loads, model));
            await loads.stop();
            expect((await told()).audit).to.equal([]);
            const other = loadsWith({ store: new LoadStore(two.store) });
            await other.sweep();
            expect((await told()).audit).to.equal([]);
            await later(LEASE_MS + 1_000);
            for (let times = 0; times < 2; times++) await other.sweep();
            expect(await untilTold()).to.equal({ events: [['model.loaded', undefined]], audit: ['success'] });
            await other.stop();
        });

        it('is not fetched where that is not allowed', async () => {
            const loads = loadsWith({ mayPull: false });
            const model = ollama.newModel();
            const { data } = (await followed(model, await begin(loads, model))).at(-1) ?? {};
            expect(data.error).to.include({ code: 'MODEL_NOT_ON_DISK' });
            expect(ollama.pulls()).to.be.empty();
            await loads.stop();
        });
    });

    it('is ended also when Redis was away at its end', async () => {
        const other = await startAnother();
        const model = ollama.newModel();
        const [half, most] = [hold(), hold()];
        ollama.pull = [layer('a', 100, 50), half, layer('a', 100, 80), most];
        const jobId = await load(model, other);
        await untilProgress(two.redis, jobId, 50);
        other.redis.disconnect();
        half.release();
        await most.reached;
        most.release();
        const isWarned = () => other.logs.filter(({ msg }) => String(msg).startsWith('A load could not')).length >= 3;
        while (!isWarned()) await sleep(10);
        await other.redis.connect();
        const events = await followed(model, jobId);
        expect(events.at(-1)?.event).to.equal('complete');
        expect(events.map(({ id }) => Number(id))).to.equal(events.map((_, at) => at + 1));
        expect(await untilTold()).to.equal({ events: [['model.loaded', undefined]], audit: ['success'] });
        await other.stop();
    });

    it('is forgotten when it is gone before anybody could end it', async () => {
        const leases = 'tenant:{platform}:model-loads';
        const jobId = newId('job');
        await two.redis.zadd(leases, 1, jobId);
        const loads = loadsWith({});
        await loads.sweep();
        await loads.stop();
        // Unless another replica was faster, and is about to.
        while ((await two.redis.zscore(leases, jobId)) !== null) await sleep(10);
    });

    it('is none where Ollama is away, fails, is busy or says nothing', async () => {
        const gone = await startProvider();
        const app = await startApp({ config: { ...one.config, OLLAMA_URL: gone.url } });
        const model = ollama.diskModel();
        const refused = async (answer: ProviderAnswer, code: ErrorCode) => {
            gone.answer(answer);
            await app.advance(4_000);
            const eve = await newTenant(app);
            expectError(await eve.call('POST', `/api/models/${model}/load`), code);
            const { body } = await eve.call('GET', `/api/models/${model}/status`);
            expect(body.data).to.include({ status: 'unavailable', reason: code, loadProgress: null });
        };
        await refused({ status: 404 }, 'PROVIDER_ERROR');
        await refused({ status: 503 }, 'PROVIDER_OVERLOADED');
        await refused({ steps: ['<html>'] }, 'PROVIDER_ERROR');
        await refused({ steps: [hold()] }, 'PROVIDER_TIMEOUT');
        await gone.stop();
        await refused({}, 'PROVIDER_ERROR');
        expect(await status(model)).to.include({ status: 'not_loaded' });
        await app.stop();
    });

    it('is not ended where Ollama refuses to, or says nothing', async () => {
        const other = await startProvider();
        const app = await startApp({ config: { ...one.config, OLLAMA_URL: other.url } });
        const model = ollama.newModel();
        const eve = await newTenant(app);
        const refused = async (answer: Parameters<typeof other.answer>[0], code: ErrorCode) => {
            other.answer(answer);
            expectError(await eve.call('POST', `/api/models/${model}/unload`), code);
        };
        const listed = jsonLine({ models: [{ name: `${model}:latest`, size: 1 }] });
        const refusing = { status: 400, steps: ['{"error":"not now"}'] };
        await refused(({ path }) => (path === '/api/chat' ? refusing : { steps: [listed] }), 'PROVIDER_REFUSED');
        await refused({ steps: [hold()] }, 'PROVIDER_TIMEOUT');
        await app.stop();
        await other.stop();
    });
});

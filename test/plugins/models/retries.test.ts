import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { supervised } from '../../../plugins/models/supervise.ts';
import { apiError, type ApiError, type ErrorCode } from '../../../src/http/errors.ts';
import { adapterOf } from '../../helpers/adapter.ts';
import { testConfig } from '../../helpers/app.ts';
import { newCaller, type CallerOptions, type TestCaller } from '../../helpers/model-caller.ts';
import { failureOf, testCall, testModel, wholeAnswer } from '../../helpers/model.ts';
import { cut, hold, startProvider, type Provider, type ProviderAnswer, type Step } from '../../helpers/provider.ts';

import type { ModelProvider } from '../../../plugins/models/api.ts';

export const lab = Lab.script();
const { describe, it, before, after, beforeEach, afterEach } = lab;

const delta = (content: string, finish: string | null = null) =>
    `data: ${JSON.stringify({ choices: [{ delta: { content }, finish_reason: finish }] })}\n\n`;
const FINE: ProviderAnswer = { steps: [delta('Fine', 'stop')] };
const ERROR_EVENT = 'data: {"error":{"message":"No"}}\n\n';
const never = () => new AbortController().signal;

describe('ModelService.open() with a provider that fails', () => {
    let provider: Provider;
    let opened: TestCaller[];
    let slept: number[];

    before(async () => {
        provider = await startProvider();
    });

    after(() => provider.stop());

    beforeEach(() => {
        provider.requests.length = 0;
        opened = [];
        slept = [];
    });

    afterEach(() => {
        for (const { stop } of opened) stop();
    });

    const start = async (options: Partial<CallerOptions> = {}) => {
        const sleep = (milliseconds: number) => Promise.resolve(slept.push(milliseconds));
        const made = await newCaller({ openai: provider.url, random: () => 0.5, sleep, ...options });
        opened.push(made);
        return made;
    };
    const open = async (options: Partial<CallerOptions> = {}, signal = never()) =>
        (await start(options)).caller.open([testCall(testModel())], signal);
    const refusal = (promise: Promise<unknown>) => expect(promise).to.reject() as Promise<ApiError>;

    const kinds: [what: string, answer: ProviderAnswer, code: ErrorCode, requests: number][] = [
        ['400', { status: 400 }, 'PROVIDER_REFUSED', 1],
        ['401', { status: 401 }, 'PROVIDER_KEY_INVALID', 1],
        ['403', { status: 403 }, 'PROVIDER_KEY_INVALID', 1],
        ['404', { status: 404 }, 'PROVIDER_REFUSED', 1],
        ['422', { status: 422 }, 'PROVIDER_REFUSED', 1],
        ['302', { status: 302 }, 'PROVIDER_ERROR', 1],
        ['418', { status: 418 }, 'PROVIDER_ERROR', 1],
        ['429 of the rate', { status: 429 }, 'PROVIDER_RATE_LIMITED', 3],
        ['500', { status: 500 }, 'PROVIDER_ERROR', 3],
        ['502', { status: 502 }, 'PROVIDER_ERROR', 3],
        ['503', { status: 503 }, 'PROVIDER_OVERLOADED', 3],
        ['529', { status: 529 }, 'PROVIDER_OVERLOADED', 3],
        ['a connection cut before the first part', { steps: [cut] }, 'PROVIDER_ERROR', 3],
        ['an answer that ends before the first part', {}, 'PROVIDER_ERROR', 3],
        ['garbage', { steps: ['data: <html>\n\n'] }, 'PROVIDER_ERROR', 3],
        ['an error event after 200', { steps: [ERROR_EVENT] }, 'PROVIDER_ERROR', 3],
    ];
    for (const [what, answer, code, requests] of kinds) {
        it(`calls it ${requests === 1 ? 'once' : 'three times'} for ${what}`, async () => {
            provider.answer(answer);
            const error = await refusal(open());
            expect(error.data?.code).to.equal(code);
            expect(provider.requests).to.have.length(requests);
            expect(slept).to.equal(requests === 1 ? [] : [50, 100]);
        });
    }

    it('calls it three times where nothing listens', async () => {
        const gone = await startProvider();
        await gone.stop();
        const error = await refusal(open({ openai: gone.url }));
        expect(error.data?.code).to.equal('PROVIDER_ERROR');
        expect(slept).to.have.length(2);
    });

    for (const [what, steps] of [
        ['is cut', [delta('Half'), 20, cut]],
        ['has an error event', [delta('Half'), ERROR_EVENT]],
        ['has garbage', [delta('Half'), 'data: <html>\n\n']],
    ] as [string, Step[]][]) {
        it(`calls it once for an answer that ${what} after the first part`, async () => {
            provider.answer({ steps });
            const { parts } = await open();
            const { error, text } = await failureOf(parts);
            expect([error.data?.code, text]).to.equal(['PROVIDER_ERROR', 'Half']);
            expect(provider.requests).to.have.length(1);
        });
    }

    it('calls it once for a 429 whose details say that the quota is used up', async () => {
        let calls = 0;
        const stub: ModelProvider = {
            // oxlint-disable-next-line require-yield -- it fails before its first part
            async *stream() {
                calls++;
                throw apiError('PROVIDER_RATE_LIMITED', { details: { reason: 'quota' } });
            },
            status: () => Promise.resolve({ status: 'reachable' }),
        };
        const error = await refusal(open({ providers: { openai: stub } }));
        expect(error.data).to.equal({ code: 'PROVIDER_RATE_LIMITED', details: { reason: 'quota' } });
        expect(calls).to.equal(1);
    });

    it('gives the answer of the second or third try, and says in the log what went before', async () => {
        for (const failures of [1, 2]) {
            provider.requests.length = 0;
            provider.answer(() => (provider.requests.length <= failures ? { status: 529 } : FINE));
            const { caller, logs } = await start();
            const { call, parts } = await caller.open([testCall(testModel())], never());
            expect(await wholeAnswer(parts)).to.include({ text: 'Fine', finish: 'stop' });
            expect(call.model.id).to.equal('test-model');
            expect(provider.requests).to.have.length(failures + 1);
            const tries = logs.filter(({ attempt }) => attempt !== undefined);
            expect(tries).to.have.length(failures);
            const known = { module: 'models', provider: 'openai', code: 'PROVIDER_OVERLOADED' };
            for (const [index, line] of tries.entries()) {
                expect(line).to.include({ ...known, attempt: index + 1, requestId: 'req_of_the_test' });
            }
        }
    });

    it('waits for anything between nothing and 100 ms, then 200 ms', async () => {
        provider.answer({ status: 500 });
        await refusal(open({ random: () => 0 }));
        await refusal(open({ random: () => 0.999 }));
        expect(slept).to.equal([0, 0, 99.9, 199.8]);
        slept = [];
        await refusal(open({ random: Math.random }));
        expect(slept[0] ?? -1).to.be.within(0, 100);
        expect(slept[1] ?? -1).to.be.within(0, 200);
    });

    it('waits for the Retry-After of the provider where it is no longer than 10 s', async () => {
        for (const [status, retryAfter, delays] of [
            [429, '7', [7_050, 7_100]],
            [503, '10', [10_000, 10_000]],
            [429, '0', [50, 100]],
        ] as const) {
            slept = [];
            provider.answer({ status, headers: { 'retry-after': retryAfter } });
            const error = await refusal(open());
            expect(slept, retryAfter).to.equal([...delays]);
            expect(error.output.headers['retry-after']).to.equal(Number(retryAfter));
        }
    });

    it('hands a longer Retry-After on at once', async () => {
        provider.answer({ status: 429, headers: { 'retry-after': '11' } });
        const error = await refusal(open());
        expect(error.output.headers['retry-after']).to.equal(11);
        expect(provider.requests).to.have.length(1);
    });

    it('does not wait for longer than there is time for the first part', async () => {
        provider.answer({ status: 429, headers: { 'retry-after': '5' } });
        const error = await refusal(open({ timeouts: { first: 5_000, total: 300_000 } }));
        expect(error.data?.code).to.equal('PROVIDER_RATE_LIMITED');
        expect(slept).to.be.empty();
    });

    it('does not try again when the first part did not come in time', async () => {
        provider.answer({ steps: [delta(''), hold()] });
        const error = await refusal(open({ timeouts: { first: 200, total: 300_000 } }));
        expect(error.data?.code).to.equal('PROVIDER_TIMEOUT');
        await provider.requests[0]?.aborted;
        expect(provider.requests).to.have.length(1);
    });

    it('has one time for the first part of all tries together', async () => {
        let began = 0;
        const wait = () => new Promise((resolve) => setTimeout(resolve, 2_000));
        provider.answer(() => {
            if (provider.requests.length === 1) return { status: 500 };
            began = performance.now();
            return { steps: [hold()] };
        });
        const error = await refusal(open({ sleep: wait, timeouts: { first: 4_000, total: 300_000 } }));
        expect(error.data?.code).to.equal('PROVIDER_TIMEOUT');
        expect(provider.requests).to.have.length(2);
        expect(performance.now() - began).to.be.below(3_900);
    });

    it('ends a wait as soon as the signal is aborted, and calls nobody after it', async () => {
        provider.answer({ status: 503, headers: { 'retry-after': '10' } });
        const stop = new AbortController();
        const began = performance.now();
        const { caller, logs, stop: end } = await newCaller({ openai: provider.url });
        const call = testCall(testModel());
        const opening = caller.open([call, testCall(testModel({ provider: 'ollama' }))], stop.signal);
        const failed = expect(opening).to.reject('enough');
        while (!logs.some(({ attempt }) => attempt === 1)) await new Promise(setImmediate);
        stop.abort(new Error('enough'));
        await failed;
        expect(performance.now() - began).to.be.below(9_000);
        expect(provider.requests).to.have.length(1);
        end();
    });

    it('calls nobody again when the signal was aborted while a provider was asked', async () => {
        const point = hold();
        provider.answer({ steps: [point] });
        const stop = new AbortController();
        const failed = expect(open({}, stop.signal)).to.reject('enough');
        await point.reached;
        stop.abort(new Error('enough'));
        await failed;
        expect(provider.requests).to.have.length(1);
        expect(slept).to.be.empty();
    });
});

describe('supervised()', () => {
    it('leaves a try the time that earlier ones have not taken', async () => {
        const provider = await startProvider({ steps: [hold()] });
        const adapter = adapterOf({ ...testConfig(), OPENAI_BASE_URL: provider.url }, 'openai');
        for (const timeouts of [
            { first: 600_100, total: 1_200_000 },
            { first: 1_200_000, total: 600_100 },
        ]) {
            const parts = supervised(adapter, testCall(testModel()), never(), timeouts, 600_000);
            expect((await failureOf(parts)).error.data?.code).to.equal('PROVIDER_TIMEOUT');
        }
        await provider.stop();
    });
});

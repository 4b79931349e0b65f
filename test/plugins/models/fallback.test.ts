import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { newCaller, type CallerOptions, type TestCaller } from '../../helpers/model-caller.ts';
import { failureOf, testCall, testModel, wholeAnswer } from '../../helpers/model.ts';
import { cut, fixture, hold, startProvider, type Provider, type ProviderAnswer } from '../../helpers/provider.ts';

import type { ApiError } from '../../../src/http/errors.ts';

export const lab = Lab.script();
const { describe, it, before, after, beforeEach, afterEach } = lab;

const delta = (content: string) => `data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`;
const FINE: ProviderAnswer = { steps: [fixture('ollama-chat.ndjson')] };
const never = () => new AbortController().signal;

describe('ModelService.open() with more than one call', () => {
    let first: Provider;
    let second: Provider;
    let opened: TestCaller[] = [];

    before(async () => {
        first = await startProvider();
        second = await startProvider();
    });

    after(async () => {
        await first.stop();
        await second.stop();
    });

    beforeEach(() => {
        first.requests.length = 0;
        second.requests.length = 0;
        second.answer(FINE);
    });

    afterEach(() => {
        for (const { stop } of opened) stop();
        opened = [];
    });

    const start = async (options: Partial<CallerOptions> = {}) => {
        const sleep = () => Promise.resolve();
        const made = await newCaller({ openai: first.url, ollama: second.url, sleep, ...options });
        opened.push(made);
        return made;
    };
    const calls = (): Parameters<TestCaller['caller']['open']>[0] => [
        testCall(testModel({ id: 'one' })),
        testCall(testModel({ id: 'two', provider: 'ollama' })),
    ];
    const open = async (options: Partial<CallerOptions> = {}, signal = never()) =>
        (await start(options)).caller.open(calls(), signal);
    const refusal = (promise: Promise<unknown>) => expect(promise).to.reject() as Promise<ApiError>;
    const asked = () => [first.requests.length, second.requests.length];

    it('asks the first alone where it answers', async () => {
        first.answer({ steps: [fixture('openai-chat.sse')] });
        const { call, parts } = await open();
        await wholeAnswer(parts);
        expect(call.model.id).to.equal('one');
        expect(asked()).to.equal([1, 0]);
    });

    for (const [what, answer, requests] of [
        ['401', { status: 401 }, 1],
        ['429', { status: 429 }, 3],
        ['429 for an hour', { status: 429, headers: { 'retry-after': '3600' } }, 1],
        ['500', { status: 500 }, 3],
        ['529', { status: 529 }, 3],
        ['a connection that is cut', { steps: [cut] }, 3],
        ['garbage', { steps: ['data: <html>\n\n'] }, 3],
    ] as [string, ProviderAnswer, number][]) {
        it(`asks the next after ${what}, and says which one answers`, async () => {
            first.answer(answer);
            const { caller, logs } = await start();
            const { call, parts } = await caller.open(calls(), never());
            expect(call.model.id).to.equal('two');
            expect((await wholeAnswer(parts)).finish).to.equal('stop');
            expect(asked()).to.equal([requests, 1]);
            expect(logs.at(-1)).to.include({ module: 'models', provider: 'openai', model: 'one' });
        });
    }

    it('asks the next after a first part that did not come, and gives it as much time', async () => {
        first.answer({ steps: [hold()] });
        second.answer({ steps: [700, fixture('ollama-chat.ndjson')] });
        const { call, parts } = await open({ timeouts: { first: 1_000, total: 300_000 } });
        expect(call.model.id).to.equal('two');
        expect((await wholeAnswer(parts)).finish).to.equal('stop');
        expect(asked()).to.equal([1, 1]);
    });

    it('asks the next at once while the circuit of the first is open', async () => {
        first.answer({ status: 500 });
        const { caller } = await start();
        for (const _call of [1, 2]) await refusal(caller.open([calls()[0]], never()));
        expect((await refusal(caller.open([calls()[0]], never()))).data?.code).to.equal('CIRCUIT_OPEN');
        first.requests.length = 0;
        expect((await caller.open(calls(), never())).call.model.id).to.equal('two');
        expect(asked()).to.equal([0, 1]);
    });

    it('asks nobody else where the provider did not like the request', async () => {
        first.answer({ status: 400, steps: ['{"error":{"message":"Not that"}}'] });
        const error = await refusal(open());
        expect(error.data).to.equal({
            code: 'PROVIDER_REFUSED',
            details: { providerStatus: 400, reason: 'Not that' },
        });
        expect(asked()).to.equal([1, 0]);
    });

    it('asks nobody else once the signal is aborted', async () => {
        const point = hold();
        first.answer({ steps: [point] });
        const stop = new AbortController();
        const failed = expect(open({}, stop.signal)).to.reject('enough');
        await point.reached;
        stop.abort(new Error('enough'));
        await failed;
        expect(asked()).to.equal([1, 0]);
    });

    it('asks nobody else once the answer has begun', async () => {
        first.answer({ steps: [delta('Half'), 20, cut] });
        const { call, parts } = await open();
        expect((await failureOf(parts)).text).to.equal('Half');
        expect(call.model.id).to.equal('one');
        expect(asked()).to.equal([1, 0]);
    });

    it('fails with what the first failed with where none answers', async () => {
        first.answer({ status: 429, headers: { 'retry-after': '30' } });
        for (const status of [500, 400]) {
            second.answer({ status });
            const error = await refusal(open());
            expect(error.data?.code).to.equal('PROVIDER_RATE_LIMITED');
            expect(error.output.headers['retry-after']).to.equal(30);
        }
        expect(asked()).to.equal([2, 4]);
    });
});

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from '../../helpers/app.ts';
import { closeCircuits } from '../../helpers/circuits.ts';
import { failureOf, testCall, testModel, wholeAnswer } from '../../helpers/model.ts';
import { cut, hold, startProvider, type Provider, type ProviderAnswer } from '../../helpers/provider.ts';

import type { ApiError } from '../../../src/http/errors.ts';

export const lab = Lab.script();
const { describe, it, before, after, beforeEach } = lab;

const delta = (content: string, finish: string | null = null) =>
    `data: ${JSON.stringify({ choices: [{ delta: { content }, finish_reason: finish }] })}\n\n`;
const FINE: ProviderAnswer = { steps: [delta('Fine', 'stop')] };
/** Not tried again: one request, one failure. */
const FAILING: ProviderAnswer = { status: 503, headers: { 'retry-after': '20' } };
const OPEN_MS = 60_000;

describe('The circuit of a provider, on two replicas', () => {
    let provider: Provider;
    let one: TestApp;
    let two: TestApp;
    let name: string;

    before(async () => {
        provider = await startProvider();
        const config = { OPENAI_BASE_URL: `${provider.url}/v1`, PROVIDER_KEYS_SHARED: { openai: 'sk-of-the-test' } };
        one = await startApp({ config });
        two = await startApp({ config });
        name = `openai:${provider.url}`;
    });

    after(async () => {
        await one.stop();
        await two.stop();
        await provider.stop();
    });

    const advance = async (milliseconds: number) => {
        await one.advance(milliseconds);
        await two.advance(milliseconds);
    };

    beforeEach(async () => {
        await advance(1_000);
        await closeCircuits(one.server.plugins.models);
        await advance(1_000);
        provider.requests.length = 0;
    });

    const open = (on: TestApp, signal = new AbortController().signal) =>
        on.server.plugins.models.open([testCall(testModel())], signal);
    const answer = async (on: TestApp) => (await wholeAnswer((await open(on)).parts)).text;
    const refusal = async (on: TestApp): Promise<ApiError> => expect(open(on)).to.reject() as Promise<ApiError>;
    const codeOf = async (on: TestApp) => (await refusal(on)).data?.code;
    const stateOn = async (on: TestApp) => (await on.server.plugins.models.circuits())[name];

    const fail = async (times: number, on = one, answerWith = FAILING) => {
        provider.answer(answerWith);
        for (let n = 0; n < times; n++) expect(await codeOf(on)).to.not.equal('CIRCUIT_OPEN');
    };
    const openCircuit = async () => {
        await fail(5);
        await advance(1_000);
        provider.answer(FINE);
        provider.requests.length = 0;
    };

    it('is closed and clean for a provider that answers', async () => {
        provider.answer(FINE);
        expect(await answer(one)).to.equal('Fine');
        expect(await stateOn(two)).to.equal({ state: 'closed', failures: 0, retryAt: null });
    });

    it('opens after five failures of both together, and on both within a second', async () => {
        await fail(3);
        await fail(2, two);
        expect(await codeOf(two)).to.equal('CIRCUIT_OPEN');
        await advance(1_000);
        provider.answer(FINE);
        for (const app of [one, two]) {
            const error = await refusal(app);
            expect(error.data).to.equal({ code: 'CIRCUIT_OPEN', details: { provider: 'openai' } });
            expect(Number(error.output.headers['retry-after'])).to.be.within(40, 59);
            const { state, failures, retryAt } = (await stateOn(app)) ?? {};
            expect([state, failures]).to.equal(['open', 5]);
            expect(Date.parse(String(retryAt))).to.be.above(0);
        }
        expect(provider.requests).to.have.length(5);
        expect(one.logs.concat(two.logs).filter(({ msg }) => msg === 'The circuit has opened')).to.have.length(1);
    });

    for (const [what, failing] of [
        ['5xx', { ...FAILING, status: 500 }],
        ['answers that are no answer', { steps: ['data: <html>\n\n'] }],
        ['connections that are cut', { steps: [cut] }],
    ] as [string, ProviderAnswer][]) {
        it(`ends the tries of a call when it opens: five requests for ${what}`, async () => {
            provider.answer(failing);
            const codes = [];
            for (let call = 0; call < 6; call++) codes.push(await codeOf(one));
            expect(codes.filter((code) => code === 'PROVIDER_ERROR').length).to.be.within(2, 5);
            expect(codes.at(-1)).to.equal('CIRCUIT_OPEN');
            expect(provider.requests).to.have.length(5);
        });
    }

    it('counts answers that break off in the middle', async () => {
        provider.answer({ steps: [delta('Half'), 5, cut] });
        for (let call = 0; call < 5; call++) await failureOf((await open(one)).parts);
        expect(await codeOf(one)).to.equal('CIRCUIT_OPEN');
    });

    it('counts neither refusals of the request, nor of the key, nor limits of the rate, nor what was stopped', async () => {
        for (const status of [400, 401, 403, 422, 429]) await fail(5, one, { ...FAILING, status });
        for (let call = 0; call < 5; call++) {
            const point = hold();
            provider.answer({ steps: [point] });
            const stop = new AbortController();
            const stopped = expect(open(one, stop.signal)).to.reject('enough');
            await point.reached;
            stop.abort(new Error('enough'));
            await stopped;
        }
        expect(await stateOn(one)).to.equal({ state: 'closed', failures: 0, retryAt: null });
    });

    it('begins to count anew after a success', async () => {
        await fail(4);
        expect((await stateOn(one))?.failures).to.equal(4);
        await advance(1_000);
        provider.answer(FINE);
        expect(await answer(two)).to.equal('Fine');
        await fail(4, two);
        provider.answer(FINE);
        expect(await answer(two)).to.equal('Fine');
    });

    it('forgets failures after a minute', async () => {
        await fail(2);
        await advance(30_000);
        await fail(2);
        await advance(30_001);
        await fail(2);
        expect(await stateOn(one)).to.include({ state: 'closed', failures: 4 });
        await fail(1);
        expect(await stateOn(one)).to.include({ state: 'open' });
    });

    it('is known to a replica that starts', async () => {
        await openCircuit();
        const third = await startApp({ config: { ...one.config } });
        expect(await codeOf(third)).to.equal('CIRCUIT_OPEN');
        expect(provider.requests).to.be.empty();
        await third.stop();
    });

    it('lets one of twenty calls at once through when its time is up, whatever the replica', async () => {
        await openCircuit();
        await advance(OPEN_MS);
        expect((await stateOn(two))?.state).to.equal('half_open');
        const point = hold();
        provider.answer({ steps: [point, delta('Fine', 'stop')] });
        const codes: unknown[] = [];
        const calls = Array.from({ length: 20 }, async (_, index) => {
            try {
                await open(index % 2 ? one : two);
                codes.push('answered');
            } catch (error) {
                codes.push((error as ApiError).data?.code);
            }
        });
        while (codes.length + provider.requests.length < 20) await new Promise(setImmediate);
        expect(codes).to.equal(Array(19).fill('CIRCUIT_OPEN'));
        point.release();
        await Promise.all(calls);
        expect(codes.at(-1)).to.equal('answered');
        expect(provider.requests).to.have.length(1);
    });

    it('closes after two probes that were answered', async () => {
        await openCircuit();
        await advance(OPEN_MS);
        expect(await answer(one)).to.equal('Fine');
        expect((await stateOn(one))?.state).to.equal('half_open');
        expect(await answer(two)).to.equal('Fine');
        await advance(1_000);
        for (const app of [one, two]) {
            expect(await stateOn(app)).to.equal({ state: 'closed', failures: 0, retryAt: null });
        }
        const answers = await Promise.all(Array.from({ length: 20 }, () => answer(one)));
        expect(new Set(answers)).to.equal(new Set(['Fine']));
    });

    it('opens for a minute more after a probe that failed, which is tried once', async () => {
        for (const goodProbes of [0, 1]) {
            await openCircuit();
            await advance(OPEN_MS);
            for (let n = 0; n < goodProbes; n++) expect(await answer(one)).to.equal('Fine');
            provider.requests.length = 0;
            provider.answer({ status: 500 });
            expect(await codeOf(two)).to.equal('PROVIDER_ERROR');
            await advance(OPEN_MS - 3_000);
            for (const app of [one, two]) expect(await codeOf(app)).to.equal('CIRCUIT_OPEN');
            expect(provider.requests).to.have.length(1);
            await advance(3_000);
            provider.answer(FINE);
            expect(await answer(one)).to.equal('Fine');
            expect(await answer(one)).to.equal('Fine');
        }
    });

    it('lets the next probe when one was refused for its request, or was stopped', async () => {
        await openCircuit();
        await advance(OPEN_MS);
        await fail(1, one, { status: 400 });
        const point = hold();
        provider.answer({ steps: [point] });
        const stop = new AbortController();
        const stopped = expect(open(one, stop.signal)).to.reject('enough');
        await point.reached;
        stop.abort(new Error('enough'));
        await stopped;
        await advance(1_000);
        expect((await stateOn(two))?.state).to.equal('half_open');
        provider.answer(FINE);
        expect(await answer(two)).to.equal('Fine');
    });

    it('lets the next probe when the process of one has died: after the time for a first part', async () => {
        await openCircuit();
        await advance(OPEN_MS);
        const point = hold();
        provider.answer({ steps: [point, delta('Fine', 'stop')] });
        const lost = open(one);
        await point.reached;
        provider.answer(FINE);
        await advance(34_000);
        expect(await codeOf(two)).to.equal('CIRCUIT_OPEN');
        await advance(2_000);
        expect(await answer(two)).to.equal('Fine');
        // What is heard of the lost one now is no word of a probe.
        point.release();
        await wholeAnswer((await lost).parts);
        await advance(1_000);
        expect((await stateOn(two))?.state).to.equal('half_open');
    });

    it('does not change by calls from before it opened', async () => {
        const [good, bad] = [hold(), hold()];
        provider.answer({ steps: [delta('Half'), good, delta('Fine', 'stop')] });
        const ending = await open(one);
        provider.answer({ steps: [delta('Half'), bad, cut] });
        const breaking = await open(one);
        await openCircuit();
        const known = await stateOn(one);
        good.release();
        await wholeAnswer(ending.parts);
        bad.release();
        await failureOf(breaking.parts);
        await advance(1_000);
        expect(await stateOn(two)).to.equal(known);
        await advance(OPEN_MS);
        expect(await answer(two)).to.equal('Fine');
    });

    it('closes at once when it is reset', async () => {
        await openCircuit();
        await one.server.plugins.models.resetCircuit(name);
        expect(await answer(one)).to.equal('Fine');
        await advance(1_000);
        expect(await answer(two)).to.equal('Fine');
        expect(await stateOn(two)).to.equal({ state: 'closed', failures: 0, retryAt: null });
    });

    it('is shown by GET /api/health, without its address, and degrades the system while it is open', async () => {
        await openCircuit();
        const { body, text } = await two.call('GET', '/api/health');
        expect(body.data.circuits.openai).to.include({ state: 'open', failures: 5 });
        expect(body.data.circuits.ollama).to.equal({ state: 'closed', failures: 0, retryAt: null });
        expect(body.data.status).to.equal('degraded');
        expect(text).to.not.include('127.0.0.1');
        await advance(OPEN_MS);
        const { openai } = (await two.call('GET', '/api/health')).body.data.circuits;
        expect(openai).to.equal({ state: 'half_open', failures: 5, retryAt: null });
    });
});

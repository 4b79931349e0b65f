import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from '../../helpers/app.ts';
import { failureOf, streamOf, testCall, testModel, wholeAnswer } from '../../helpers/model.ts';
import { fixture, hold, startProvider, type Provider, type Step } from '../../helpers/provider.ts';

import type { Config } from '../../../src/config.ts';

export const lab = Lab.script();
const { describe, it, before, after, beforeEach } = lab;

const RECORDED = fixture('openai-chat.sse');
const delta = (content: string, finish: string | null = null) =>
    `data: ${JSON.stringify({ choices: [{ delta: { content }, finish_reason: finish }] })}\n\n`;

describe('ModelService', () => {
    let app: TestApp;
    let provider: Provider;

    const startWith = (config: Partial<Config> = {}) =>
        startApp({
            config: { OPENAI_BASE_URL: provider.url, PROVIDER_KEYS_SHARED: { openai: 'sk-of-the-test' }, ...config },
        });

    before(async () => {
        provider = await startProvider();
        app = await startWith({ SANDBOX_MODEL: false });
    });

    after(async () => {
        await app.stop();
        await provider.stop();
    });

    beforeEach(() => {
        provider.requests.length = 0;
    });

    const stream = (signal = new AbortController().signal, on = app) =>
        streamOf(on.server.plugins.models, testCall(testModel()), signal);

    describe('get()', () => {
        it('finds a model by id or alias', () => {
            const { models } = app.server.plugins;
            expect(models.get('gpt-6.2-sol').id).to.equal('gpt-6.2-sol');
            expect(models.get('gpt-4').id).to.equal('gpt-6.2-sol');
        });

        it('finds no model of a provider that is not there, nor of no catalogue', () => {
            for (const name of ['sandbox', 'gpt-0', '__proto__']) {
                expect(() => app.server.plugins.models.get(name)).to.throw('There is no such model.');
            }
        });
    });

    describe('prepare()', () => {
        const prepare = (temperature: number | undefined, parameters = testModel().parameters) =>
            app.server.plugins.models.prepare(
                testCall(testModel({ parameters }), 'Hi', {
                    parameters: temperature === undefined ? {} : { temperature },
                }),
            );

        it('lets through a temperature of the range of the model, and none', () => {
            for (const temperature of [0, 1.5, 2]) {
                const { call, ignoredParameters } = prepare(temperature);
                expect(call.parameters.temperature).to.equal(temperature);
                expect(ignoredParameters).to.equal([]);
            }
            expect(prepare(undefined).call.parameters).to.not.include('temperature');
        });

        it('leaves out the temperature that a model does not take, and says so', () => {
            const { call, ignoredParameters } = prepare(1, { temperature: false });
            expect(call.parameters).to.not.include('temperature');
            expect(ignoredParameters).to.equal(['temperature']);
        });

        it('refuses a temperature out of range', () => {
            for (const temperature of [-0.1, 2.1]) {
                const error = expect(() => prepare(temperature)).to.throw() as unknown as { data: unknown };
                expect(error.data).to.equal({
                    code: 'VALIDATION_ERROR',
                    details: { fields: { temperature: 'must be between 0 and 2 for this model' } },
                });
            }
        });

        it('refuses a call that nobody has a key for', () => {
            const call = testCall(testModel({ provider: 'google' }));
            const error = expect(() => app.server.plugins.models.prepare(call)).to.throw();
            expect(error).to.include({ data: { code: 'PROVIDER_KEY_MISSING', details: { provider: 'google' } } });
        });
    });

    describe('open()', () => {
        it('refuses a model whose provider is not there', async () => {
            const signal = new AbortController().signal;
            const call = testCall(testModel({ provider: 'sandbox' }));
            await expect(app.server.plugins.models.open([call], signal)).to.reject('There is no such model.');
        });

        it('calls no provider until somebody reads', () => {
            stream();
            expect(provider.requests).to.be.empty();
        });

        const slow: [what: string, timeouts: Partial<Config>, ...steps: (() => Step)[]][] = [
            ['the headers do not come', { MODEL_FIRST_TOKEN_TIMEOUT: 0.1 }],
            ['the first token does not come', { MODEL_FIRST_TOKEN_TIMEOUT: 0.1 }, () => delta('')],
            ['the whole answer takes too long', { MODEL_ANSWER_TIMEOUT: 0.3 }, () => delta('Hello')],
        ];
        for (const [what, timeouts, ...steps] of slow) {
            it(`fails with PROVIDER_TIMEOUT where ${what}, and stops the provider`, async () => {
                const quick = await startWith(timeouts);
                const point = hold();
                provider.answer({ steps: [...steps.map((step) => step()), point] });
                const { error } = await failureOf(stream(undefined, quick));
                expect(error.data).to.equal({ code: 'PROVIDER_TIMEOUT' });
                await provider.requests[0]?.aborted;
                await quick.stop();
            });
        }

        it('lets a model pause after its first token for longer than the first may take', async () => {
            const quick = await startWith({ MODEL_FIRST_TOKEN_TIMEOUT: 0.4 });
            provider.answer({ steps: [delta('a'), 600, delta('b', 'stop')] });
            expect(await wholeAnswer(stream(undefined, quick))).to.include({ text: 'ab', finish: 'stop' });
            await quick.stop();
        });

        it('ends an answer that is whole but for its usage, when that does not come', async () => {
            const quick = await startWith({ MODEL_FIRST_TOKEN_TIMEOUT: 0.4 });
            provider.answer({ steps: [delta('a', 'stop'), hold()] });
            const { text, finish, usage } = await wholeAnswer(stream(undefined, quick));
            expect({ text, finish }).to.equal({ text: 'a', finish: 'stop' });
            expect(usage?.isEstimated).to.be.true();
            await quick.stop();
        });

        it('stops the provider when the signal is aborted, before and after the first token', async () => {
            for (const steps of [[], [delta('a')], [delta('a', 'stop')]]) {
                provider.requests.length = 0;
                const stop = new AbortController();
                const point = hold();
                provider.answer({ steps: [...steps, point, RECORDED] });
                const failure = wholeAnswer(stream(stop.signal));
                await point.reached;
                stop.abort(new Error('enough'));
                await expect(failure).to.reject('enough');
                await provider.requests[0]?.aborted;
            }
        });

        it('calls no provider when the signal was aborted before', async () => {
            await expect(wholeAnswer(stream(AbortSignal.abort(new Error('enough'))))).to.reject('enough');
            expect(provider.requests).to.be.empty();
        });

        it('closes the connection of an answer that is read no further', async () => {
            provider.answer({ steps: [delta('a'), hold()] });
            for await (const parts of stream()) {
                expect(parts).to.equal([{ type: 'text', delta: 'a' }]);
                break;
            }
            await provider.requests[0]?.aborted;
        });

        it('keeps 20 answers at once apart', async () => {
            provider.answer(({ headers }) => {
                const name = String(headers['x-client-request-id']);
                return { steps: [delta(name), 1, delta('!', 'stop')] };
            });
            const names = Array.from({ length: 20 }, (_, index) => `req_${index}`);
            const answers = names.map((requestId) =>
                wholeAnswer(
                    streamOf(
                        app.server.plugins.models,
                        testCall(testModel(), 'Hi', { requestId }),
                        new AbortController().signal,
                    ),
                ),
            );
            expect((await Promise.all(answers)).map(({ text }) => text)).to.equal(names.map((name) => `${name}!`));
        });

        it('goes on while the server stops: an answer ends with the drain', async () => {
            const stopping = await startWith();
            const point = hold();
            provider.answer({ steps: [delta('a'), point, delta('b', 'stop')] });
            const answer = wholeAnswer(stream(undefined, stopping));
            await point.reached;
            await stopping.stop();
            point.release();
            expect(await answer).to.include({ text: 'ab', finish: 'stop' });
        });
    });
});

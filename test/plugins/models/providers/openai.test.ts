import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from '../../../helpers/app.ts';
import { failureOf, streamOf, testCall, testModel, wholeAnswer } from '../../../helpers/model.ts';
import { cut, fixture, hold, startProvider, type Provider, type Step } from '../../../helpers/provider.ts';

import type { ModelCall } from '../../../../plugins/models/api.ts';

export const lab = Lab.script();
const { describe, it, before, after, beforeEach } = lab;

const TEXT = 'Grüße aus Tōkyō: 春🌸\n“ok”\u2028 \\n.';
const RECORDED = fixture('openai-chat.sse');

const event = (chunk: object | string) => `data: ${typeof chunk === 'string' ? chunk : JSON.stringify(chunk)}\n\n`;
const delta = (content: object, finish: string | null = null) =>
    event({ choices: [{ index: 0, delta: content, finish_reason: finish }], usage: null });

describe('openAi()', () => {
    let app: TestApp;
    let provider: Provider;

    before(async () => {
        provider = await startProvider();
        app = await startApp({
            config: { OPENAI_BASE_URL: `${provider.url}/v1/`, PROVIDER_KEYS_SHARED: { openai: 'sk-of-the-test' } },
        });
    });

    after(async () => {
        await app.stop();
        await provider.stop();
    });

    beforeEach(() => {
        provider.requests.length = 0;
    });

    const model = testModel({ upstreamId: 'gpt-upstream' });
    const stream = (call: ModelCall = testCall(model)) =>
        streamOf(app.server.plugins.models, call, new AbortController().signal);
    const answering = (...steps: Step[]) => {
        provider.answer({ headers: { 'content-type': 'text/event-stream' }, steps });
        return stream();
    };

    it('asks for a stream with its usage, under the name the provider has for the model', async () => {
        await wholeAnswer(answering(RECORDED));
        const [request] = provider.requests;
        expect(request).to.include({ method: 'POST', path: '/v1/chat/completions' });
        expect(request?.headers).to.include({
            'content-type': 'application/json',
            'accept-encoding': 'identity',
            authorization: 'Bearer sk-of-the-test',
            'x-client-request-id': 'req_of_the_test',
        });
        expect(request?.body).to.equal({
            model: 'gpt-upstream',
            messages: [{ role: 'user', content: 'How are you?' }],
            stream: true,
            stream_options: { include_usage: true, include_obfuscation: false },
        });
    });

    it('sends the temperature only when one was given, and the own id of a model that has no other', async () => {
        provider.answer({ steps: [RECORDED] });
        await wholeAnswer(stream(testCall(testModel({ id: 'gpt-own' }), 'Hi', { parameters: { temperature: 0 } })));
        expect(provider.requests[0]?.body).to.include({ model: 'gpt-own', temperature: 0 });
    });

    it('gives the text, a disjoint usage and the finish of a recorded stream', async () => {
        expect(await wholeAnswer(answering(RECORDED))).to.equal({
            text: TEXT,
            thoughts: '',
            toolCalls: [],
            usage: {
                inputFresh: 67,
                cacheRead: 1_024,
                cacheWrite: 128,
                output: 87,
                reasoning: 64,
                isEstimated: false,
            },
            finish: 'stop',
            types: [...Array<'text'>(10).fill('text'), 'usage', 'finish'],
        });
    });

    it('gives a token before the provider has sent the next', async () => {
        const point = hold();
        const parts = answering(delta({ content: 'first' }), point, delta({ content: 'second' }, 'stop'))[
            Symbol.asyncIterator
        ]();
        expect((await parts.next()).value).to.equal([{ type: 'text', delta: 'first' }]);
        point.release();
        expect((await parts.next()).value).to.equal([{ type: 'text', delta: 'second' }]);
        while (!(await parts.next()).done);
    });

    it('uses a connection again for the next call', async () => {
        for (let call = 0; call < 3; call++) await wholeAnswer(answering(RECORDED, 5));
        const before = provider.connections;
        for (let call = 0; call < 3; call++) await wholeAnswer(answering(RECORDED, 5));
        expect(provider.connections).to.equal(before);
    });

    it('translates the reasons to finish', async () => {
        const reasons = { stop: 'stop', length: 'length', tool_calls: 'tool_calls', content_filter: 'content_filter' };
        for (const [theirs, ours] of Object.entries({ ...reasons, toString: 'stop', brand_new: 'stop' })) {
            const { finish } = await wholeAnswer(
                answering(delta({ content: 'x' }), delta({}, theirs), event('[DONE]')),
            );
            expect(finish, theirs).to.equal(ours);
        }
    });

    it('gives the text of a refusal', async () => {
        const { text } = await wholeAnswer(
            answering(
                delta({ content: '', refusal: 'I cannot ' }),
                delta({ content: null, refusal: 'do that.' }, 'stop'),
            ),
        );
        expect(text).to.equal('I cannot do that.');
    });

    it('passes over what it does not know', async () => {
        const answer = await wholeAnswer(
            answering(
                ': keep-alive\n\nevent: x\nretry: 5\n\n',
                event({ choices: null }),
                event({ choices: [null] }),
                event({ choices: [{ delta: null }] }),
                event({ choices: [{ delta: { content: 5 } }], usage: 'none' }),
                event({ more: [1] }),
                delta({ content: 'x', audio: {} }, 'stop'),
            ),
        );
        expect(answer).to.include({ text: 'x', finish: 'stop' });
        expect(answer.usage?.isEstimated).to.be.true();
    });

    const estimated = { inputFresh: 7, cacheRead: 0, cacheWrite: 0, output: 2, reasoning: 0, isEstimated: true };
    const silent: [what: string, ...chunks: string[]][] = [
        ['there is none'],
        ['it is made of zeros', event({ choices: [], usage: { prompt_tokens: 0, completion_tokens: 0 } })],
        ['it says that nothing was read', event({ choices: [], usage: { completion_tokens: 9 } })],
        ['it says that nothing was written', event({ choices: [], usage: { prompt_tokens: 9 } })],
        ['it has no numbers', event({ choices: [], usage: { prompt_tokens: '9', completion_tokens: -1.5 } })],
    ];
    for (const [what, ...chunks] of silent) {
        it(`estimates the usage where ${what}, and says so`, async () => {
            const { usage } = await wholeAnswer(answering(delta({ content: 'Hello' }, 'stop'), ...chunks));
            expect(usage).to.equal(estimated);
        });
    }

    it('believes no usage where more was cached than asked', async () => {
        const details = { prompt_tokens_details: { cached_tokens: 20 }, completion_tokens_details: null };
        const usage = { prompt_tokens: 10, completion_tokens: 1, ...details };
        const answer = await wholeAnswer(answering(delta({ content: 'x' }, 'stop'), event({ choices: [], usage })));
        expect(answer.usage).to.include({ inputFresh: 0, cacheRead: 20, output: 1 });
    });

    it('takes an answer for whole once it has finished, whatever follows', async () => {
        const endings: Step[][] = [[cut], ['data: {broken\n\n'], [event({ error: { message: 'late' } })], ['data: {']];
        for (const ending of endings) {
            const { text, finish, usage } = await wholeAnswer(
                answering(delta({ content: 'Hello' }, 'stop'), ...ending),
            );
            expect({ text, finish, usage }).to.equal({ text: 'Hello', finish: 'stop', usage: estimated });
        }
    });

    it('fails where the provider says so in the middle of a stream', async () => {
        const chunk = event({
            error: { message: 'The server had an error with sk-of-the-test', type: 'server_error' },
        });
        const { error, text } = await failureOf(answering(delta({ content: 'Hello' }), chunk));
        expect(text).to.equal('Hello');
        expect(error.data?.code).to.equal('PROVIDER_ERROR');
        expect(error.cause).to.be.an.error('The provider failed: The server had an error with [key]');
    });

    it('fails where the first event is an error, whatever its form', async () => {
        for (const fault of [{ error: 'overloaded' }, { error: { code: 500 } }, { error: [] }]) {
            const { error } = await failureOf(answering(event(fault)));
            expect(error.data?.code).to.equal('PROVIDER_ERROR');
            expect(error.cause).to.be.an.error('The provider failed: null');
        }
    });
});

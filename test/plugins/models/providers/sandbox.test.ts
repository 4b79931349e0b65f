import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { sandbox } from '../../../../plugins/models/providers/sandbox.ts';
import { testCall, testModel, wholeAnswer } from '../../../helpers/model.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const model = testModel({ id: 'sandbox', provider: 'sandbox', maxOutput: 4_096 });
const ask = (content: string, maxOutput: number | null = 4_096) =>
    wholeAnswer(sandbox(0).stream(testCall({ ...model, maxOutput }, content), new AbortController().signal));

describe('sandbox()', () => {
    it('gives the same answer to the same question', async () => {
        const answer = await ask('Why is the sky blue?');
        expect(answer).to.equal(await ask('Why is the sky blue?'));
        expect(answer.text).to.not.equal((await ask('Why is the sea blue?')).text);
    });

    it('says what it is, and repeats the question', async () => {
        const { text, types, finish } = await ask('Why is\nthe 春 blue?');
        expect(text).to.equal(
            'This is the sandbox model, not an AI. You sent 1 message(s); the last one says: Why is\nthe 春 blue?',
        );
        expect(types[0]).to.equal('start');
        expect(types.slice(-2)).to.equal(['usage', 'finish']);
        expect(finish).to.equal('stop');
    });

    it('answers a call without messages', async () => {
        const stream = sandbox(0).stream({ ...testCall(model), messages: [] }, new AbortController().signal);
        expect((await wholeAnswer(stream)).text).to.include('You sent 0 message(s)');
    });

    it('counts to N when asked, a number a token', async () => {
        const { text, types } = await ask('Please COUNT to 12!');
        expect(text).to.equal('1 2 3 4 5 6 7 8 9 10 11 12');
        expect(types.filter((type) => type === 'text')).to.have.length(12);
        expect((await ask('count to 1')).text).to.equal('1');
    });

    it('repeats what is no number to count to', async () => {
        for (const question of ['count to 0', 'count to 1234567', 'discount to 5', 'count to many']) {
            expect((await ask(question)).text).to.endWith(question);
        }
    });

    it('stops at the length limit of the model, and says so', async () => {
        expect(await ask('count to 4', 3)).to.include({ text: '1 2 3', finish: 'length' });
        expect(await ask('count to 3', 3)).to.include({ text: '1 2 3', finish: 'stop' });
        expect(await ask('count to 5000', null)).to.include({ finish: 'stop' });
    });

    it('tells a usage that is not estimated', async () => {
        const { usage } = await ask('count to 4');
        expect(usage).to.equal({
            inputFresh: 7,
            cacheRead: 0,
            cacheWrite: 0,
            output: 2,
            reasoning: 0,
            isEstimated: false,
        });
    });

    it('paces its tokens', async () => {
        const began = performance.now();
        await wholeAnswer(sandbox(10).stream(testCall(model, 'count to 5'), new AbortController().signal));
        expect(performance.now() - began).to.be.above(45);
    });

    it('stops when the signal is aborted, between two tokens and while it paces them', async () => {
        for (const delayMs of [0, 60_000]) {
            const stop = new AbortController();
            const parts = sandbox(delayMs).stream(testCall(model, 'count to 5'), stop.signal)[Symbol.asyncIterator]();
            await parts.next();
            const next = parts.next();
            if (delayMs === 0) await next;
            stop.abort(new Error('enough'));
            await expect(delayMs === 0 ? parts.next() : next).to.reject();
        }
    });

    it('is always reachable', async () => {
        expect(await sandbox(0).status(new AbortController().signal)).to.equal({ status: 'reachable' });
    });
});

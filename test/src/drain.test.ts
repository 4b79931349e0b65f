import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { Drain } from '../../src/drain.ts';

export const lab = Lab.script();
const { describe, it } = lab;

describe('Drain', () => {
    it('says that it has begun', () => {
        const drain = new Drain();
        expect([drain.isLeaving, drain.isDraining]).to.equal([false, false]);
        drain.begin();
        expect([drain.isLeaving, drain.isDraining]).to.equal([true, true]);
    });

    it('leaves before, and tells those who want to know', () => {
        const drain = new Drain();
        const told: string[] = [];
        for (const name of ['one', 'two']) drain.onLeave(() => void told.push(`${name} ${drain.isLeaving}`));
        drain.leave();
        expect([drain.isLeaving, drain.isDraining]).to.equal([true, false]);
        expect(told).to.equal(['one true', 'two true']);
    });

    it('ends when everything that was registered has ended, and passes the deadline on', async () => {
        const drain = new Drain();
        const deadline = new AbortController();
        const ended: string[] = [];
        drain.onDrain(async () => void ended.push('quick'));
        drain.onDrain((signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())));
        const finished = drain.finish(deadline.signal).then(() => ended.push('all'));
        await new Promise((resolve) => setImmediate(resolve));
        expect(ended).to.equal(['quick']);
        deadline.abort();
        await finished;
        expect(ended).to.equal(['quick', 'all']);
    });
});

import { getEventListeners, once } from 'node:events';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { deadline } from '../../../../plugins/webhooks/sender/deadline.ts';

export const lab = Lab.script();
const { describe, it } = lab;

describe('deadline', () => {
    it('ends what takes too long', async () => {
        const { signal } = deadline(1);
        await once(signal, 'abort');
        expect(signal.reason).to.include({ failure: 'timeout' });
    });

    it('ends with the outer signal, also with one that has ended before', () => {
        const outer = new AbortController();
        const { signal, release } = deadline(60_000, outer.signal);
        expect(signal.aborted).to.be.false();
        outer.abort('enough');
        const late = deadline(60_000, outer.signal);
        for (const ended of [signal, late.signal]) expect(ended.reason).to.equal('enough');
        release();
        late.release();
    });

    it('leaves neither timer nor listener when it is released', () => {
        const outer = new AbortController();
        const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
        const before = timers();
        const { release } = deadline(60_000, outer.signal);
        expect(timers()).to.equal(before + 1);
        release();
        expect(timers()).to.equal(before);
        expect(getEventListeners(outer.signal, 'abort')).to.equal([]);
    });
});

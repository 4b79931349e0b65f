import { getEventListeners } from 'node:events';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { followAbort } from '../../src/follow-abort.ts';

export const lab = Lab.script();
const { describe, it } = lab;

describe('followAbort()', () => {
    it('aborts with the signal, for its reason', () => {
        const [own, other] = [new AbortController(), new AbortController()];
        followAbort(own, other.signal);
        expect(own.signal.aborted).to.be.false();
        const reason = new Error('enough');
        other.abort(reason);
        expect(own.signal.reason).to.shallow.equal(reason);
    });

    it('aborts at once where the signal was aborted before', () => {
        const own = new AbortController();
        followAbort(own, AbortSignal.abort('before'));
        expect(own.signal.reason).to.equal('before');
    });

    it('keeps the reason that it was aborted for itself', () => {
        const [own, other] = [new AbortController(), new AbortController()];
        followAbort(own, other.signal);
        own.abort('own');
        other.abort('other');
        expect(own.signal.reason).to.equal('own');
    });

    it('leaves nothing at the signal when it is ended', () => {
        const [own, other] = [new AbortController(), new AbortController()];
        followAbort(own, other.signal)();
        expect(getEventListeners(other.signal, 'abort')).to.be.empty();
        other.abort();
        expect(own.signal.aborted).to.be.false();
    });
});

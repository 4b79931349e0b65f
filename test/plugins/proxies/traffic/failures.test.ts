import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { failureOf, kindOf, pauseOf } from '../../../../plugins/proxies/traffic/failures.ts';
import { RelayFailure, type RelayFault } from '../../../../plugins/tunnels/api.ts';
import { apiError } from '../../../../src/http/errors.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const because = (fault: RelayFault) => ({ cause: new RelayFailure(fault) });

describe('failureOf', () => {
    it('knows what was never delivered', () => {
        for (const fault of ['offline', 'moved', 'refused'] as const) {
            const found = failureOf(apiError('TUNNEL_OFFLINE', because(fault)));
            expect(found, fault).to.equal({ kind: 'offline', isMembers: true, isOffline: true, isUndelivered: true });
        }
        const busy = failureOf(apiError('TUNNEL_BUSY', because('busy')));
        expect(busy).to.equal({ kind: 'busy', isMembers: true, isOffline: false, isUndelivered: true });
        const gone = failureOf(apiError('TUNNEL_NOT_FOUND'));
        expect(gone).to.equal({ kind: 'not_found', isMembers: true, isOffline: true, isUndelivered: true });
    });

    it('takes what may have been delivered as delivered', () => {
        for (const fault of ['lost', 'unreachable', 'protocol', 'internal'] as const) {
            const found = failureOf(apiError('TUNNEL_ERROR', { details: { reason: fault }, ...because(fault) }));
            expect(found, fault).to.equal({ kind: fault, isMembers: true, isOffline: false, isUndelivered: false });
        }
        expect(failureOf(apiError('TUNNEL_TIMEOUT', because('cancelled'))).isUndelivered).to.be.false();
        // A share that is taken back while the call runs.
        expect(failureOf(apiError('TUNNEL_OFFLINE', because('cancelled'))).isUndelivered).to.be.false();
        expect(failureOf(apiError('TUNNEL_TIMEOUT')).isUndelivered).to.be.false();
    });

    it('blames no member for what every one would fail with', () => {
        const tooLarge = apiError('TUNNEL_ERROR', { details: { reason: 'too_large' }, ...because('too_large') });
        for (const error of [tooLarge, apiError('QUOTA_EXCEEDED'), apiError('MALFORMED_REQUEST'), new Error('Away')]) {
            expect(failureOf(error).isMembers, error.message).to.be.false();
        }
    });
});

describe('kindOf', () => {
    it('names what a call ended with', () => {
        const kinds = [
            new RelayFailure('lost'),
            apiError('TUNNEL_ERROR', { details: { reason: 'protocol' } }),
            apiError('PROXY_BUSY', { details: { waitedMs: 3 } }),
            apiError('PROXY_OFFLINE'),
            apiError('QUOTA_EXCEEDED'),
            apiError('SHUTTING_DOWN'),
            apiError('MALFORMED_REQUEST'),
            new Error('Away'),
        ].map(kindOf);
        expect(kinds).to.equal(['lost', 'protocol', 'busy', 'offline', 'quota', 'draining', 'internal', 'internal']);
    });
});

describe('pauseOf', () => {
    it('doubles, with full jitter, up to ten seconds', () => {
        expect([0, 1, 2, 3].map((round) => pauseOf(1_000, round, () => 1))).to.equal([1_000, 2_000, 4_000, 8_000]);
        expect([4, 30].map((round) => pauseOf(1_000, round, () => 1))).to.equal([10_000, 10_000]);
        expect(pauseOf(60_000, 0, () => 0.5)).to.equal(5_000);
        expect(pauseOf(60_000, 9, () => 0)).to.equal(0);
    });
});

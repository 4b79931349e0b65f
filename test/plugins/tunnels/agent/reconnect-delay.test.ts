import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { reconnectDelay } from '../../../../plugins/tunnels/agent/reconnect-delay.ts';

export const lab = Lab.script();
const { describe, it } = lab;

describe('reconnectDelay', () => {
    it('doubles its bound from 100 ms to 15 s', () => {
        const most = [0, 1, 2, 7, 8, 50].map((failures) => reconnectDelay(failures, () => 1));
        expect(most).to.equal([100, 200, 400, 12_800, 15_000, 15_000]);
    });

    it('is anything below the bound', () => {
        expect(reconnectDelay(3, () => 0)).to.equal(0);
        const delays = new Set(Array.from({ length: 20 }, () => reconnectDelay(5)));
        expect(delays.size).to.be.above(10);
        expect(Math.max(...delays)).to.be.below(3_200);
    });
});

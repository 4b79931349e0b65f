import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { simulatedFigures } from '../../../../plugins/vms/drivers/simulated-figures.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const DAY_S = 24 * 3_600;
const MIDNIGHT = Date.parse('2026-11-20T00:00:00.000Z');
const VM = 'vm_01K9ZQ4V7N8M3T5R2W6X1Y0ABC';

/** How far each figure may move within 10 seconds. */
const STEPS = {
    cpuPercent: 10,
    memoryPercent: 3,
    diskPercent: 0.1,
    networkInBytesPerSecond: 350_000,
    networkOutBytesPerSecond: 120_000,
};

describe('simulatedFigures', () => {
    it('stay within their bounds, move without jumps and do not stand still, for a day and many VMs', () => {
        const figures = Object.keys(STEPS) as (keyof typeof STEPS)[];
        for (let vm = 0; vm < 10; vm++) {
            const seen = Array.from({ length: DAY_S / 10 }, (_, n) =>
                simulatedFigures(`vm_${vm}`, MIDNIGHT + n * 10_000),
            );
            for (const figure of figures) {
                const values = seen.map((one) => one[figure]);
                const [low, high] = [Math.min(...values), Math.max(...values)];
                expect(low, figure).to.be.at.least(0);
                expect(high, figure).to.be.at.most(figure.endsWith('Percent') ? 100 : 3_000_000);
                expect(high - low, figure).to.be.above(STEPS[figure]);
                const step = Math.max(...values.slice(1).map((value, at) => Math.abs(value - (values[at] ?? 0))));
                expect(step, figure).to.be.below(STEPS[figure]);
            }
        }
    });

    it('depend on the VM and the time alone', () => {
        const figures = simulatedFigures(VM, MIDNIGHT);
        expect(simulatedFigures(VM, MIDNIGHT)).to.equal(figures);
        expect(simulatedFigures(VM, MIDNIGHT + 60_000)).to.not.equal(figures);
        expect(simulatedFigures('vm_01K9ZQ4V7N8M3T5R2W6X1Y0ABD', MIDNIGHT)).to.not.equal(figures);
    });

    it('have two decimals at most', () => {
        for (let n = 0; n < 100; n++) {
            for (const value of Object.values(simulatedFigures(VM, MIDNIGHT + n * 7_919))) {
                expect(value).to.equal(Number(value.toFixed(2)));
            }
        }
    });
});

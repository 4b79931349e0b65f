import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { availabilityOf, type StatusChange } from '../../../plugins/proxies/availability.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const HOUR = 3_600_000;
const NOW = 1_000 * HOUR;
/** Changes so many hours ago. */
const changed = (...steps: [hoursAgo: number, to: StatusChange['to']][]) =>
    steps.map(([hoursAgo, to], index) => ({ number: index + 1, at: NOW - hoursAgo * HOUR, to }));
const availability = (changes: ReturnType<typeof changed>, hoursOld = 100) =>
    availabilityOf(changes, NOW - hoursOld * HOUR, NOW);

describe('availabilityOf', () => {
    it('is the share of the last 24 hours that it took requests', () => {
        expect(availability(changed([50, 'running']))).to.equal(1);
        expect(availability(changed([12, 'running']))).to.equal(0.5);
        expect(availability(changed([30, 'running'], [18, 'error'], [12, 'degraded'], [6, 'stopped']))).to.equal(0.5);
        expect(availability(changed([30, 'running'], [25, 'stopped']))).to.equal(0);
        expect(availability(changed([30, 'running'], [25, 'idle'], [12, 'stopped']))).to.equal(0.5);
    });

    it('is that of its whole life where that is shorter', () => {
        expect(availability(changed([2, 'running']), 4)).to.equal(0.5);
        expect(availability([], 4)).to.equal(0);
        expect(availability([], 0)).to.be.null();
    });

    it('is that of the time that the changes which are kept tell of', () => {
        const [first, second] = changed([4, 'error'], [1, 'running']);
        const kept = [first, second].map((change, index) => ({
            at: 0,
            to: 'error' as const,
            ...change,
            number: 7 + index,
        }));
        expect(availability(kept)).to.equal(0.25);
    });

    it('counts nothing of the future, when clocks differ', () => {
        expect(availability(changed([12, 'running'], [-1, 'stopped']))).to.equal(0.5);
        expect(availability(changed([-1, 'running']))).to.equal(0);
    });
});

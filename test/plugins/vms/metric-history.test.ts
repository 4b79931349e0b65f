import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { bucketsOf, trendsOf } from '../../../plugins/vms/metric-history.ts';

import type { DriverMetrics } from '../../../plugins/vms/drivers/driver.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const NOON = Date.parse('2026-11-20T12:00:00.000Z');

const sampleAt = (seconds: number, figures: Partial<DriverMetrics> = {}): DriverMetrics => ({
    at: NOON + seconds * 1000,
    cpuPercent: null,
    memoryPercent: null,
    diskPercent: null,
    networkInBytesPerSecond: null,
    networkOutBytesPerSecond: null,
    isSimulated: true,
    unavailable: {},
    ...figures,
});

const cpu = (values: (number | null)[]) => values.map((cpuPercent, n) => sampleAt(n, { cpuPercent }));
const cpuTrend = (values: (number | null)[]) => trendsOf(cpu(values)).cpuPercent;

describe('bucketsOf', () => {
    it('gives average, least and most of each interval that has samples', () => {
        const samples = [
            sampleAt(0, { cpuPercent: 10, networkInBytesPerSecond: 500 }),
            sampleAt(30, { cpuPercent: 20, networkInBytesPerSecond: 0 }),
            sampleAt(59.999, { cpuPercent: 25, networkInBytesPerSecond: 100 }),
            sampleAt(60, { cpuPercent: 40 }),
            sampleAt(185, { cpuPercent: 0, memoryPercent: 33.33 }),
        ];
        const none = {
            memoryPercent: null,
            diskPercent: null,
            networkInBytesPerSecond: null,
            networkOutBytesPerSecond: null,
        };
        expect(bucketsOf(samples, 60_000)).to.equal([
            {
                at: '2026-11-20T12:00:00.000Z',
                points: 3,
                ...none,
                // (10 + 20 + 25) / 3 = 18.333…
                cpuPercent: { average: 18.33, min: 10, max: 25 },
                networkInBytesPerSecond: { average: 200, min: 0, max: 500 },
            },
            { at: '2026-11-20T12:01:00.000Z', points: 1, ...none, cpuPercent: { average: 40, min: 40, max: 40 } },
            {
                at: '2026-11-20T12:03:00.000Z',
                points: 1,
                ...none,
                cpuPercent: { average: 0, min: 0, max: 0 },
                memoryPercent: { average: 33.33, min: 33.33, max: 33.33 },
            },
        ]);
    });

    it('leaves samples without a figure out of its statistics, and counts them as points', () => {
        const samples = [sampleAt(0, { cpuPercent: 10 }), sampleAt(1), sampleAt(2, { cpuPercent: 30 }), sampleAt(60)];
        const [first, second] = bucketsOf(samples, 60_000);
        expect(first).to.include({ points: 3, cpuPercent: { average: 20, min: 10, max: 30 } });
        expect(second).to.include({ points: 1, cpuPercent: null });
    });

    it('begins intervals at multiples of their length', () => {
        const samples = [sampleAt(-1), sampleAt(6), sampleAt(14)];
        const starts = (seconds: number) => bucketsOf(samples, seconds * 1000).map(({ at }) => at.slice(11, 19));
        expect(starts(5)).to.equal(['11:59:55', '12:00:05', '12:00:10']);
        // Noon of that day is 2 s after a multiple of 7 s.
        expect(starts(7)).to.equal(['11:59:58', '12:00:05', '12:00:12']);
        expect(starts(3_600)).to.equal(['11:00:00', '12:00:00']);
        expect(bucketsOf([], 5_000)).to.equal([]);
    });
});

describe('trendsOf', () => {
    it('compares the second half with the first one, a tenth being no change', () => {
        // 10, 10 → 11, 11: a tenth more; 11, 11.02: more than that.
        expect(cpuTrend([10, 10, 11, 11])).to.equal('stable');
        expect(cpuTrend([10, 10, 11, 11.02])).to.equal('up');
        expect(cpuTrend([10, 10, 9, 9])).to.equal('stable');
        expect(cpuTrend([10, 10, 9, 8.98])).to.equal('down');
        // The averages count: 5 and 15 are 10, 12 and 12 are 12.
        expect(cpuTrend([5, 15, 12, 12])).to.equal('up');
        expect(cpuTrend([100, 0])).to.equal('down');
    });

    it('leaves the sample in the middle to neither half', () => {
        expect(cpuTrend([10, 90, 10])).to.equal('stable');
        expect(cpuTrend([10, 10, 90, 10, 10])).to.equal('stable');
        expect(cpuTrend([10, 10, 0, 20, 20])).to.equal('up');
    });

    it('calls what stays at nothing stable, and what comes from nothing a rise', () => {
        expect(cpuTrend([0, 0])).to.equal('stable');
        expect(cpuTrend([0, 0.01])).to.equal('up');
        expect(cpuTrend([0.01, 0])).to.equal('down');
    });

    it('needs two samples that have the figure', () => {
        expect(cpuTrend([])).to.be.null();
        expect(cpuTrend([50])).to.be.null();
        expect(cpuTrend([null, 50, null])).to.be.null();
        expect(cpuTrend([null, 50, null, 80])).to.equal('up');
    });

    it('tells of each figure by itself', () => {
        const samples = [
            sampleAt(0, { cpuPercent: 10, diskPercent: 50, networkOutBytesPerSecond: 900 }),
            sampleAt(1, { cpuPercent: 20, diskPercent: 51, networkOutBytesPerSecond: 100, memoryPercent: 3 }),
        ];
        expect(trendsOf(samples)).to.equal({
            cpuPercent: 'up',
            memoryPercent: null,
            diskPercent: 'stable',
            networkInBytesPerSecond: null,
            networkOutBytesPerSecond: 'down',
        });
    });
});

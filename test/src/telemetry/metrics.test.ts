import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { Metrics } from '../../../src/telemetry/metrics.ts';
import { parseMetrics } from '../../helpers/metrics.ts';

export const lab = Lab.script();
const { describe, it } = lab;

describe('Metrics', () => {
    it('belong to whoever made them', async () => {
        const [one, other] = [new Metrics(), new Metrics()];
        one.counter('things_total', 'Things')().inc();
        other.counter('things_total', 'Things')().inc(2);
        expect(await one.text()).to.include('things_total 1');
        expect(await other.text()).to.include('things_total 2');
        expect(() => one.counter('things_total', 'Again')).to.throw();
    });

    it('make an instrument once for the same labels', async () => {
        const metrics = new Metrics();
        const things = metrics.counter('things_total', 'Things', ['kind', 'of']);
        expect(things('a', 'b')).to.shallow.equal(things('a', 'b'));
        things('a', 'b').inc();
        things('a', 'b').inc();
        things('ab', '').inc();
        expect(parseMetrics(await metrics.text())).to.equal([
            { name: 'things_total', labels: { kind: 'a', of: 'b' }, value: 2 },
            { name: 'things_total', labels: { kind: 'ab', of: '' }, value: 1 },
        ]);
    });

    it('read gauges when somebody asks, and forget what is not told any more', async () => {
        const metrics = new Metrics();
        let kinds = ['a', 'b'];
        metrics.gauge('kinds', 'Kinds', (set) => kinds.forEach((kind, n) => set(n + 1, kind)), ['kind']);
        expect(parseMetrics(await metrics.text()).map(({ labels }) => labels.kind)).to.equal(['a', 'b']);
        expect(await metrics.sum('kinds')).to.equal(3);
        kinds = ['b'];
        expect(parseMetrics(await metrics.text()).map(({ labels }) => labels.kind)).to.equal(['b']);
        expect(await metrics.sum('none')).to.equal(0);
    });

    it('leave out what cannot be read, and wait for it no longer than that', async () => {
        const metrics = new Metrics();
        metrics.gauge('broken', 'Broken', () => Promise.reject(new Error('Redis is away')), ['kind']);
        metrics.gauge('late', 'Late', () => new Promise(() => undefined), ['kind']);
        metrics.gauge('away', 'Away', () => Promise.reject(new Error('Redis is away')));
        metrics.level('there', 'There').up();
        expect(parseMetrics(await metrics.text())).to.equal([{ name: 'there', labels: {}, value: 1 }]);
    });
});

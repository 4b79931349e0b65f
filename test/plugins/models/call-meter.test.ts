import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { CallMeter, failedWith } from '../../../plugins/models/call-meter.ts';
import { apiError } from '../../../src/http/errors.ts';
import { Metrics } from '../../../src/telemetry/metrics.ts';
import { parseMetrics } from '../../helpers/metrics.ts';
import { testModel } from '../../helpers/model.ts';

import type { Model } from '../../../plugins/models/api.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const known = testModel({ provider: 'ollama', id: 'known' });
const via: Model['via'] = { prefix: 'tun', id: 'tun_00000000000000000000000000' };

describe('CallMeter', () => {
    it('knows models of the catalogue only by name', async () => {
        const metrics = new Metrics();
        const meter = new CallMeter(metrics, [known]);
        for (let n = 0; n < 1_000; n++) {
            meter.begin({ ...known, id: `made-up-${n}` }).ends('success');
            meter.begin({ ...known, via, id: `tun_${n}/known` }).ends('success');
        }
        // A name of the catalogue, but on somebody's own server.
        meter.begin({ ...known, via }).ends('success');
        meter.begin(known).ends('success');
        const calls = parseMetrics(await metrics.text()).filter(({ name }) => name === 'model_calls_total');
        expect(calls.map(({ labels, value }) => [labels.model, value])).to.equal([
            ['other', 2_001],
            ['known', 1],
        ]);
    });

    it('tells how a call ended in words of the catalogue', () => {
        const { signal } = new AbortController();
        expect(failedWith(apiError('PROVIDER_TIMEOUT'), signal)).to.equal('PROVIDER_TIMEOUT');
        expect(failedWith(new Error('Whatever'), signal)).to.equal('INTERNAL_ERROR');
        expect(failedWith(apiError('PROVIDER_TIMEOUT'), AbortSignal.abort())).to.equal('cancelled');
    });
});

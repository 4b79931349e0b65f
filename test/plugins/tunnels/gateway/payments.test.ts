import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { dollars } from '../../../../src/money.ts';
import { tenantKey } from '../../../../src/redis/keys.ts';
import { setCredit } from '../../../helpers/credit.ts';
import { setLimits, setPlan } from '../../../helpers/limits.ts';
import {
    connectAgent,
    newTunnel,
    startListeningReplicas,
    startService,
    through,
    type TestService,
    type TestTunnel,
} from '../../../helpers/live-tunnel.ts';
import { until, type RunningAgent } from '../../../helpers/tunnel-agent.ts';

import type { TestApp } from '../../../helpers/app.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after, afterEach } = lab;

const PIECE = 262_144;
/** Far more than may come before a call is cut. */
const MANY = 400;

describe('a call that goes on for long', () => {
    let holder: TestApp;
    let other: TestApp;
    let service: TestService;
    let tunnel: TestTunnel;
    let agent: RunningAgent;
    let written = 0;

    before(async () => {
        [holder, other] = await startListeningReplicas();
        service = await startService(async (request, response) => {
            if (request.url !== '/long') {
                for await (const _ of request);
                return response.end('well');
            }
            for (written = 0; written < MANY && !response.destroyed; written++) {
                response.write(Buffer.alloc(PIECE));
                await sleep(20);
            }
            return response.end();
        });
    });

    beforeEach(async () => {
        tunnel = await newTunnel(holder);
        agent = await connectAgent(holder, tunnel, [service.url]);
    });

    afterEach(() => agent.stop());

    after(async () => {
        await service.stop();
        await Promise.all([holder.stop(), other.stop()]);
    });

    const refusedWith = async (app: TestApp) => {
        const response = await through(app, tunnel, '/');
        const body = (await response.json()) as { error: { code: string } };
        return [response.status, body.error.code];
    };
    const counted = async () => {
        const [key = ''] = await holder.redis.keys(tenantKey(tunnel.tenant.tenantId, 'tunnels', 'relayed', '*'));
        return Number(await holder.redis.get(key));
    };

    for (const [name, pick] of [
        ['the holder', () => holder],
        ['the other replica', () => other],
    ] as const) {
        it(`is counted while it runs, and cut when nobody can pay any more, through ${name}`, async () => {
            const { tenantId } = tunnel.tenant;
            await setPlan(holder, tenantId, 'premium');
            await setCredit(holder, tenantId, 30n);
            const response = await through(pick(), tunnel, '/long');
            expect(response.status).to.equal(200);
            await expect(response.text()).to.reject();
            expect(written).to.be.below(MANY);
            expect(await counted()).to.be.at.least(30 * 100_000);
            await until(async () => (await refusedWith(pick()))[0] === 402);
            expect(await refusedWith(pick())).to.equal([402, 'INSUFFICIENT_CREDITS']);
        });
    }

    it('is cut when the quota of the month is used up', async () => {
        await setLimits(holder, tunnel.tenant.tenantId, { relayedBytesPerMonth: 3_000_000 });
        const response = await through(other, tunnel, '/long');
        await expect(response.text()).to.reject();
        expect(written).to.be.below(MANY);
        await until(async () => (await refusedWith(other))[1] === 'QUOTA_EXCEEDED');
    });

    it('is counted once, whole and in parts', async () => {
        await setPlan(holder, tunnel.tenant.tenantId, 'premium');
        await setCredit(holder, tunnel.tenant.tenantId, dollars(1));
        const sent = 5 * 1_048_576 + 17;
        const response = await through(other, tunnel, '/', { method: 'POST', body: Buffer.alloc(sent) });
        expect(await response.text()).to.equal('well');
        await until(async () => (await counted()) >= sent);
        await other.server.plugins.tunnels.flush();
        expect(await counted()).to.equal(sent + 'well'.length);
        const { body } = await tunnel.tenant.call('GET', `/api/tunnels/${tunnel.tunnelId}/metrics`);
        expect(body.data.metrics).to.include({ requests: 1, bytesIn: sent, bytesOut: 4 });
    });
});

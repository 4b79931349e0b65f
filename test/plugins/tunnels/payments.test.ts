import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { dollars, type Micros } from '../../../src/money.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { startApp, startReplicas, type TestApp } from '../../helpers/app.ts';
import { expectSound } from '../../helpers/billing.ts';
import { setCredit } from '../../helpers/credit.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { setPlan } from '../../helpers/limits.ts';
import { startRedis } from '../../helpers/redis.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newTunnel, portOf } from '../../helpers/tunnel.ts';

import type { TunnelPlace } from '../../../plugins/tunnels/api.ts';
import type { TestRedis } from '../../helpers/redis.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const DUE = tenantKey('platform', 'tunnel-tenants');
const HOUR_MS = 3_600_000;
/** What comes to a micro-dollar, at a cent for 10^9 bytes. */
const MICRO = 100_000;

describe('the price of relayed bytes', () => {
    let redis: TestRedis;
    let app: TestApp;
    let other: TestApp;
    let ada: TestTenant;
    let place: TunnelPlace;

    before(async () => {
        redis = await startRedis();
        [app, other] = await startReplicas({ redisPath: redis.path, config: { ACCESS_TOKEN_TTL: 100 * 86_400 } });
    });

    beforeEach(async () => {
        ada = await newTenant(app);
        await setPlan(app, ada.tenantId, 'premium');
        await setCredit(app, ada.tenantId, dollars(1));
        place = { tenantId: ada.tenantId, tunnelId: await newTunnel(ada) };
    });

    after(async () => {
        await Promise.all([app.stop(), other.stop()]);
        await redis.stop();
    });

    const advance = (milliseconds: number) => Promise.all([app.advance(milliseconds), other.advance(milliseconds)]);
    const relay = async (bytes: number, at = app) => {
        portOf(at).count(place, { outcome: 'success', latencyMs: 1, bytesIn: 0, bytesOut: bytes });
        await portOf(at).flush();
    };
    const sweep = async (at = app) => {
        await app.redis.zadd(DUE, 'XX', 0, ada.tenantId);
        await portOf(at).sweep();
    };
    const settle = async () => {
        await advance(HOUR_MS);
        await sweep();
    };
    const charges = async (): Promise<{ amountMicros: number }[]> =>
        (await ada.call('GET', '/api/billing/history?type=tunnel_usage')).body.data.records;
    const spent = async () => (await charges()).reduce((sum, { amountMicros }) => sum - amountMicros, 0);
    const balance = (): Promise<Micros> => expectSound(app.redis, ada.tenantId);
    const refusal = async () => {
        await advance(1_000);
        return (await portOf(app).relayRefusal(ada.tenantId, ada.userId))?.data?.code ?? null;
    };

    it('is charged in whole micro-dollars, and what is left of one is paid with what comes next', async () => {
        await relay(2 * MICRO + MICRO / 2);
        await settle();
        expect((await charges()).map(({ amountMicros }) => amountMicros)).to.equal([-2]);
        expect((await charges())[0]).to.include({ type: 'tunnel_usage', userId: ada.userId, tunnelId: place.tunnelId });
        await settle();
        await relay(MICRO / 2 - 1);
        await settle();
        expect(await spent()).to.equal(2);
        await relay(1);
        await settle();
        expect(await spent()).to.equal(3);
        expect(await balance()).to.equal(dollars(1) - 3n);
    });

    it('is a cent for 10^9 bytes, and in the price book', async () => {
        await relay(1_000_000_000);
        await settle();
        expect(await spent()).to.equal(10_000);
        const { body } = await ada.call('GET', '/api/billing/prices');
        expect(body.data.prices.units).to.include({
            item: 'tunnel',
            unit: 'gigabyte',
            amountMicros: 10_000,
            amount: '0.010000',
        });
    });

    it('is one entry an hour of each tunnel, which the summary shows', async () => {
        const second = { ...place, tunnelId: await newTunnel(ada, 'second') };
        for (let times = 0; times < 5; times++) {
            await relay(3 * MICRO);
            await sweep();
        }
        portOf(app).count(second, { outcome: 'success', latencyMs: 1, bytesIn: MICRO, bytesOut: MICRO });
        await portOf(app).flush();
        expect(await charges()).to.equal([]);
        await settle();
        expect(await charges()).to.have.length(2);
        const { body } = await ada.call('GET', '/api/billing/usage-summary?period=7d');
        const shown = body.data.summary.tunnels.map(({ id, spentMicros, bytes }: Record<string, unknown>) => [
            id,
            spentMicros,
            bytes,
        ]);
        expect(shown).to.equal([
            [place.tunnelId, 15, 15 * MICRO],
            [second.tunnelId, 2, 2 * MICRO],
        ]);
    });

    it('is nothing on the free plan, which needs no credit', async () => {
        await setPlan(app, ada.tenantId, 'free');
        await setCredit(app, ada.tenantId, 0n);
        await relay(50 * MICRO);
        expect(await refusal()).to.be.null();
        await settle();
        expect(await charges()).to.equal([]);
    });

    it('is charged once, by however many at once, while more comes in on two replicas', async () => {
        let total = 0;
        for (let round = 0; round < 3; round++) {
            await advance(HOUR_MS);
            const bytes = Array.from({ length: 10 }, (_, n) => (n + 1) * 33_333);
            total += bytes.reduce((sum, each) => sum + each, 0);
            await Promise.all([
                ...bytes.map((each, n) => relay(each, n % 2 === 0 ? app : other)),
                ...Array.from({ length: 6 }, (_, n) => sweep(n % 2 === 0 ? app : other)),
            ]);
        }
        await settle();
        await Promise.all([settle(), sweep(other)]);
        expect(await spent()).to.equal(Math.floor(total / MICRO));
        await balance();
    });

    it('is charged by another replica when the one that counted has gone', async () => {
        const dying = await startApp({ redisPath: redis.path });
        portOf(dying).count(place, { outcome: 'success', latencyMs: 1, bytesIn: 0, bytesOut: 7 * MICRO });
        await dying.stop();
        await settle();
        expect(await spent()).to.equal(7);
    });

    it('takes no more than there is, and the rest when there is credit again', async () => {
        await setCredit(app, ada.tenantId, 5n);
        await relay(8 * MICRO);
        await settle();
        expect(await spent()).to.equal(5);
        expect(await balance()).to.equal(0n);
        await settle();
        expect(await spent()).to.equal(5);
        await setCredit(app, ada.tenantId, dollars(1));
        await settle();
        expect(await spent()).to.equal(8);
    });

    it('refuses relaying once what is counted cannot be paid, before it is charged', async () => {
        await setCredit(app, ada.tenantId, 3n);
        await relay(2 * MICRO);
        expect(await refusal()).to.be.null();
        await relay(MICRO);
        expect(await refusal()).to.equal('INSUFFICIENT_CREDITS');
        const error = expectError(
            await ada.call('GET', `/api/tunnels/${place.tunnelId}/http/`),
            'INSUFFICIENT_CREDITS',
        );
        expect(error.details).to.equal({ availableMicros: 3 });
        await setCredit(app, ada.tenantId, 10n);
        expect(await refusal()).to.be.null();
        await setCredit(app, ada.tenantId, 0n);
        expect(await refusal()).to.equal('INSUFFICIENT_CREDITS');
    });

    it('keeps to what the owner may spend in a month', async () => {
        const { status } = await ada.call('PUT', '/api/billing/limits', {
            payload: { users: { [ada.userId]: 4 } },
        });
        expect(status).to.equal(200);
        await relay(3 * MICRO);
        expect(await refusal()).to.be.null();
        await relay(3 * MICRO);
        expect(await refusal()).to.equal('SPEND_LIMIT_REACHED');
        await settle();
        expect(await spent()).to.equal(4);
    });

    it('is paid for a tunnel that was deleted, and what is less than a micro-dollar is forgotten', async () => {
        await relay(2 * MICRO + 1);
        await ada.call('DELETE', `/api/tunnels/${place.tunnelId}`);
        await relay(MICRO);
        await settle();
        expect(await spent()).to.equal(3);
        expect(await app.redis.hgetall(tenantKey(ada.tenantId, 'tunnels', 'unpaid'))).to.equal({});
    });
});

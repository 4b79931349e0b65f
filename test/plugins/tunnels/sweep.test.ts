import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { startReplicas, type TestApp } from '../../helpers/app.ts';
import { startRedis } from '../../helpers/redis.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { linkUp, newRunningTunnel, portOf, tunnelKeys } from '../../helpers/tunnel.ts';
import { eventsOf } from '../../helpers/vm.ts';

import type { TunnelPlace } from '../../../plugins/tunnels/api.ts';
import type { TestRedis } from '../../helpers/redis.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const DUE = tenantKey('platform', 'tunnel-tenants');

describe('sweep', () => {
    let redis: TestRedis;
    let app: TestApp;
    let other: TestApp;
    let ada: TestTenant;
    let place: TunnelPlace;
    let tokenHash: string;

    before(async () => {
        redis = await startRedis();
        [app, other] = await startReplicas({ redisPath: redis.path });
    });

    beforeEach(async () => {
        ada = await newTenant(app);
        const { tunnelId, token } = await newRunningTunnel(ada);
        place = { tenantId: ada.tenantId, tunnelId };
        tokenHash = (await portOf(app).authenticate(tunnelId, token))?.tunnel.tokenHash ?? '';
    });

    after(async () => {
        await Promise.all([app.stop(), other.stop()]);
        await redis.stop();
    });

    const advance = (milliseconds: number) => Promise.all([app.advance(milliseconds), other.advance(milliseconds)]);
    const keep = (connectionId: string) => portOf(app).keepLink(place, { connectionId, tokenHash });
    const stored = (field: string) => app.redis.hget(portOf(app).key(place), field);
    const changes = async () =>
        (await eventsOf(app, ada.tenantId, 'tunnel.status_changed')).map(({ data }) => `${data.from} ${data.to}`);
    const activity = async () => (await ada.call('GET', `/api/tunnels/${place.tunnelId}/activity`)).body.data.entries;
    /** Whoever was looked at is due again. */
    const sweep = async () => {
        await app.redis.zadd(DUE, 'XX', 0, ada.tenantId);
        await portOf(app).sweep();
    };
    const UP = ['created connecting', 'connecting connected'];

    it('notes a link that nobody has kept for 30 s, once however many sweep', async () => {
        const { connectionId } = await linkUp(app, place);
        await keep(connectionId);
        await advance(29_000);
        await sweep();
        expect(await changes()).to.equal(UP);
        await advance(2_000);
        const rounds = Array.from({ length: 12 }, async (_, n) => {
            await app.redis.zadd(DUE, 'XX', 0, ada.tenantId);
            await portOf(n % 2 === 0 ? app : other).sweep();
        });
        await Promise.all(rounds);
        expect(await changes()).to.equal([...UP, 'connected disconnected']);
        expect(await stored('status')).to.equal('disconnected');
        expect(await stored('connectionId')).to.be.null();
        const { body } = await ada.call('GET', `/api/tunnels/${place.tunnelId}`);
        expect(body.data.tunnel).to.include({ status: 'disconnected', reason: 'lost' });
        expect(body.data.tunnel.disconnectedAt).to.be.a.string();
        const [entry] = await activity();
        expect(entry).to.include({
            type: 'status_changed',
            details: { from: 'connected', to: 'disconnected', reason: 'lost' },
        });
    });

    it('notes one whose replica died before it was kept for the first time', async () => {
        await linkUp(app, place);
        await advance(31_000);
        await sweep();
        expect(await changes()).to.equal([...UP, 'connected disconnected']);
    });

    it('leaves a tunnel alone that has a new link meanwhile, and one whose link has ended by itself', async () => {
        await keep((await linkUp(app, place)).connectionId);
        await advance(31_000);
        const { connectionId } = await linkUp(app, place);
        await sweep();
        expect(await stored('connectionId')).to.equal(connectionId);
        expect(await stored('status')).to.equal('connected');
        await portOf(app).linkDown(place, connectionId, 'gone');
        await advance(31_000);
        await sweep();
        expect(await changes()).to.equal([...UP, 'connected disconnected']);
        expect(await stored('reason')).to.equal('gone');
    });

    it('takes a link back that is kept again after all, once', async () => {
        const { connectionId } = await linkUp(app, place);
        await keep(connectionId);
        await advance(31_000);
        await sweep();
        const kept = await Promise.all([1, 2, 3].map(() => keep(connectionId)));
        expect(kept).to.equal([true, true, true]);
        expect(await changes()).to.equal([...UP, 'connected disconnected', 'disconnected connected']);
        expect(await stored('connectionId')).to.equal(connectionId);
        expect(await stored('reason')).to.be.null();
        await sweep();
        expect(await stored('status')).to.equal('connected');
    });

    it('does not take one back that was stopped or followed by another', async () => {
        const { connectionId } = await linkUp(app, place);
        await advance(31_000);
        await sweep();
        await ada.call('POST', `/api/tunnels/${place.tunnelId}/stop`);
        expect(await keep(connectionId)).to.be.false();
        await ada.call('POST', `/api/tunnels/${place.tunnelId}/start`);
        const next = await linkUp(app, place);
        expect(await keep(connectionId)).to.be.false();
        await portOf(app).linkDown(place, next.connectionId, 'gone');
        expect(await keep(connectionId)).to.be.false();
        expect(await stored('status')).to.equal('disconnected');
    });

    it('leaves nothing of a deleted tunnel, and forgets a tenant without links', async () => {
        await linkUp(app, place);
        await ada.call('DELETE', `/api/tunnels/${place.tunnelId}`);
        await sweep();
        expect(await app.redis.zscore(DUE, ada.tenantId)).to.not.be.null();
        await advance(121_000);
        await sweep();
        const left = (await tunnelKeys(app, ada.tenantId)).filter((key) => !key.includes(':rate:'));
        expect(left).to.equal([]);
        expect(await app.redis.zscore(DUE, ada.tenantId)).to.be.null();
    });

    it('goes on with the others when one tenant cannot be looked at', async () => {
        await linkUp(app, place);
        await advance(31_000);
        await app.redis.zadd(DUE, -1, 'tenant_of_nobody');
        await app.redis.set(tenantKey('tenant_of_nobody', 'tunnels', 'linked'), 'in the way');
        await sweep();
        expect(await stored('status')).to.equal('disconnected');
        await app.redis.zrem(DUE, 'tenant_of_nobody');
    });
});

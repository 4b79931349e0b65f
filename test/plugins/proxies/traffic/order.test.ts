import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { candidatesOf } from '../../../../plugins/proxies/traffic/candidates.ts';
import { CapacityStore, leaseOn } from '../../../../plugins/proxies/traffic/capacity-store.ts';
import { newId } from '../../../../src/ids.ts';
import { startReplicas, type TestApp } from '../../../helpers/app.ts';
import { StandInProxies, type ProxyChanges } from '../../../helpers/proxy-traffic.ts';
import { newTenant } from '../../../helpers/tenant.ts';

import type { Proxy, ProxyMember, ProxyPlace } from '../../../../plugins/proxies/api.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

describe('the choice of the member', () => {
    let apps: [TestApp, TestApp];
    let stores: [CapacityStore, CapacityStore];
    let records: StandInProxies;
    let proxy: Proxy;
    let place: ProxyPlace;

    before(async () => {
        apps = await startReplicas();
        const lifetimes = { leaseMs: 30_000, placeMs: 5_000 };
        stores = [new CapacityStore(apps[0].store, lifetimes), new CapacityStore(apps[1].store, lifetimes)];
    });

    beforeEach(() => {
        records = new StandInProxies();
    });

    after(async () => {
        await Promise.all(apps.map((app) => app.stop()));
    });

    const newProxy = async (
        members: Record<string, Partial<ProxyMember>>,
        strategy: NonNullable<ProxyChanges['strategy']>,
    ) => {
        const { tenantId, userId } = await newTenant(apps[0]);
        const named = Object.entries(members).map(([tunnelId, more]) => ({ tunnelId, ...more }));
        proxy = await records.add(apps[0], { tenantId, userId }, named, { strategy });
        place = { tenantId, proxyId: proxy.id };
    };

    /** The order for one more call, and its lease. */
    const enter = async (replica = 0) => {
        const lease = newId('lease');
        const order = await (stores[replica] as CapacityStore).enter(place, {
            lease,
            capacity: 1_000,
            longest: 1,
            isClosed: false,
            isByLoad: proxy.strategy === 'least_connections',
            members: candidatesOf(proxy, records.health),
            keep: [],
        });
        if (typeof order === 'string') throw new Error('There is no room');
        return { order, lease: leaseOn(order[0] ?? '', lease) };
    };
    const firstOf = async (replica = 0) => (await enter(replica)).order[0] ?? '';
    const count = (names: string[]) => {
        const counts: Record<string, number> = {};
        for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
        return counts;
    };
    const many = async (calls: number) =>
        count(await Promise.all(Array.from({ length: calls }, (_each, at) => firstOf(at % 2))));

    it('goes round evenly, over two replicas and many at once', async () => {
        await newProxy({ a: {}, b: {}, c: {} }, 'round_robin');
        expect(await many(90)).to.equal({ a: 30, b: 30, c: 30 });
    });

    it('goes round by weight, and not in lumps', async () => {
        await newProxy({ a: { weight: 5 }, b: { weight: 1 }, c: { weight: 1 } }, 'round_robin');
        const order: string[] = [];
        for (let at = 0; at < 7; at++) order.push(await firstOf(at % 2));
        expect(order.join('')).to.equal('aabacaa');
        expect(await many(70)).to.equal({ a: 50, b: 10, c: 10 });
    });

    it('takes those that are not healthy last', async () => {
        await newProxy({ a: {}, b: {}, c: {} }, 'round_robin');
        records.isUnhealthy('b');
        records.isUnhealthy('c', true);
        expect(await many(20)).to.equal({ a: 10, c: 10 });
        expect((await enter()).order[2]).to.equal('b');
        records.isUnhealthy('a');
        records.isUnhealthy('c');
        expect(Object.keys(await many(30)).toSorted()).to.equal(['a', 'b', 'c']);
    });

    it('takes the lowest priority, by weight among equals', async () => {
        await newProxy({ last: { priority: 9 }, a: { priority: 2, weight: 3 }, b: { priority: 2 } }, 'priority');
        expect(await many(40)).to.equal({ a: 30, b: 10 });
        expect((await enter()).order[2]).to.equal('last');
        records.isUnhealthy('a');
        records.isUnhealthy('b');
        expect(await many(3)).to.equal({ last: 3 });
        records.isUnhealthy('last');
        expect((await enter()).order[2]).to.equal('last');
    });

    it('takes whichever has the fewest running calls, of all replicas', async () => {
        await newProxy({ a: {}, b: {} }, 'least_connections');
        const running = [await enter(0), await enter(1), await enter(0), await enter(1)];
        expect(count(running.map(({ order }) => order[0] ?? ''))).to.equal({ a: 2, b: 2 });
        const ofA = running.filter(({ order }) => order[0] === 'a').map(({ lease }) => lease);
        await stores[1].leave(place, { leases: ofA });
        // Two are free at one, and only then both are equal again.
        expect([await firstOf(0), await firstOf(1)]).to.equal(['a', 'a']);
        expect(await many(10)).to.equal({ a: 5, b: 5 });
    });

    it('takes the fewest for its weight', async () => {
        await newProxy({ a: { weight: 3 }, b: { weight: 1 } }, 'least_connections');
        expect(await many(40)).to.equal({ a: 30, b: 10 });
    });

    it('counts a call where it has gone to', async () => {
        await newProxy({ a: {}, b: {} }, 'least_connections');
        const { order, lease } = await enter();
        const [from = '', to = ''] = order;
        await stores[0].move(place, lease, lease.replace(from, to));
        expect(await firstOf(1)).to.equal(from);
        expect(await stores[0].load(place)).to.equal({ active: 2, waiting: 0 });
    });
});

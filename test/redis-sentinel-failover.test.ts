import { setTimeout as sleep } from 'node:timers/promises';

import Lab from '@hapi/lab';

import { expectNothingLost, expectRefusalsWithin, expectWellEnded } from './helpers/failover-checks.ts';
import { FailoverLoad, type RunningStream } from './helpers/failover-load.ts';
import { expectSameData, failOver, type Outage } from './helpers/failover.ts';
import { startHouse, type House } from './helpers/house.ts';
import { mainScenario } from './helpers/main-scenario.ts';
import { startSentinel } from './helpers/redis-sentinel.ts';
import { register, type Guest } from './helpers/scene.ts';
import { tenantKey } from '../src/redis/keys.ts';

import type { Nodes, RedisNode } from './helpers/redis-node.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

/** Before a master fails, and after another has taken over. */
const TRAFFIC_MS = 3_000;
const PLATFORM_INFO = tenantKey('platform', 'info');

describe('a master under Sentinel that is killed, and another that is frozen', { timeout: 180_000 }, () => {
    let nodes: Nodes;
    let house: House;
    let guests: Guest[];
    let load: FailoverLoad;
    const outages: Outage[] = [];
    const streams: RunningStream[] = [];

    const fail = async (how: (master: RedisNode) => unknown): Promise<RedisNode> => {
        streams.push(...(await load.streams(250)));
        const outage = await failOver(nodes, PLATFORM_INFO, how);
        outages.push(outage);
        await sleep(TRAFFIC_MS);
        return outage.old;
    };

    before(async () => {
        nodes = await startSentinel();
        const settings = { ...nodes.settings, REDIS_WAIT_REPLICAS: '1' };
        house = await startHouse(settings, async (key) => (await nodes.masterOf(key)).redis);
        guests = [await register(house.apis), await register(house.apis)];
        load = new FailoverLoad(house);
        for (const guest of guests) await load.add(guest);
        load.start();
        await sleep(TRAFFIC_MS);
        const killed = await fail((master) => master.kill());
        await killed.start();
        await nodes.untilWhole();
        const frozen = await fail((master) => master.freeze());
        frozen.thaw();
        await nodes.untilWhole();
        await load.stop();
    });

    after(async () => {
        await house.stop();
        await nodes.stop();
    });

    it('is told of with 503 while it lasts, and heals by itself', () => expectRefusalsWithin(load, outages));

    it('loses nothing that was answered well, and no money', { timeout: 120_000 }, async () => {
        for (const guest of guests) await expectNothingLost(house, load, guest);
    });

    it('lets streams end as they should', async () => {
        for (const stream of streams) await expectWellEnded(stream);
    });

    it('leaves a worker that goes on', async () => {
        const scene = { house, tenants: guests, ada: guests[0] as Guest, untilRestored: () => Promise.resolve() };
        await mainScenario['delivers webhooks']?.(scene);
    });

    it('has the old masters back as replicas of the same data', async () => {
        await house.stop();
        await expectSameData(nodes);
    });
});

import { setTimeout as sleep } from 'node:timers/promises';

import Lab from '@hapi/lab';

import { expectNothingLost, expectRefusalsWithin, expectWellEnded } from './helpers/failover-checks.ts';
import { FailoverLoad, type RunningStream } from './helpers/failover-load.ts';
import { expectSameData, failOver, infoOf, registerEverywhere, type Outage } from './helpers/failover.ts';
import { startHouse, type House } from './helpers/house.ts';
import { mainScenario } from './helpers/main-scenario.ts';
import { startCluster } from './helpers/redis-cluster.ts';
import { tenantKey } from '../src/redis/keys.ts';

import type { Nodes, RedisNode } from './helpers/redis-node.ts';
import type { Guest } from './helpers/scene.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

/** Before a master is killed, and after another has taken over. */
const TRAFFIC_MS = 3_000;
const PLATFORM_INFO = tenantKey('platform', 'info');

describe('a Redis Cluster whose masters are killed with kill -9, one after the other', { timeout: 180_000 }, () => {
    let nodes: Nodes;
    let house: House;
    let guests: Guest[];
    let load: FailoverLoad;
    const outages: Outage[] = [];
    const streams: RunningStream[] = [];

    /** Those who write wait until a replica has it, and the killed one is the only one that could be it. */
    const kill = async (key: string): Promise<Outage> => {
        streams.push(...(await load.streams(250)));
        const outage = await failOver(nodes, key, (master: RedisNode) => master.kill());
        await outage.old.start();
        await nodes.untilWhole();
        await sleep(TRAFFIC_MS);
        return { ...outage, to: Date.now() - TRAFFIC_MS };
    };

    before(async () => {
        nodes = await startCluster({ replicas: 1 });
        const settings = { ...nodes.settings, REDIS_WAIT_REPLICAS: '1' };
        house = await startHouse(settings, async (key) => (await nodes.masterOf(key)).redis);
        guests = (await registerEverywhere(house, nodes)).slice(0, 3);
        load = new FailoverLoad(house);
        for (const guest of guests) await load.add(guest);
        load.start();
        await sleep(TRAFFIC_MS);
        const ofPlatform = await nodes.masterOf(PLATFORM_INFO);
        for (const guest of guests) {
            const isApart = (await nodes.masterOf(infoOf(guest))) !== ofPlatform;
            if (isApart && outages.length === 0) outages.push(await kill(infoOf(guest)));
        }
        outages.push(await kill(PLATFORM_INFO));
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

    it('has the killed masters back as replicas of the same data', async () => {
        await house.stop();
        await expectSameData(nodes);
    });
});

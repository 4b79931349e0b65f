import { expect } from '@hapi/code';

import { registerEverywhere } from './failover.ts';
import { startHouse, type House } from './house.ts';
import { mainScenario } from './main-scenario.ts';

import type { script } from '@hapi/lab';
import type { Nodes } from './redis-node.ts';
import type { Guest, Scene } from './scene.ts';

/** Keys are named so, whatever they are. */
const TENANTS_KEY = /^tenant:\{[A-Za-z0-9_]+\}:./;

/** Tests, a step of the main scenario each, over nodes of Redis. */
export function playOn({ it, before, after }: ReturnType<typeof script>, start: () => Promise<Nodes>): void {
    let nodes: Nodes;
    let house: House;
    let scene: Scene;

    before(async () => {
        nodes = await start();
        house = await startHouse(nodes.settings, async (key) => (await nodes.masterOf(key)).redis);
        const tenants = await registerEverywhere(house, nodes);
        scene = { house, tenants, ada: tenants[0] as Guest, untilRestored: () => Promise.resolve() };
    });

    after(async () => {
        await house.stop();
        await nodes.stop();
    });

    for (const [what, act] of Object.entries(mainScenario)) {
        it(what, { timeout: 120_000 }, () => act(scene));
    }

    it('keeps every key under its tenant', async () => {
        for (const { redis } of await nodes.masters()) {
            const keys = await redis.keys('*');
            expect(keys.filter((key) => !TENANTS_KEY.test(key))).to.equal([]);
            expect(keys.length).to.be.above(15);
        }
    });

    it('logs no error, and nothing of slots', () => {
        const lines = house.logs();
        expect(lines.length).to.be.above(100);
        expect(lines.filter(({ level }) => Number(level) >= 50)).to.equal([]);
        expect(lines.filter((line) => /CROSSSLOT|MOVED|CLUSTERDOWN/.test(JSON.stringify(line)))).to.equal([]);
    });
}

import { waitUntil, type Nodes, type RedisNode } from './redis-node.ts';
import { register, type Guest } from './scene.ts';
import { tenantKey } from '../../src/redis/keys.ts';

import type { House } from './house.ts';

/** Of so many domains, some have their tenants on each of a few masters. */
const MOST_TENANTS = 40;

/** Where the keys of a tenant are. */
export const infoOf = ({ tenantId }: Pick<Guest, 'tenantId'>): string => tenantKey(tenantId, 'info');

/** Registers tenants until each master has one, and one more; their admins, each from another master than the last. */
export async function registerEverywhere({ apis }: House, nodes: Nodes): Promise<Guest[]> {
    const masters = await nodes.masters();
    const found: Guest[] = [];
    const seen = new Set<RedisNode>();
    for (let n = 0; n < MOST_TENANTS && seen.size < masters.length; n++) {
        const guest = await register(n % 2 === 0 ? apis : [apis[1], apis[0]]);
        const master = await nodes.masterOf(infoOf(guest));
        if (!seen.has(master)) found.push(guest);
        seen.add(master);
    }
    if (seen.size < masters.length) throw new Error('A master has no tenant');
    return [...found, await register(apis)];
}

/** A time in which Redis may be away: until another node took over. */
export interface Outage {
    old: RedisNode;
    from: number;
    to: number;
}

/** Has the master of a key fail, and waits until another node has taken over. */
export async function failOver(nodes: Nodes, key: string, fail: (master: RedisNode) => unknown): Promise<Outage> {
    const old = await nodes.masterOf(key);
    const from = Date.now();
    await fail(old);
    await waitUntil('another node takes over', async () => (await nodes.masterOf(key)) !== old);
    return { old, from, to: Date.now() };
}

/** Says that all that follow a master have what it has. Nobody may write any more. */
export async function expectSameData({ nodes, masters }: Nodes): Promise<void> {
    const offsets = await Promise.all(nodes.map((node) => node.info('replication')));
    for (const master of await masters()) {
        const digest = async ({ redis }: RedisNode) => String(await redis.call('DEBUG', 'DIGEST'));
        const followers = nodes.filter((_, n) => Number(offsets[n]?.master_port) === master.port);
        if (followers.length === 0) throw new Error('Nobody follows a master');
        await waitUntil('all have the same', async () => {
            const digests = await Promise.all([master, ...followers].map(digest));
            return new Set(digests).size === 1;
        });
    }
}

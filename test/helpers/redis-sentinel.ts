import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { temporaryFolder } from './folder.ts';
import { freePorts } from './free-ports.ts';
import { argsOf, RedisNode, REPLICATING, waitUntil, type Nodes } from './redis-node.ts';

const NAME = 'main';
const SENTINELS = 3;
/** How long a master may say nothing before it is taken for dead, if two of three say so. */
const DOWN_AFTER_MS = 1_500;

/** A master with replicas, and three that watch it. */
export async function startSentinel({ replicas = 2 } = {}): Promise<Nodes> {
    const ports = await freePorts(1 + replicas + SENTINELS);
    const [first = 0, ...others] = ports.slice(0, 1 + replicas);
    const settings = argsOf(REPLICATING);
    const follow = [...settings, '--replicaof', '127.0.0.1', String(first)];
    const nodes = [new RedisNode(first, settings), ...others.map((port) => new RedisNode(port, follow))];
    const watchers = ports.slice(1 + replicas).map((port) => new RedisNode(port, [sentinelFile(first), '--sentinel']));
    const sentinel = new Sentinels(nodes, watchers);
    await Promise.all(nodes.map((node) => node.start()));
    await sentinel.untilFollowed(nodes[0] as RedisNode);
    await Promise.all(watchers.map((watcher) => watcher.start()));
    await sentinel.untilWhole();
    return sentinel;
}

/** They write down in it what they find out. */
function sentinelFile(port: number): string {
    const file = join(temporaryFolder(), 'sentinel.conf');
    const lines = [
        `sentinel monitor ${NAME} 127.0.0.1 ${port} 2`,
        `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
        `sentinel failover-timeout ${NAME} 5000`,
        `sentinel parallel-syncs ${NAME} 2`,
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
    return file;
}

class Sentinels implements Nodes {
    readonly settings: Record<string, string>;
    readonly nodes: RedisNode[];
    readonly #watchers: RedisNode[];

    constructor(nodes: RedisNode[], watchers: RedisNode[]) {
        this.nodes = nodes;
        this.#watchers = watchers;
        const addresses = watchers.map(({ address }) => address).join();
        this.settings = { REDIS_SENTINELS: addresses, REDIS_SENTINEL_NAME: NAME };
    }

    readonly masters = async (): Promise<RedisNode[]> => [await this.masterOf()];

    /** The one that they all name, and that knows it. */
    readonly masterOf = async (): Promise<RedisNode> => {
        const ports = await Promise.all(this.#watchers.map(portOfMaster));
        const node = this.nodes.find(({ port }) => ports.every((said) => said === port));
        const role = node && (await node.info('replication')).role;
        if (role !== 'master') throw new Error(`They do not agree: ${ports.join()} is ${role}`);
        return node as RedisNode;
    };

    readonly untilWhole = (): Promise<void> =>
        waitUntil(
            'all know all, and follow',
            async () => {
                const known = await Promise.all(this.#watchers.map(knownBy));
                const isKnown = known.every(
                    ({ sentinels, replicas }) => sentinels === SENTINELS - 1 && replicas === this.nodes.length - 1,
                );
                return isKnown && this.#isFollowed(await this.masterOf());
            },
            60_000,
        );

    untilFollowed(master: RedisNode): Promise<void> {
        return waitUntil('the replicas are in sync', () => this.#isFollowed(master));
    }

    readonly stop = async (): Promise<void> => {
        await Promise.all([...this.#watchers, ...this.nodes].map((node) => node.stop()));
    };

    async #isFollowed(master: RedisNode): Promise<boolean> {
        const { role, ...said } = await master.info('replication');
        const online = this.nodes.filter((_, n) => said[`slave${n}`]?.includes('state=online'));
        return role === 'master' && online.length === this.nodes.length - 1;
    }
}

async function portOfMaster({ redis }: RedisNode): Promise<number> {
    const said = (await redis.call('SENTINEL', 'get-master-addr-by-name', NAME)) as string[];
    return Number(said[1]);
}

async function knownBy({ redis }: RedisNode): Promise<{ sentinels: number; replicas: number }> {
    const flat = (await redis.call('SENTINEL', 'master', NAME)) as string[];
    const read = (field: string) => Number(flat[flat.indexOf(field) + 1]);
    return { sentinels: read('num-other-sentinels'), replicas: read('num-slaves') };
}

import { Redis } from 'ioredis';

import { freePorts } from './free-ports.ts';
import { argsOf, RedisNode, REPLICATING, waitUntil, type Nodes } from './redis-node.ts';

const SLOTS = 16_384;
/** How long a node may say nothing before the others take it for dead: not for want of a processor where none dies. */
const NODE_TIMEOUT_MS = { withReplicas: 2_000, alone: 30_000 };

/** A Redis Cluster of a test's own: so many masters, each with so many replicas. */
export async function startCluster({ masters = 3, replicas = 0 } = {}): Promise<Nodes> {
    const count = masters * (1 + replicas);
    const ports = await freePorts(2 * count);
    const timeoutMs = NODE_TIMEOUT_MS[replicas > 0 ? 'withReplicas' : 'alone'];
    const nodes = Array.from(
        { length: count },
        (_, n) => new RedisNode(ports[n] ?? 0, settings(ports[count + n] ?? 0, timeoutMs)),
    );
    const cluster = new Cluster(nodes, masters, replicas);
    await Promise.all(nodes.map((node) => node.start()));
    await join(nodes, ports.slice(count));
    await share(nodes.slice(0, masters));
    await waitUntil('all nodes know all nodes', async () => {
        const known = await Promise.all(nodes.map(async ({ redis }) => (await nodesSeenBy(redis)).length));
        return known.every((seen) => seen === count);
    });
    for (const [n, node] of nodes.slice(masters).entries()) {
        const id = String(await nodes[n % masters]?.redis.cluster('MYID'));
        await waitUntil('a node is a replica', async () => (await node.redis.cluster('REPLICATE', id)) === 'OK');
    }
    await cluster.untilWhole();
    return cluster;
}

const settings = (busPort: number, timeoutMs: number): string[] =>
    argsOf({
        ...REPLICATING,
        'cluster-enabled': 'yes',
        'cluster-config-file': 'nodes.conf',
        'cluster-port': String(busPort),
        'cluster-announce-ip': '127.0.0.1',
        'cluster-node-timeout': String(timeoutMs),
        // A replica takes over however long it has heard nothing, and stays with its master.
        'cluster-replica-validity-factor': '0',
        'cluster-allow-replica-migration': 'no',
    });

async function join(nodes: RedisNode[], busPorts: number[]): Promise<void> {
    for (const [n, { redis }] of nodes.entries()) await redis.cluster('SET-CONFIG-EPOCH', n + 1);
    const [first] = nodes;
    for (const [n, { port }] of nodes.entries()) {
        if (n > 0) await first?.redis.call('CLUSTER', 'MEET', '127.0.0.1', String(port), String(busPorts[n]));
    }
}

/** Gives each of them as many slots as the others. */
async function share(masters: RedisNode[]): Promise<void> {
    const size = Math.ceil(SLOTS / masters.length);
    for (const [n, { redis }] of masters.entries()) {
        const last = Math.min(SLOTS, (n + 1) * size) - 1;
        await redis.call('CLUSTER', 'ADDSLOTSRANGE', String(n * size), String(last));
    }
}

interface SeenNode {
    port: number;
    isMaster: boolean;
    isUp: boolean;
    /** From, to. */
    slots: [number, number][];
}

/** What CLUSTER NODES tells. */
async function nodesSeenBy(redis: Redis): Promise<SeenNode[]> {
    const lines = String(await redis.cluster('NODES'))
        .trim()
        .split('\n');
    return lines.map((line) => {
        const [, address = '', flags = '', , , , , state, ...ranges] = line.split(' ');
        const slots = ranges.map((range) => range.split('-').map(Number));
        return {
            port: Number(/:(\d+)@/.exec(address)?.[1]),
            isMaster: flags.split(',').includes('master'),
            isUp: state === 'connected' && !/fail|handshake|noaddr/.test(flags),
            slots: slots.map(([from = 0, to = from]) => [from, to]),
        };
    });
}

class Cluster implements Nodes {
    readonly nodes: RedisNode[];
    readonly settings: Record<string, string>;
    readonly #masters: number;
    readonly #replicas: number;

    constructor(nodes: RedisNode[], masters: number, replicas: number) {
        this.nodes = nodes;
        this.settings = { REDIS_CLUSTER: nodes.map(({ address }) => address).join() };
        this.#masters = masters;
        this.#replicas = replicas;
    }

    readonly masters = async (): Promise<RedisNode[]> => {
        const ports = (await this.#seen()).filter(({ isMaster, isUp }) => isMaster && isUp).map(({ port }) => port);
        return this.nodes.filter(({ port }) => ports.includes(port));
    };

    readonly masterOf = async (key: string): Promise<RedisNode> => {
        const slot = Number(await (await this.#anyNode()).redis.cluster('KEYSLOT', key));
        const holds = ({ slots }: SeenNode) => slots.some(([from, to]) => from <= slot && slot <= to);
        const port = (await this.#seen()).find((seen) => seen.isMaster && seen.isUp && holds(seen))?.port;
        const node = this.nodes.find((one) => one.port === port);
        if (!node) throw new Error(`Nobody has slot ${slot}`);
        return node;
    };

    readonly untilWhole = (): Promise<void> => waitUntil('the cluster is whole', () => this.#isWhole());

    readonly stop = async (): Promise<void> => {
        await Promise.all(this.nodes.map((node) => node.stop()));
    };

    async #isWhole(): Promise<boolean> {
        const replications: Record<string, string>[] = await Promise.all(
            this.nodes.map(async (node) => {
                const said = String(await node.redis.cluster('INFO'));
                return /cluster_state:ok/.test(said) ? node.info('replication') : {};
            }),
        );
        const masters = replications.filter(({ role }) => role === 'master');
        const replicas = replications.filter(({ role, master_link_status: link }) => role === 'slave' && link === 'up');
        const isOnline = (master: Record<string, string>) =>
            Array.from({ length: this.#replicas }, (_, n) => master[`slave${n}`] ?? '').every((said) =>
                said.includes('state=online'),
            );
        return (
            masters.length === this.#masters &&
            replicas.length === this.nodes.length - this.#masters &&
            masters.every(isOnline)
        );
    }

    async #seen(): Promise<SeenNode[]> {
        return nodesSeenBy((await this.#anyNode()).redis);
    }

    /** One that answers. */
    async #anyNode(): Promise<RedisNode> {
        for (const node of this.nodes.filter(({ isRunning }) => isRunning)) {
            if (await node.redis.ping().catch(() => false)) return node;
        }
        throw new Error('No node answers');
    }
}

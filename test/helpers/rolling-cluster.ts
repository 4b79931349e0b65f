import { setTimeout as sleep } from 'node:timers/promises';

import { Redis } from 'ioredis';

import { priceOf, writeCatalogue } from './catalogue.ts';
import { freePort } from './free-ports.ts';
import { startService } from './live-tunnel.ts';
import { told } from './paid-calls.ts';
import { startProcess, type TestProcess } from './process.ts';
import { get, newClient, post } from './program.ts';
import { startProvider, type Provider } from './provider.ts';
import { startRedis } from './redis.ts';
import { chunk } from './remote-model.ts';
import { startReplicaPool, type ReplicaPool } from './replica-pool.ts';
import { counted, type Member } from './rolling-clients.ts';
import { spawnAgent, until } from './tunnel-agent.ts';
import { tenantKey } from '../../src/redis/keys.ts';

/** Between being taken out of the pool and being told to stop, as a `preStop` hook has it. */
const PRE_STOP_MS = 500;
/** Then it is killed, and its exit code is none. */
const GRACE_MS = 90_000;
const PAUSE_MS = 100;
const PIECES = 20;
const ERROR_LEVEL = 50;

export interface TestTunnel {
    id: string;
    /** What happened to it, the oldest first: its new statuses, and whatever else. */
    activity: () => Promise<string[]>;
    agentLog: () => string;
}

/** Two replicas behind a pool, on one Redis, with a provider and people who use them. */
export interface Cluster {
    pool: ReplicaPool;
    provider: Provider;
    replicas: [TestProcess, TestProcess];
    members: [Member, Member, Member, Member];
    /** What the paid model answers, and `/slow` behind a tunnel. */
    answer: string;
    /** Of those that were stopped: their exit codes, and what they wrote. */
    exits: (number | null)[];
    logs: string[];
    /** Tells a replica to stop, and waits for its end; the pool is told before, or finds out by itself. */
    end: (place: number, isTakenOutFirst: boolean) => Promise<void>;
    /** Puts another in its place. */
    replace: (place: number) => Promise<void>;
    openTunnel: (member: Member, name: string) => Promise<TestTunnel>;
    stop: () => Promise<void>;
}

/** The paid model costs 1 micro-dollar a token in, and 2 out. */
const shared = {
    JWT_KEYS: 'k1:a secret of a test that is long enough to be one',
    VAULT_KEYS: `k1:${Buffer.alloc(32, 7).toString('base64')}`,
    INTERNAL_KEY: 'a key that only these two replicas know of',
    PROVIDER_KEYS_SHARED: 'openai=a key of the test',
    CATALOGUE_FILE: writeCatalogue([
        { id: 'remote', provider: 'openai', prices: priceOf({ input: 1_000_000, output: 2_000_000 }) },
        { id: 'sandbox' },
    ]),
    SANDBOX_TOKEN_DELAY_MS: String(PAUSE_MS),
};

export async function startCluster(settings: Record<string, string>): Promise<Cluster> {
    const [port, provider, pool] = await Promise.all([freePort(), startProvider(), startReplicaPool()]);
    const redis = await startRedis(['--port', String(port), '--bind', '127.0.0.1']);
    const client = new Redis(redis.path);
    const start = async (): Promise<TestProcess> => {
        const own = { INTERNAL_PORT: String(await freePort()), REDIS_URL: `redis://127.0.0.1:${port}` };
        const replica = await startProcess({ ...shared, OPENAI_BASE_URL: `${provider.url}/v1`, ...own, ...settings });
        pool.add(replica.url);
        return replica;
    };
    const answer = counted(PIECES);
    const pieces = answer.split(/(?= )/);
    provider.answer({
        steps: [...pieces.flatMap((piece) => [chunk(piece), PAUSE_MS]), told({ input: 10, output: 20 })],
    });
    const replicas = await Promise.all([start(), start()]);
    const join = (name: string) => newMember(pool.url, `${name}.example`, client);
    const members: Cluster['members'] = [await join('ada'), await join('bob'), await join('eve'), await join('joe')];
    const logs: string[] = [];
    const exits: (number | null)[] = [];
    const ends: (() => Promise<unknown>)[] = [];
    return {
        pool,
        provider,
        replicas,
        members,
        answer,
        exits,
        logs,
        end: async (place, isTakenOutFirst) => {
            const replica = replicas[place];
            if (!replica) throw new Error('There is no such replica');
            if (isTakenOutFirst) {
                pool.remove(replica.url);
                await sleep(PRE_STOP_MS);
            }
            const patience = setTimeout(() => void replica.stop('SIGKILL'), GRACE_MS);
            exits.push((await replica.stop()).code);
            clearTimeout(patience);
            logs.push(replica.output().stdout);
        },
        replace: async (place) => {
            replicas[place] = await start();
        },
        openTunnel: async (member, name) => {
            const [tunnel, end] = await openTunnel(member, name, pieces);
            ends.push(end);
            return tunnel;
        },
        stop: async () => {
            for (const end of ends) await end();
            await Promise.all(replicas.map((replica) => replica.stop()));
            client.disconnect();
            await Promise.all([redis.stop(), provider.stop(), pool.stop()]);
        },
    };
}

interface LogLine {
    level: number;
    msg?: string;
    path?: string;
}

const linesOf = (log: string): LogLine[] =>
    log
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as LogLine);

/** What any replica wrote of errors. */
export const errorLines = ({ logs, replicas }: Cluster): string[] =>
    [...logs, ...replicas.map((replica) => replica.output().stdout)]
        .flatMap(linesOf)
        .filter(({ level }) => level >= ERROR_LEVEL)
        .map((line) => JSON.stringify(line));

/** The paths of requests that a replica answered after it was told to stop. */
export function answeredAfterStop(log: string): string[] {
    const lines = linesOf(log);
    const stopping = lines.findIndex(({ msg }) => msg === 'stopping');
    return lines.slice(stopping).flatMap(({ path }) => path ?? []);
}

/** A tenant's admin who may do much at a time. */
async function newMember(url: string, domain: string, redis: Redis): Promise<Member> {
    const client = await newClient(url, domain);
    await redis.hset(tenantKey(client.tenantId, 'info'), 'plan', 'enterprise');
    // Nor are there summaries, which would be paid too.
    await fetch(`${url}/api/profile`, {
        method: 'PATCH',
        headers: { authorization: `Bearer ${client.token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ settings: { summarizationInterval: 100 } }),
    });
    return { ...client, url };
}

interface Entry {
    type: string;
    details: { to?: string } | null;
}

/** A service that answers at once, or a piece at a time, and an agent of its own process beside it. */
async function openTunnel(
    { url, token }: Member,
    name: string,
    pieces: string[],
): Promise<[TestTunnel, () => Promise<unknown>]> {
    const service = await startService(async (request, response) => {
        if (request.url !== '/slow') return response.end('well');
        for (const piece of pieces) {
            response.write(piece);
            await sleep(2 * PAUSE_MS);
        }
        response.end();
    });
    const { data } = await post(`${url}/api/tunnels`, { name }, token);
    const { id } = data.tunnel;
    await post(`${url}/api/tunnels/${id}/start`, {}, token);
    const agent = spawnAgent(['--url', url, '--target', service.url], { LLM_TUNNEL_TOKEN: data.token });
    const activity = async (): Promise<string[]> => {
        const { body } = await get(`${url}/api/tunnels/${id}/activity?limit=100`, token);
        return body.data.entries.map(({ type, details }: Entry) => details?.to ?? type).toReversed();
    };
    await until(async () => (await activity()).includes('connected'), 60_000);
    const tunnel = { id: String(id), activity, agentLog: () => agent.output().stdout };
    return [tunnel, () => Promise.all([agent.stop(), service.stop()])];
}

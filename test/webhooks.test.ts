import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import { Redis } from 'ioredis';
import { Webhook } from 'standardwebhooks';

import { freePort } from './helpers/free-ports.ts';
import { startProcess, type TestProcess } from './helpers/process.ts';
import { newClient, post, type Client } from './helpers/program.ts';
import { startRedis, type TestRedis } from './helpers/redis.ts';

import type { AddressInfo } from 'node:net';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

/** `KILLS=100` for as many as it takes to believe it; each costs the start of a process. */
const KILLS = Number(process.env.KILLS ?? 6);
const REPLICAS = 3;
/** Not more than may register at once from one address. */
const TENANTS = 4;
/** Between two changes of a tenant: its webhook is sent 60 times a minute and no more. */
const PAUSE_MS = 700;
/** Longer than the lease of a killed worker on its jobs and of a killed reader on its events. */
const SETTLE_MS = 90_000;

/** Where a webhook is sent to. */
interface Receiver {
    url: string;
    /** Of the webhook. */
    secrets: string[];
    /** What the bodies told of, each event once. */
    threads: () => string[];
    /** Wrong signatures, and bodies that differ from those of the same event before. */
    faults: string[];
    stop: () => Promise<unknown>;
}

async function startReceiver(): Promise<Receiver> {
    const bodies = new Map<string, string>();
    const secrets: string[] = [];
    const faults: string[] = [];
    const take = (headers: IncomingHttpHeaders, body: string) => {
        const id = String(headers['webhook-id']);
        if ((bodies.get(id) ?? body) !== body) faults.push(`${id}: another body than before`);
        bodies.set(id, body);
        try {
            new Webhook(secrets[0] ?? '').verify(body, headers as Record<string, string>);
        } catch (error) {
            faults.push(`${id}: ${String(error)}`);
        }
    };
    const server = createServer((request, response) => {
        void text(request).then(
            (body) => {
                take(request.headers, body);
                response.end();
            },
            // Its sender was killed.
            () => undefined,
        );
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return {
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
        secrets,
        threads: () => [...bodies.values()].map((body) => JSON.parse(body).data.threadId as string).toSorted(),
        faults,
        stop: () => {
            server.closeAllConnections();
            return new Promise((resolve) => server.close(resolve));
        },
    };
}

/** Replicas of which some are being killed and started again. */
class Replicas {
    readonly #environment: Record<string, string>;
    readonly #running = new Set<TestProcess>();
    readonly #starting = new Set<Promise<unknown>>();

    constructor(environment: Record<string, string>) {
        this.#environment = environment;
    }

    async start(): Promise<void> {
        this.#running.add(await startProcess(this.#environment));
    }

    any(): TestProcess | undefined {
        return [...this.#running][randomInt(Math.max(1, this.#running.size))];
    }

    async killOne(): Promise<void> {
        const victim = this.any();
        if (!victim) return;
        this.#running.delete(victim);
        await victim.stop('SIGKILL');
        const successor = this.start().finally(() => this.#starting.delete(successor));
        this.#starting.add(successor);
    }

    get count(): number {
        return this.#running.size;
    }

    async stop(): Promise<void> {
        await Promise.all(this.#starting);
        await Promise.all([...this.#running].map((replica) => replica.stop()));
    }
}

/** A tenant with a webhook for its new threads. */
interface Told {
    client: Client;
    receiver: Receiver;
}

async function newTold(url: string, domain: string, direct: Redis): Promise<Told> {
    const client = await newClient(url, domain);
    await direct.hset(`tenant:{${client.tenantId}}:info`, 'plan', 'enterprise');
    const receiver = await startReceiver();
    const webhook = { url: receiver.url, filter: { events: ['thread.created'] } };
    const { data } = await post(`${url}/api/webhooks`, webhook, client.token);
    receiver.secrets.push(data.secret);
    return { client, receiver };
}

/** The threads that the tenant's user has, and the events that tell of them; the first thread is older than the webhook. */
async function committed(direct: Redis, { tenantId, thread }: Client): Promise<{ threads: string[]; told: string[] }> {
    const entries = await direct.xrange(`tenant:{${tenantId}}:events`, '-', '+');
    const events = entries
        .filter(([, fields]) => fields.includes('thread.created'))
        .map(
            ([, fields]) =>
                JSON.parse(fields[fields.indexOf('data') + 1] ?? '') as { threadId: string; userId: string },
        );
    const owner = events[0]?.userId ?? '';
    const threads = await direct.zrange(`tenant:{${tenantId}}:user:${owner}:threads:created`, 0, '-1');
    const isLater = (id: string) => id !== thread;
    return {
        threads: threads.filter(isLater).toSorted(),
        told: events
            .map(({ threadId }) => threadId)
            .filter(isLater)
            .toSorted(),
    };
}

describe('webhooks while replicas are killed with kill -9', () => {
    let redis: TestRedis;
    let direct: Redis;
    let replicas: Replicas;
    let tenants: Told[];
    let isWriting = true;

    /** Makes threads wherever a replica answers; what is not answered may be done or not. */
    async function write({ client }: Told): Promise<void> {
        for (let n = 0; isWriting; n++) {
            const url = replicas.any()?.url;
            if (url !== undefined) {
                await post(`${url}/api/threads`, { title: `Thread ${n}` }, client.token).catch(() => undefined);
            }
            await sleep(randomInt(2 * PAUSE_MS));
        }
    }

    before(async () => {
        const port = await freePort();
        redis = await startRedis(['--port', String(port)]);
        direct = new Redis(redis.path);
        replicas = new Replicas({
            REDIS_URL: `redis://127.0.0.1:${port}`,
            JWT_KEYS: 'k1:a secret of a test that is long enough to be one',
            VAULT_KEYS: `k1:${Buffer.alloc(32, 7).toString('base64')}`,
            WEBHOOK_ALLOW_PRIVATE: 'true',
            ACCESS_TOKEN_TTL: '3600',
            // Who is killed tells nothing of what it has covered, and starts sooner without.
            NODE_V8_COVERAGE: '',
        });
        await Promise.all(Array.from({ length: REPLICAS }, () => replicas.start()));
        const url = replicas.any()?.url ?? '';
        tenants = [];
        for (let n = 0; n < TENANTS; n++) tenants.push(await newTold(url, `tenant${n}.example`, direct));
    });

    after(async () => {
        await replicas.stop();
        await Promise.all(tenants.map(({ receiver }) => receiver.stop()));
        direct.disconnect();
        await redis.stop();
    });

    it('tell of every change that was committed, and of none that was not', { timeout: 600_000 }, async () => {
        const writers = tenants.map(write);
        for (let killed = 0; killed < KILLS; killed++) {
            await sleep(randomInt(PAUSE_MS));
            while (replicas.count < 2) await sleep(10);
            await replicas.killOne();
        }
        isWriting = false;
        await Promise.all(writers);
        const end = Date.now() + SETTLE_MS;
        for (const { client, receiver } of tenants) {
            const { threads, told } = await committed(direct, client);
            expect(told).to.equal(threads);
            expect(told.length).to.be.above(2);
            while (receiver.threads().length < told.length && Date.now() < end) await sleep(200);
            expect(receiver.threads()).to.equal(told);
            expect(receiver.faults).to.equal([]);
        }
    });
});

import { randomBytes } from 'node:crypto';

import { Queue } from 'bullmq';

import { clientOf } from './client.ts';
import { until } from './errands.ts';
import { startModel } from './model.ts';
import { invite, register, type Guest, type House, type Place } from './place.ts';
import { startMailbox, startReceiver } from './receivers.ts';
import { PREFIX, QUEUE } from '../../../src/jobs/jobs.ts';
import { tenantKey } from '../../../src/redis/keys.ts';

import type { Redis } from 'ioredis';
import type { Contestant } from '../contestant.ts';
import type { Scene } from '../scene.ts';

/** The place, its API and Redis, and the tenants that stay until the end. */
export interface Stage extends Place {
    api: Contestant;
    redis: Redis;
    houses: House[];
    guests: Guest[];
    /** Whatever went wrong so far. */
    faults: Error[];
    close: () => Promise<void>;
}

const HOUSES = 6;
/** So many that none of them deletes more threads in a minute than one may. */
const GUESTS_PER_HOUSE = 14;
const PURGE_PATIENCE_MS = 60_000;
/** The heap of a pod with 512 MiB, in our image: with all of a machine's memory garbage may wait for minutes. */
const HEAP = '--max-old-space-size=256 --max-semi-space-size=16';

export async function openStage({ start, startAnother }: Scene): Promise<Stage> {
    const faults: Error[] = [];
    const [model, receiver, mailbox] = await Promise.all([
        startModel(),
        startReceiver((error) => faults.push(error)),
        startMailbox(),
    ]);
    const service = await start('dist/scripts/bench/processes/service.js', {}, { isMeasured: false });
    const password = randomBytes(16).toString('hex');
    const settings = {
        // Production's own would send no webhook to this machine.
        NODE_ENV: 'development',
        NODE_OPTIONS: HEAP,
        WEBHOOK_ALLOW_PRIVATE: 'true',
        REGISTRATION: 'open',
        SANDBOX_MODEL: 'off',
        PLATFORM_ADMIN_PASSWORD: password,
        OPENAI_BASE_URL: `${model.url}/v1`,
        // Hashes are not what grows; at the usual cost they would be most of the work.
        BCRYPT_COST: '10',
        // Who follows events is there all the time.
        ACCESS_TOKEN_TTL: '86400',
        ...mailbox.settings,
    };
    const { api, ground } = await startAnother('soak', settings, 1);
    const client = clientOf(api.url);
    const payload = { email: 'admin@platform.local', password };
    const { accessToken: platform } = await client.call<{ accessToken: string }>('POST', '/api/login', { payload });
    const place: Place = { client, model, receiver, mailbox, service: service.url, platform };
    const houses = await Promise.all(Array.from({ length: HOUSES }, () => register(place)));
    const guests: Guest[] = [];
    for (let n = 0; n < GUESTS_PER_HOUSE; n++) {
        guests.push(...(await Promise.all(houses.map((house) => invite(place, house)))));
    }
    const close = async (): Promise<void> => {
        await client.close();
        for (const { stop } of [model, receiver, mailbox]) stop();
    };
    return { ...place, api, redis: ground.redis, houses, guests, faults, close };
}

/** Lets the month go by after which deleted tenants are purged, and waits for the workers to do it. */
export async function purge({ client, platform, redis }: Stage, houses: House[]): Promise<void> {
    for (const { tenantId } of houses) await redis.hset(tenantKey(tenantId, 'info'), 'deletedAt', '1');
    const queue = new Queue(QUEUE, { connection: redis, prefix: PREFIX, skipVersionCheck: true });
    await queue.promoteJobs();
    await queue.close();
    await until(
        async () => (await redis.exists(...houses.map(({ tenantId }) => tenantKey(tenantId, 'info')))) === 0,
        'the purge of deleted tenants',
        PURGE_PATIENCE_MS,
    );
    for (const { tenantId } of houses) {
        await client.call('GET', `/api/admin/tenants/${tenantId}`, { token: platform, expects: 404 });
    }
}

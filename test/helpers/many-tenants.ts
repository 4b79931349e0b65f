import { randomBytes } from 'node:crypto';

import { tenantKey } from '../../src/redis/keys.ts';

import type { TestApp } from './app.ts';
import type { Plan } from '../../plugins/tenants/api.ts';

/** How many tenants are made at the same time. */
const AT_ONCE = 32;
const DAY_MS = 86_400_000;
const PLANS: Plan[] = ['free', 'premium', 'enterprise'];
/** Of no password: nobody logs in as one of these. */
const PASSWORD_HASH = '$2b$04$'.padEnd(60, '.');

export interface ManyTenants {
    /** In no particular order. */
    tenantIds: string[];
    /** What their domains have in common, and nobody else's: `t<number>.<run>.example`, from 0 on. */
    run: string;
}

/** Whether the proofs with 2,000 tenants and 100,000 users are asked for: `MANY=1`. */
export const isMany = process.env.MANY === '1';

/**
 * Tenants with so many users each, the first of them the admin, made as the API makes them but for passwords: records,
 * indexes, events, and what features do for a new tenant. They are named `Tenant <number>`, the plans go round, and
 * user `<m>` of tenant `<n>` is `user<m>@t<n>.<run>.example`, `User <m> Of<n>`. What is consistent only later, as the
 * directory, is brought up to date by the feature's own code afterwards.
 */
export async function addManyTenants(app: TestApp, tenants: number, users: number): Promise<ManyTenants> {
    const run = randomBytes(6).toString('hex');
    const tenantIds: string[] = [];
    let next = 0;
    const add = async () => {
        for (let n = next++; n < tenants; n = next++) tenantIds.push(await addTenant(app, run, n, users));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, add));
    return { tenantIds, run };
}

async function addTenant(app: TestApp, run: string, n: number, count: number): Promise<string> {
    const { tenants, users } = app.server.plugins;
    const domain = `t${n}.${run}.example`;
    const details = { name: `Tenant ${n}`, domain, plan: PLANS[n % PLANS.length] ?? 'free' };
    const { id } = await tenants.create(details, async (tenantId) => {
        const drafts = Array.from({ length: count }, (_, m) => {
            const role = m === 0 ? 'admin' : 'user';
            const user = { email: `user${m}@${domain}`, displayName: `User ${m} Of${n}`, role } as const;
            return users.draft(tenantId, { ...user, passwordHash: PASSWORD_HASH });
        });
        const created = drafts.map(({ user }) => ({ type: 'user.created' as const, data: { userId: user.id } }));
        const events = [{ type: 'tenant.created' as const, data: { tenantId } }, ...created];
        return { drafts: drafts.map(({ draft }) => draft), outbox: { events } };
    });
    return id;
}

/**
 * What tenants came to on each of the last days, as their own keys have it: 1,000 micros, 3 calls of a model, a backup
 * and a refusal a day. They are as old as that.
 */
export async function addFigures({ redis, server }: TestApp, tenantIds: string[], days: number): Promise<void> {
    const now = Date.now();
    for (const id of tenantIds) {
        const batch = redis.pipeline();
        batch.hset(server.plugins.tenants.key(id), 'createdAt', now - (days - 1) * DAY_MS);
        for (let n = 0; n < days; n++) {
            const at = now - n * DAY_MS;
            const date = new Date(at).toISOString().slice(0, 10).replaceAll('-', '');
            const credits = { tenant: 1_000, 'type:model_usage': -1_000 };
            const calls = { 'gpt-4o:calls': 3, 'gpt-4o:tokens': 900 };
            for (const [period, unit] of [
                [date, 'day'],
                [date.slice(0, 6), 'month'],
            ] as const) {
                for (const [field, value] of Object.entries(credits)) {
                    batch.hincrby(`${tenantKey(id, 'credits')}:${unit}:${period}`, field, value);
                }
                for (const [field, value] of Object.entries(calls))
                    batch.hincrby(tenantKey(id, 'usage', period), field, value);
                batch.hincrby(tenantKey(id, 'backups', 'stats', period), 'completed', 1);
            }
            batch.hset(tenantKey(id, 'violations', String(Math.floor(at / DAY_MS))), 'user', 1);
        }
        await batch.exec();
    }
}

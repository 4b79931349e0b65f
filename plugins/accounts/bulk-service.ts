import { apiError } from '../../src/http/errors.ts';
import { newId } from '../../src/ids.ts';
import { isoTime } from '../../src/redis/codec.ts';
import { PLATFORM } from '../../src/redis/keys.ts';
import { audited } from '../../src/redis/outbox.ts';
import { tellLook } from '../../src/redis/platform-audit.ts';

import type { BulkStore } from './bulk-store.ts';
import type { Bulk, BulkFailure, NewBulk, PublicBulk } from './bulk.ts';
import type { Clock } from '../../src/clock.ts';
import type { PageParams } from '../../src/http/pagination.ts';
import type { Jobs } from '../../src/jobs/jobs.ts';
import type { AppendOutbox } from '../../src/redis/append-outbox.ts';
import type { Page } from '../../src/redis/collection.ts';
import type { Actor } from '../../src/types/actor.ts';

export const RUN_BULK = 'run-bulk';

/** The job waits that long for its bulk change; nobody creates one so late. */
export const COMES_WITHIN_MS = 120_000;
const CREATED_WITHIN_MS = 60_000;
const KEPT_MS = 30 * 24 * 3600 * 1000;

export interface BulkParts {
    store: BulkStore;
    jobs: Jobs;
    clock: Clock;
    append: AppendOutbox;
}

/** Bulk changes of users, done by a job; how far they are is told here. */
export class Bulks {
    readonly #parts: BulkParts;

    constructor(parts: BulkParts) {
        this.#parts = parts;
    }

    /** @throws VALIDATION_ERROR when a user is named twice, or a tier is missing or of no use; SERVER_BUSY */
    async create(actor: Actor, wanted: NewBulk): Promise<PublicBulk> {
        const { store, jobs, clock } = this.#parts;
        check(wanted);
        const now = clock();
        const bulk = newBulk(actor, wanted, now);
        const { id, action, total, reason } = bulk;
        // Asked for first: the job waits for what it is about. The other way round it would be missed after a crash.
        await jobs.add(RUN_BULK, { tenantId: PLATFORM, bulkId: id, askedAt: String(now) }, { id: `${RUN_BULK}-${id}` });
        if (clock() - now > CREATED_WITHIN_MS) throw apiError('SERVER_BUSY', { retryAfter: 1 });
        const details = { action, total, ...(reason !== null && { reason }) };
        const entry = { action: 'bulk.create', resource: 'bulk', resourceId: id, result: 'success', details };
        await store.create(bulk, wanted.users, { audit: [audited(actor, entry)] });
        return publicBulk(await store.get(id));
    }

    /** @throws INVALID_CURSOR */
    async list(actor: Actor, { order: direction, ...query }: PageParams): Promise<Page<PublicBulk>> {
        const { items, pagination } = await this.#parts.store.list({ ...query, direction });
        await this.#told(actor, 'list', PLATFORM);
        return { items: items.map(publicBulk), pagination };
    }

    /** With what could not be done, in the order in which it was asked for. @throws BULK_NOT_FOUND */
    async get(actor: Actor, id: string): Promise<{ bulk: PublicBulk; failures: BulkFailure[] }> {
        const { store } = this.#parts;
        const bulk = await store.get(id);
        const failures = await store.failures(id);
        await this.#told(actor, 'read', id);
        return { bulk: publicBulk(bulk), failures };
    }

    async #told(actor: Actor, what: 'list' | 'read', id: string): Promise<void> {
        await tellLook(this.#parts.append, actor, { id, resource: 'bulk', action: `bulk.${what}` });
    }
}

const newBulk = (actor: Actor, { action, reason, tier, users }: NewBulk, now: number) => ({
    id: newId('bulk'),
    action,
    reason: reason ?? null,
    tier: tier ?? null,
    state: 'queued' as const,
    total: users.length,
    done: 0,
    failed: 0,
    startedAt: null,
    finishedAt: null,
    by: actor.userId,
    actor,
    next: 0,
    expiresAt: isoTime(now + KEPT_MS),
});

function publicBulk({ id, action, reason, tier, state, total, done, failed, ...rest }: Bulk): PublicBulk {
    const { createdAt, startedAt, finishedAt, by } = rest;
    return { id, action, reason, tier, state, total, done, failed, createdAt, startedAt, finishedAt, by };
}

/** @throws VALIDATION_ERROR */
function check({ action, tier, users }: NewBulk): void {
    const fields: Record<string, string> = {};
    if (action === 'tier' && tier === undefined) fields.tier = 'tier is required';
    if (action !== 'tier' && tier !== undefined) fields.tier = 'tier is not allowed';
    const seen = new Set<string>();
    for (const [n, { tenantId, userId }] of users.entries()) {
        const name = `${tenantId} ${userId}`;
        if (seen.has(name)) fields[`users.${n}`] = `users[${n}] is there twice`;
        seen.add(name);
    }
    if (Object.keys(fields).length > 0) throw apiError('VALIDATION_ERROR', { details: { fields } });
}

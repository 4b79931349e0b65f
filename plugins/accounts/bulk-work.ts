import { COMES_WITHIN_MS } from './bulk-service.ts';
import { isApiError } from '../../src/http/errors.ts';
import { PutOff } from '../../src/jobs/put-off.ts';

import type { BulkStore } from './bulk-store.ts';
import type { Bulk, BulkItem } from './bulk.ts';
import type { Accounts } from './service.ts';
import type { Clock } from '../../src/clock.ts';
import type { Drain } from '../../src/drain.ts';
import type { UserService } from '../users/api.ts';

/** When it is looked again for a bulk change that is not there yet, or that this process leaves to another. */
const AGAIN_MS = 1_000;

export interface BulkWorkParts {
    store: BulkStore;
    accounts: Pick<Accounts, 'suspend' | 'activate' | 'setTier' | 'remove'>;
    users: Pick<UserService, 'get'>;
    drain: Pick<Drain, 'isDraining'>;
    clock: Clock;
}

/**
 * Does bulk changes, an item after the other. Each is done at least once: what is already as it should be counts as
 * done, and a result is counted once, whoever brings it.
 */
export class BulkWork {
    readonly #parts: BulkWorkParts;

    constructor(parts: BulkWorkParts) {
        this.#parts = parts;
    }

    /** @throws PutOff While the process stops, or the bulk change is not there yet */
    async run(id: string, askedAt: number): Promise<void> {
        const { store, drain, clock } = this.#parts;
        const bulk = await store.find(id);
        if (!bulk) {
            if (clock() - askedAt < COMES_WITHIN_MS) throw new PutOff(AGAIN_MS);
            return;
        }
        const items = await store.items(id);
        let next = await store.begin(bulk);
        while (next !== null) {
            const item = items[next];
            if (!item) return;
            if (drain.isDraining) throw new PutOff(AGAIN_MS);
            next = await store.finish(bulk, next, await this.#codeOf(bulk, item));
        }
    }

    /** The code of the refusal; null where it is as it should be. What is no refusal is tried again with the job. */
    async #codeOf(bulk: Bulk, item: BulkItem): Promise<string | null> {
        try {
            await this.#apply(bulk, item);
            return null;
        } catch (error) {
            if (!isApiError(error)) throw error;
            // Another worker was first.
            if (bulk.action === 'delete' && isApiError(error, 'ALREADY_DELETED')) return null;
            return error.data?.code ?? 'INTERNAL_ERROR';
        }
    }

    async #apply({ action, actor, tier, reason: why }: Bulk, item: BulkItem): Promise<void> {
        const { accounts, users } = this.#parts;
        const user = await users.get(item.tenantId, item.userId);
        const reason = why === null ? {} : { reason: why };
        const isDeleted = user.deletedAt !== null;
        if (action === 'delete') {
            if (!isDeleted) await accounts.remove(actor, item, reason);
        } else if (action === 'tier') {
            if (isDeleted || user.tier !== tier) await accounts.setTier(actor, item, tier, reason);
        } else if (isDeleted || user.isActive !== (action === 'activate')) {
            await accounts[action](actor, item, reason);
        }
    }
}

import { orNull } from '../../src/http/errors.ts';

import type { Keeper } from './keeper.ts';
import type { DirectoryStore } from './store.ts';
import type { Clock } from '../../src/clock.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import type { Tenant, TenantService } from '../tenants/api.ts';

export const KEEP_DIRECTORY = 'keep-directory';
export const KEEP_EVERY_MS = 15_000;

/** Tenants that one step of the round looks at. */
const STEP = 200;
/** How long after a comparison of a whole tenant the next one is. */
const COMPARE_EVERY_MS = 24 * 3600 * 1000;

export interface RoundParts {
    store: DirectoryStore;
    tenants: Pick<TenantService, 'list'>;
    keeper: Pick<Keeper, 'catchUp' | 'compare'>;
    clock: Clock;
    logger: Logger;
}

/** Goes round all tenants, a step at a time: what a lost signal or a crash has left undone is done then. */
export class Round {
    readonly #parts: RoundParts;

    constructor(parts: RoundParts) {
        this.#parts = parts;
    }

    /** One step; more of them as long as there are tenants that the directory does not know. */
    async keep(): Promise<void> {
        const { store } = this.#parts;
        for (let isMore = true; isMore;) {
            const { items, pagination } = await this.#page(await store.place());
            const news = await this.#lookAt(items);
            await store.setPlace(pagination.cursor);
            isMore = news > 0 && pagination.hasMore;
        }
    }

    /** A place that was sealed with a key that is gone is as good as none. */
    async #page(cursor: string | null) {
        const query = { direction: 'asc', limit: STEP } as const;
        const { tenants } = this.#parts;
        const next = cursor === null ? null : await orNull(tenants.list({ ...query, cursor }), 'INVALID_CURSOR');
        return next ?? tenants.list(query);
    }

    /** @returns How many of them were new and are in the directory now */
    async #lookAt(tenants: Tenant[]): Promise<number> {
        const { store, keeper, clock } = this.#parts;
        const ids = tenants.map(({ id }) => id);
        const times = await store.comparedAt(ids);
        const due = new Set(ids.filter((_id, n) => (times[n] ?? 0) <= clock() - COMPARE_EVERY_MS));
        const others = ids.filter((id) => !due.has(id));
        await Promise.all(others.map((id) => this.#tell(id, () => keeper.catchUp(id))));
        let news = 0;
        for (const [n, id] of ids.entries()) {
            if (!due.has(id)) continue;
            const isDone = await this.#tell(id, () => keeper.compare(id));
            if (isDone && times[n] === null) news++;
        }
        return news;
    }

    /** @returns Whether it was done; what fails is seen to in the next round */
    async #tell(tenantId: string, work: () => Promise<void>): Promise<boolean> {
        try {
            await work();
            return true;
        } catch (error) {
            this.#parts.logger.warn({ module: 'directory', tenantId, err: error }, 'A tenant could not be indexed');
            return false;
        }
    }
}

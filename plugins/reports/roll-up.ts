import type { FigureStore } from './figure-store.ts';
import type { TenantRead, TenantStore } from './tenant-store.ts';
import type { Clock } from '../../src/clock.ts';
import type { DueTenants } from '../../src/redis/due-tenants.ts';
import type { Logger } from '../../src/telemetry/logger.ts';

/** How many tenants a step of the round through all of them reads, and how many of them at once. */
const STEP = 500;
const BATCH = 50;

export interface RollUpParts {
    tenants: TenantStore;
    figures: FigureStore;
    due: DueTenants;
    clock: Clock;
    logger: Logger;
    /** What moved so long before may not be noted yet. */
    noteEveryMs: number;
}

/**
 * Brings what each tenant has come to into the sums of all tenants. Each is told as it is, never as a change: whoever
 * dies on the way, or does the same twice, does no harm.
 */
export class RollUp {
    readonly #parts: RollUpParts;

    constructor(parts: RollUpParts) {
        this.#parts = parts;
    }

    /** Of the tenants that moved lately. */
    async due(): Promise<void> {
        const { due, figures, clock, noteEveryMs } = this.#parts;
        const from = clock() - noteEveryMs;
        let isWhole = true;
        for await (const found of due.batches()) {
            const read = await this.#take(found);
            const atRest = found.filter((id) => read?.get(id)?.isBusy === false || read?.has(id) === false);
            await Promise.all(atRest.map((id) => due.forget(id)));
            isWhole &&= read !== null;
        }
        if (isWhole) await figures.setAsOf(from);
    }

    /** Of some more of all tenants, whether they moved or not. */
    async sweep(): Promise<void> {
        const found = await this.#parts.tenants.next(STEP);
        for (let from = 0; from < found.length; from += BATCH) await this.#take(found.slice(from, from + BATCH));
    }

    /** Before a tenant is purged: nothing of it is counted from then on but what days and months had. */
    async end(tenantId: string): Promise<void> {
        const { tenants, figures } = this.#parts;
        const read = await tenants.read(tenantId);
        if (read) await figures.set([{ ...read, isGone: true, periods: { ...read.periods, now: {} } }]);
    }

    /** What was read, without tenants that are gone; null when it could not be brought into the sums. */
    async #take(tenantIds: string[]): Promise<Map<string, TenantRead> | null> {
        try {
            return await this.#bring(tenantIds);
        } catch (error) {
            // They are due again soon, and no figure of theirs is lost.
            this.#parts.logger.warn({ module: 'reports', err: error }, 'Sums of tenants could not be rolled up');
            return null;
        }
    }

    async #bring(tenantIds: string[]): Promise<Map<string, TenantRead>> {
        const { tenants, figures } = this.#parts;
        const read = (await Promise.all(tenantIds.map((id) => tenants.read(id)))).filter((found) => found !== null);
        if (read.length > 0) await figures.set(read);
        const moved = read.filter(({ today, since }) => today !== since);
        await Promise.all(moved.map((found) => tenants.noteDay(found)));
        return new Map(read.map((found) => [found.id, found]));
    }
}

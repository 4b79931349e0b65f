import type { DueTenants } from '../../src/redis/due-tenants.ts';
import type { Logger } from '../../src/telemetry/logger.ts';

/** Tenants that had requests, kept in memory until they are noted all together: no request waits for that. */
export class SeenTenants {
    readonly #due: Pick<DueTenants, 'note'>;
    readonly #logger: Logger;
    #seen = new Set<string>();

    constructor(due: Pick<DueTenants, 'note'>, logger: Logger) {
        this.#due = due;
        this.#logger = logger;
    }

    add(tenantId: string): void {
        this.#seen.add(tenantId);
    }

    /** Those that could not be noted are noted with the next ones. */
    async flush(): Promise<void> {
        const seen = this.#seen;
        this.#seen = new Set();
        try {
            await Promise.all([...seen].map((tenantId) => this.#due.note(tenantId)));
        } catch (error) {
            for (const tenantId of seen) this.#seen.add(tenantId);
            this.#logger.warn({ module: 'audit', err: error }, 'Tenants could not be noted for sealing');
        }
    }
}

import type { DueTenants } from './due-tenants.ts';
import type { Logger } from '../telemetry/logger.ts';

/** Tenants that had requests, kept in memory until they are noted all together: no request waits for that. */
export class SeenTenants {
    readonly #due: Pick<DueTenants, 'note'>;
    readonly #logger: Logger;
    readonly #module: string;
    #seen = new Set<string>();

    /** @param module Whose tenants these are, for the log */
    constructor(due: Pick<DueTenants, 'note'>, logger: Logger, module: string) {
        this.#due = due;
        this.#logger = logger;
        this.#module = module;
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
            this.#logger.warn({ module: this.#module, err: error }, 'Tenants could not be noted');
        }
    }
}

import type { LinkStore } from './link-store.ts';
import type { PaymentStore } from './payment-store.ts';
import type { DueTenants } from '../../src/redis/due-tenants.ts';
import type { Logger } from '../../src/telemetry/logger.ts';

export interface SweeperParts {
    tenants: DueTenants;
    links: Pick<LinkStore, 'sweep'>;
    payments: Pick<PaymentStore, 'settle'>;
    logger: Logger;
}

/** Notes links whose replica has died, and charges for relayed bytes. */
export class Sweeper {
    readonly #parts: SweeperParts;

    constructor(parts: SweeperParts) {
        this.#parts = parts;
    }

    /** Looks at all tenants that are due. What fails is seen to in the next round. */
    async round(): Promise<void> {
        const { tenants, logger } = this.#parts;
        for await (const found of tenants.batches()) {
            for (const tenantId of found) {
                await this.#lookAt(tenantId).catch((error: unknown) => {
                    logger.warn({ module: 'tunnels', tenantId, err: error }, 'Tunnels could not be looked after');
                });
            }
        }
    }

    async #lookAt(tenantId: string): Promise<void> {
        const { tenants, links, payments } = this.#parts;
        const linked = await links.sweep(tenantId);
        const isOwing = await payments.settle(tenantId);
        if (linked === 0 && !isOwing) await tenants.forget(tenantId);
    }
}

import { auditOf } from './operation-outbox.ts';

import type { MeteringStore } from './metering-store.ts';
import type { Operations } from './operations.ts';
import type { Logger } from '../../src/telemetry/logger.ts';

export interface MeteringParts {
    store: MeteringStore;
    operations: Pick<Operations, 'begin'>;
    logger: Logger;
}

/** Charges for running VMs, and stops those that nobody pays for or can use. */
export class Metering {
    readonly #parts: MeteringParts;

    constructor(parts: MeteringParts) {
        this.#parts = parts;
    }

    /** One that could not be stopped is stopped by the next look. */
    async meter(tenantId: string): Promise<void> {
        const { store, operations, logger } = this.#parts;
        for (const { id, reason } of await store.meter(tenantId)) {
            const audit = auditOf(reason, { id }, 'success', { to: 'stopped' });
            const begun = await operations.begin({ tenantId }, id, {
                operation: 'stop',
                to: 'stopped',
                outbox: { audit },
            });
            if ('vm' in begun) logger.warn({ module: 'vms', tenantId, vmId: id, reason }, 'A running VM is stopped');
        }
    }
}

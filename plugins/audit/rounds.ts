import { isApiError } from '../../src/http/errors.ts';
import { PLATFORM } from '../../src/redis/keys.ts';

import type { AuditService } from './api.ts';
import type { RoundStore } from './round-store.ts';
import type { Sealer } from './sealer.ts';
import type { Trimmer } from './trimmer.ts';
import type { DueTenants } from '../../src/redis/due-tenants.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import type { Tenant, TenantService } from '../tenants/api.ts';

/** Tenants that one step of the round through all of them looks at. */
const STEP = 100;

export interface RoundParts {
    tenants: Pick<TenantService, 'get' | 'list' | 'tiers'>;
    due: DueTenants;
    places: RoundStore;
    sealer: Pick<Sealer, 'seal' | 'renew'>;
    trimmer: Pick<Trimmer, 'trim'>;
    logger: Logger;
}

/** Looks after the audit of one tenant after the other. What fails is seen to in the next round. */
export class AuditRounds implements AuditService {
    readonly #parts: RoundParts;

    constructor(parts: RoundParts) {
        this.#parts = parts;
    }

    async sealDue(): Promise<void> {
        const { due, sealer } = this.#parts;
        for await (const found of due.batches()) {
            for (const tenantId of found) {
                await this.#tell(tenantId, async () => {
                    if (await sealer.seal(tenantId)) await due.forget(tenantId);
                });
            }
        }
    }

    async keep(): Promise<void> {
        const { tenants, places } = this.#parts;
        const cursor = await places.place();
        const page = await this.#page(cursor);
        const platform = await tenants.get(PLATFORM);
        for (const tenant of [platform, ...page.items]) await this.#tell(tenant.id, () => this.#lookAfter(tenant));
        await places.setPlace(page.pagination.cursor);
    }

    /** A place that was sealed with a key that is gone is as good as none. */
    async #page(cursor: string | null) {
        const query = { direction: 'asc', limit: STEP } as const;
        if (cursor === null) return this.#parts.tenants.list(query);
        return this.#parts.tenants.list({ ...query, cursor }).catch((error: unknown) => {
            if (isApiError(error, 'INVALID_CURSOR')) return this.#parts.tenants.list(query);
            throw error;
        });
    }

    /** What could not be sealed in one go is trimmed no less: only sealed entries are. */
    async #lookAfter({ id, plan, limits }: Tenant): Promise<void> {
        const { sealer, trimmer, tenants } = this.#parts;
        await sealer.seal(id);
        await sealer.renew(id);
        await trimmer.trim(id, tenants.tiers.limitsOf(plan, limits).auditRetentionDays);
    }

    async #tell(tenantId: string, work: () => Promise<void>): Promise<void> {
        await work().catch((error: unknown) => {
            this.#parts.logger.warn({ module: 'audit', tenantId, err: error }, 'An audit could not be looked after');
        });
    }
}

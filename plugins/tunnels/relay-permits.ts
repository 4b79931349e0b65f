import { apiError, type ApiError } from '../../src/http/errors.ts';

import type { PaymentStore, Relayed } from './payment-store.ts';
import type { Clock } from '../../src/clock.ts';
import type { BillingService } from '../billing/api.ts';
import type { Tiers } from '../tenants/api.ts';

const CACHE_MS = 1_000;
const MOST_CACHED = 10_000;

export interface PermitParts {
    payments: Pick<PaymentStore, 'relayed'>;
    billing: Pick<BillingService, 'refusal'>;
    tiers: Tiers;
    clock: Clock;
}

/** Whether a tenant may have more bytes relayed: within the quota of its plan, and paid for where the plan pays. */
export class RelayPermits {
    readonly #parts: PermitParts;
    readonly #known = new Map<string, { until: number; answer: Promise<ApiError | null> }>();

    constructor(parts: PermitParts) {
        this.#parts = parts;
    }

    /** @returns QUOTA_EXCEEDED, INSUFFICIENT_CREDITS or SPEND_LIMIT_REACHED; null: it may. Up to a second old */
    refusal(tenantId: string, userId: string): Promise<ApiError | null> {
        const now = this.#parts.clock();
        const key = `${tenantId}/${userId}`;
        const known = this.#known.get(key);
        if (known && known.until > now) return known.answer;
        if (this.#known.size >= MOST_CACHED) this.#known.clear();
        const answer = this.#parts.payments.relayed(tenantId, userId).then((found) => this.#judge(found));
        this.#known.set(key, { until: now + CACHE_MS, answer });
        // A failure is not kept.
        answer.catch(() => this.#known.delete(key));
        return answer;
    }

    #judge({ bytes, plan, limits, payment }: Relayed): ApiError | null {
        const most = plan === '' ? 0 : this.#parts.tiers.limitsOf(plan, limits).relayedBytesPerMonth;
        if (most !== null && bytes >= most) {
            return apiError('QUOTA_EXCEEDED', { details: { quota: 'relayedBytesPerMonth' } });
        }
        return payment[0] < 0 ? this.#parts.billing.refusal(payment) : null;
    }
}

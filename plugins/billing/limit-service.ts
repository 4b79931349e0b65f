import { shown, type Shown } from './amounts.ts';
import { jsonAmount } from '../../src/money.ts';
import { quotaMonth } from '../../src/quota-month.ts';
import { isoTime } from '../../src/redis/codec.ts';
import { audited } from '../../src/redis/outbox.ts';

import type { Limit, Limits, LimitStore } from './limit-store.ts';
import type { Clock } from '../../src/clock.ts';
import type { Actor } from '../../src/types/actor.ts';

/** What is named is set; null takes a limit away. */
export interface LimitSettings {
    lowCreditMicros?: number | null;
    tenant?: number | null;
    users?: Record<string, number | null>;
    keys?: Record<string, number | null>;
}

export interface PublicLimit extends Shown<'spent'>, Shown<'held'> {
    limitMicros: number | null;
}

export interface PublicLimits {
    lowCreditMicros: number;
    /** When the next month begins. */
    resetsAt: string;
    tenant: PublicLimit;
    users: Record<string, PublicLimit>;
    keys: Record<string, PublicLimit>;
}

/** What tenants let their months cost. */
export class LimitService {
    readonly #store: LimitStore;
    readonly #clock: Clock;

    constructor(store: LimitStore, clock: Clock) {
        this.#store = store;
        this.#clock = clock;
    }

    async read(tenantId: string): Promise<PublicLimits> {
        return this.#publish(await this.#store.read(tenantId));
    }

    /** @throws USER_NOT_FOUND, KEY_NOT_FOUND */
    async set(actor: Actor, settings: LimitSettings): Promise<PublicLimits> {
        const { tenant, users = {}, keys = {}, lowCreditMicros } = settings;
        const all = [
            ...(tenant === undefined ? [] : [['tenant', tenant] as const]),
            ...Object.entries(users).map(([id, limit]) => [`user:${id}`, limit] as const),
            ...Object.entries(keys).map(([id, limit]) => [`key:${id}`, limit] as const),
        ];
        const { tenantId } = actor;
        const entry = { action: 'billing.limit', resource: 'tenant', resourceId: tenantId, result: 'success' };
        const limits = await this.#store.set(tenantId, {
            byName: new Map(all.map(([name, limit]) => [name, limit === null ? null : BigInt(limit)])),
            ...(lowCreditMicros !== undefined && {
                lowCredit: lowCreditMicros === null ? null : BigInt(lowCreditMicros),
            }),
            outbox: {
                events: [{ type: 'billing.limits_updated', data: { tenantId } }],
                audit: [audited(actor, { ...entry, details: { ...settings } })],
            },
        });
        return this.#publish(limits);
    }

    #publish({ lowCredit, byName }: Limits): PublicLimits {
        const of = (kind: string) =>
            Object.fromEntries(
                [...byName].flatMap(([name, limit]) => {
                    const [is, id] = name.split(':');
                    return is === kind && id !== undefined ? [[id, publicLimit(limit)]] : [];
                }),
            );
        return {
            lowCreditMicros: jsonAmount(lowCredit),
            resetsAt: isoTime(quotaMonth(this.#clock()).endsAt),
            tenant: publicLimit(byName.get('tenant') ?? { limit: null, spent: 0n, held: 0n }),
            users: of('user'),
            keys: of('key'),
        };
    }
}

const publicLimit = ({ limit, spent, held }: Limit): PublicLimit => ({
    limitMicros: limit === null ? null : jsonAmount(limit),
    ...shown('spent', spent),
    ...shown('held', held),
});

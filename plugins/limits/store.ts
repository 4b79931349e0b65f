import { quotaMonth } from '../../src/quota-month.ts';
import { isoTime } from '../../src/redis/codec.ts';
import { tenantKey } from '../../src/redis/keys.ts';

import type { ViolationKind } from './violation-kinds.ts';
import type { Clock } from '../../src/clock.ts';
import type { Datastore } from '../../src/redis/datastore.ts';
import type { LimitOverrides, Plan, TenantService } from '../tenants/api.ts';
import type { TunnelService } from '../tunnels/api.ts';

const DAY_MS = 86_400_000;
const DAYS_KEPT = 31;

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);

export interface SlotPlace {
    tenantId: string;
    userId: string;
}

export interface SlotRequest {
    id: string;
    /** How many the tier allows; the tenant may have a figure of its own, which is given back. */
    most: number;
    leaseMs: number;
    isLast: boolean;
}

export interface Violation {
    kind: ViolationKind;
    at: string;
    userId: string | null;
    keyId: string | null;
    ipAddress: string | null;
    route: string | null;
}

/** Where what other features keep is, that counts here. */
export interface ForeignKeys {
    tenants: Pick<TenantService, 'key'>;
    relayedKey: TunnelService['relayedKey'];
}

/** Leases on generation slots, the month's quota and the refusals for limits, all in the tenant's slot. */
export function createLimitStore(store: Datastore, { tenants, relayedKey }: ForeignKeys, clock: Clock) {
    const take = store.script(lua('take-slot'));
    const renew = store.script(lua('renew-slot'));
    const readUsage = store.script(lua('read-usage'));
    const readViolations = store.script(lua('read-violations'));
    const slots = ({ tenantId, userId }: SlotPlace) => tenantKey(tenantId, 'user', userId, 'generations');

    return {
        /** Being refused counts as a violation if it is the last try, or there are no slots at all. */
        async takeSlot({ keyId = '', ...place }: SlotPlace & { keyId?: string }, slot: SlotRequest) {
            const { tenantId, userId } = place;
            const { id, most, leaseMs, isLast } = slot;
            const keys = [slots(place), tenants.key(tenantId), tenantKey(tenantId, 'violations')];
            const [taken, limit] = (await take(keys, [id, most, leaseMs, userId, keyId, isLast ? 1 : 0])) as [
                number,
                number,
            ];
            return { isTaken: taken === 1, limit };
        },

        renewSlot: (place: SlotPlace, id: string, leaseMs: number) => renew([slots(place)], [id, leaseMs]),
        releaseSlot: (place: SlotPlace, id: string) => store.redis.zrem(slots(place), id),

        async usage(place: SlotPlace) {
            const { tenantId } = place;
            const month = quotaMonth(clock());
            const reply = await readUsage(
                [
                    tenantKey(tenantId, 'quota', month.name),
                    slots(place),
                    tenants.key(tenantId),
                    relayedKey(tenantId) + month.name,
                ],
                [],
            );
            const [requests, running, plan, overrides, relayed] = reply as [number, number, Plan, string, string];
            return {
                requests,
                running,
                relayedBytes: Number(relayed),
                plan,
                overrides: overrides === '' ? null : (JSON.parse(overrides) as LimitOverrides),
                resetsAt: isoTime(month.endsAt),
            };
        },

        async violations(tenantId: string) {
            const reply = await readViolations([tenantKey(tenantId, 'violations')], [DAYS_KEPT]);
            const [recent, ...days] = reply as [string[], ...[number, string[]][]];
            return {
                recent: recent.map(decodeViolation),
                days: days.map(([day, counts]) => ({
                    date: isoTime(day * DAY_MS).slice(0, 10),
                    counts: decodeCounts(counts),
                })),
            };
        },
    };
}

export type LimitStore = ReturnType<typeof createLimitStore>;

function decodeViolation(text: string): Violation {
    const found = JSON.parse(text) as { kind: ViolationKind; at: number } & Partial<Omit<Violation, 'kind' | 'at'>>;
    const { kind, at, userId = null, keyId = null, ipAddress = null, route = null } = found;
    return { kind, at: isoTime(at), userId, keyId, ipAddress, route };
}

function decodeCounts(flat: string[]): Record<ViolationKind, number> {
    const count = (kind: ViolationKind): number => {
        const at = flat.indexOf(kind);
        return at === -1 ? 0 : Number(flat[at + 1]);
    };
    return {
        user: count('user'),
        route: count('route'),
        key: count('key'),
        address: count('address'),
        quota: count('quota'),
        concurrency: count('concurrency'),
    };
}

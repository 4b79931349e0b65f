import { relayedKey, unpaidKey } from './keys-store.ts';
import { BYTES_PER_MICRO, PAYING } from './relay-price.ts';
import { newId } from '../../src/ids.ts';
import { outboxKeys } from '../../src/redis/outbox.ts';

import type { Datastore, RunScript } from '../../src/redis/datastore.ts';
import type { PaymentReply } from '../billing/api.ts';
import type { LimitOverrides } from '../tenants/api.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);
/** A tunnel has no more entries in the ledger than one in that time. */
const SETTLE_EVERY_MS = 3_600_000;
/** Entries of one script. */
const BATCH = 100;

/** Where else what is relayed counts. */
export interface PaymentKeys {
    tenant: (tenantId: string) => string;
    credits: (tenantId: string) => string;
    tunnels: (tenantId: string) => string;
}

/** What a tenant has had relayed this month, what says how much it may, and whether it can pay for more. */
export interface Relayed {
    bytes: number;
    plan: string;
    limits: LimitOverrides | null;
    payment: PaymentReply;
}

/** What tenants owe for relayed bytes: counted with the calls, and charged some time later. */
export class PaymentStore {
    readonly #keys: PaymentKeys;
    readonly #check: RunScript;
    readonly #settle: RunScript;

    constructor(store: Datastore, keys: PaymentKeys) {
        this.#keys = keys;
        this.#check = store.script(lua('check-relayed'));
        this.#settle = store.script(lua('settle-relayed'));
    }

    async relayed(tenantId: string, userId: string): Promise<Relayed> {
        const { tenant, credits } = this.#keys;
        const keys = [tenant(tenantId), relayedKey(tenantId), unpaidKey(tenantId), credits(tenantId)];
        const reply = await this.#check(keys, [` ${PAYING.join(' ')} `, BYTES_PER_MICRO, userId]);
        const [bytes, plan, limits, ...payment] = reply as [string, string, string, ...PaymentReply];
        return {
            bytes: Number(bytes),
            plan,
            limits: limits === '' ? null : (JSON.parse(limits) as LimitOverrides),
            payment,
        };
    }

    /** Charges what is due; whether anything is left that may be charged later. */
    async settle(tenantId: string): Promise<boolean> {
        const { credits, tunnels } = this.#keys;
        const keys = [credits(tenantId), ...outboxKeys(tenantId), unpaidKey(tenantId), tunnels(tenantId)];
        for (;;) {
            const entries = Array.from({ length: BATCH }, () => newId('bill'));
            const settlement = { per: BYTES_PER_MICRO, everyMs: SETTLE_EVERY_MS, entries };
            const [hasMore, isLeft] = (await this.#settle(keys, [JSON.stringify(settlement)])) as [number, number];
            if (hasMore === 0) return isLeft === 1;
        }
    }
}

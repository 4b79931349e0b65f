import { recordOf, type LedgerRecord, type StreamEntry } from './record.ts';
import { apiError } from '../../src/http/errors.ts';
import { quotaMonth } from '../../src/quota-month.ts';
import { isoTime } from '../../src/redis/codec.ts';
import { PLATFORM, tenantKey } from '../../src/redis/keys.ts';
import { outboxKeys, outboxLists, type Outbox } from '../../src/redis/outbox.ts';

import type { Held } from './bill.ts';
import type { CreditMeter } from './credit-meter.ts';
import type { ScriptCharge, ScriptEntry } from './entry.ts';
import type { ScriptHold, ScriptSettlement } from './model-bill.ts';
import type { Clock } from '../../src/clock.ts';
import type { ApiError } from '../../src/http/errors.ts';
import type { Micros } from '../../src/money.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);

/** When a call on its way may have ended. */
const RETRY_AFTER_SECONDS = 5;

const WATCHED = [tenantKey(PLATFORM, 'holds', 'watched'), tenantKey(PLATFORM, 'holds', 'registered')];

/** What a script says of a payment: a code, and what goes with it. */
export type PaymentReply = [code: number, detail?: number | string, rest?: number];

/** A tenant's credits, in micro-dollars. */
export interface Credits {
    balance: Micros;
    held: Micros;
    spent: Micros;
    /** A balance below that is told as an event. */
    lowCredit: Micros;
}

export interface Grant {
    /** Of the operation: money moves once for it. */
    id: string;
    /** Negative where it is taken. */
    amount: Micros;
    /** What the balance may be. */
    most: Micros;
    entry: ScriptEntry;
    outbox: Outbox;
}

type ScriptName = 'take-hold' | 'keep-hold' | 'settle-hold' | 'sweep-holds' | 'charge' | 'grant' | 'read-credits';

/** Credits, holds and the ledger of tenants; see `credits.lua` and `holds.lua`. */
export class BillingStore {
    readonly #clock: Clock;
    readonly #meter: CreditMeter;
    readonly #run: Record<ScriptName, RunScript>;
    readonly #watch: RunScript;
    readonly #takeWatched: RunScript;
    readonly #unwatch: RunScript;

    constructor(store: Datastore, clock: Clock, meter: CreditMeter = () => undefined) {
        this.#clock = clock;
        this.#meter = meter;
        this.#run = {
            'take-hold': store.script(lua('take-hold')),
            'keep-hold': store.script(lua('keep-hold')),
            'settle-hold': store.script(lua('settle-hold')),
            'sweep-holds': store.script(lua('sweep-holds')),
            charge: store.script(lua('charge')),
            grant: store.script(lua('grant')),
            'read-credits': store.script(lua('read-credits')),
        };
        this.#watch = store.script(lua('watch-tenant'));
        this.#takeWatched = store.script(lua('take-watched'));
        this.#unwatch = store.script(lua('unwatch-tenant'));
    }

    /** Where a tenant's credits are: all else of them stands beside it. */
    key(tenantId: string): string {
        return tenantKey(tenantId, 'credits');
    }

    /** What a script says that could not take a payment. */
    refusal([code, detail]: PaymentReply): ApiError {
        if (code === -3) {
            const resetsAt = isoTime(quotaMonth(this.#clock()).endsAt);
            return apiError('SPEND_LIMIT_REACHED', { details: { limit: String(detail).split(':')[0], resetsAt } });
        }
        const details = { availableMicros: Number(detail ?? 0) };
        return apiError('INSUFFICIENT_CREDITS', {
            details,
            ...(code === -2 && { retryAfter: RETRY_AFTER_SECONDS }),
        });
    }

    /** @throws INSUFFICIENT_CREDITS, SPEND_LIMIT_REACHED */
    async takeHold(tenantId: string, hold: ScriptHold): Promise<Held> {
        const reply = (await this.#of('take-hold', tenantId, hold)) as PaymentReply;
        return this.held(reply);
    }

    /** Reads what `take_hold` gave. @throws INSUFFICIENT_CREDITS, SPEND_LIMIT_REACHED */
    held(reply: PaymentReply): Held {
        const [code, amount = 0, rest = 0] = reply;
        if (code < 0) throw this.refusal(reply);
        return { amount: BigInt(amount), rest: BigInt(rest) };
    }

    /** Null when the hold is not there any more. */
    async keepHold(
        tenantId: string,
        { id, lease }: Pick<ScriptHold, 'id' | 'lease'>,
        { used, target }: { used?: Micros; target?: Micros },
    ): Promise<Held | null> {
        const change = {
            id,
            lease,
            ...(used !== undefined && { used: String(used) }),
            ...(target !== undefined && { target: String(target) }),
        };
        const [code, amount = 0, rest = 0] = (await this.#of('keep-hold', tenantId, change)) as number[];
        return code === 1 ? { amount: BigInt(amount), rest: BigInt(rest) } : null;
    }

    /** What was charged; 0 when it has been settled before. */
    async settle(tenantId: string, settlement: ScriptSettlement): Promise<Micros> {
        const [, charged = 0] = (await this.#of('settle-hold', tenantId, settlement)) as number[];
        this.#meter(settlement.entry.type, BigInt(charged));
        return BigInt(charged);
    }

    /** Whether it was charged now, and not before. @throws INSUFFICIENT_CREDITS, SPEND_LIMIT_REACHED */
    async charge(tenantId: string, charge: ScriptCharge): Promise<boolean> {
        const reply = (await this.#of('charge', tenantId, charge)) as PaymentReply;
        if (reply[0] < 0) throw this.refusal(reply);
        if (reply[0] === 1) this.#meter(charge.entry.type, BigInt(charge.amount));
        return reply[0] === 1;
    }

    /** @throws INSUFFICIENT_CREDITS, BALANCE_LIMIT */
    async grant(
        tenantId: string,
        { id, amount, most, entry, outbox }: Grant,
    ): Promise<{ isNew: boolean; record: LedgerRecord }> {
        const change = { id, amount: String(amount), most: String(most), entry, ...outboxLists(outbox) };
        const [code, found] = (await this.#of('grant', tenantId, change)) as [number, StreamEntry | number];
        if (code === 1) this.#meter(entry.type, amount);
        if (Array.isArray(found)) return { isNew: code === 1, record: recordOf(found) };
        if (code === -4) throw apiError('BALANCE_LIMIT', { details: { balanceMicros: found } });
        throw this.refusal([code, found]);
    }

    async read(tenantId: string): Promise<Credits> {
        const reply = (await this.#run['read-credits']([this.key(tenantId)], [])) as string[];
        const [balance, held, spent, lowCredit] = reply.map(BigInt) as [Micros, Micros, Micros, Micros];
        return { balance, held, spent, lowCredit };
    }

    /** Settles holds of a tenant that nobody renews; gives how many that were, and how many are left. */
    async sweep(tenantId: string, count: number): Promise<{ swept: number; left: number }> {
        const keys = [this.key(tenantId), ...outboxKeys(tenantId)];
        const [swept = 0, left = 0, charged = 0] = (await this.#run['sweep-holds'](keys, [count])) as number[];
        this.#meter('hold_settled', BigInt(charged));
        return { swept, left };
    }

    /** Has the holds of a tenant looked after, from before the first is taken. */
    async watch(tenantId: string, everyMs: number): Promise<void> {
        await this.#watch(WATCHED, [tenantId, everyMs]);
    }

    /** Tenants whose holds are to be looked at; no other process gets the same ones within the time. */
    async takeWatched(everyMs: number, count: number): Promise<string[]> {
        return (await this.#takeWatched(WATCHED.slice(0, 1), [everyMs, count])) as string[];
    }

    /** Looks no more after a tenant, unless a process may rely on having registered him within that time. */
    async unwatch(tenantId: string, reliedOnMs: number): Promise<void> {
        await this.#unwatch(WATCHED, [tenantId, reliedOnMs]);
    }

    #of(name: Exclude<ScriptName, 'sweep-holds' | 'read-credits'>, tenantId: string, change: object): Promise<unknown> {
        return this.#run[name]([this.key(tenantId), ...outboxKeys(tenantId)], [JSON.stringify(change)]);
    }
}

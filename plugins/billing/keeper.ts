import { setTimeout as sleep } from 'node:timers/promises';

import { HOLD_LEASE_MS } from './model-bill.ts';

import type { Bill, Held, HoldKeeper } from './bill.ts';
import type { ScriptSettlement } from './model-bill.ts';
import type { BillingStore } from './store.ts';
import type { Micros } from '../../src/money.ts';
import type { Logger } from '../../src/telemetry/logger.ts';

/** How often holds are renewed, and looked at, in milliseconds. */
const PACE = { renewMs: HOLD_LEASE_MS / 3, sweepMs: 10_000 };
const SWEEP_BATCH = { tenants: 100, holds: 100 };
/** A process registers a tenant anew when it has done so that long ago; nobody forgets one sooner than after the second. */
const REGISTERED_MS = { renewed: 60_000, kept: 300_000 };
/** How long a settlement waits for the store before its caller goes on without it. */
const PATIENCE_MS = 1_000;
const RETRY_MS = 1_000;
/** The hold outlives them: what has not been settled by then is settled by a sweeper. */
const TRIES = 60;

/** The holds of this process: renewed as long as their calls run, settled once they have ended. And those of the dead. */
export class Keeper implements HoldKeeper {
    readonly #store: BillingStore;
    readonly #logger: Logger;
    readonly #pace: typeof PACE;
    readonly #bills = new Set<Bill>();
    readonly #registered = new Map<string, number>();
    readonly #settling = new Set<Promise<unknown>>();
    readonly #renewal: NodeJS.Timeout;
    readonly #sweeps: NodeJS.Timeout;
    #sweeping: Promise<void> | null = null;
    #isStopping = false;

    constructor(store: BillingStore, logger: Logger, pace = PACE) {
        this.#store = store;
        this.#logger = logger;
        this.#pace = pace;
        this.#renewal = setInterval(() => void this.#renew(), pace.renewMs).unref();
        this.#sweeps = setInterval(() => (this.#sweeping ??= this.#sweepOnce()), pace.sweepMs).unref();
    }

    add(bill: Bill): void {
        this.#bills.add(bill);
    }

    remove(bill: Bill): void {
        this.#bills.delete(bill);
    }

    keep({ record, hold }: Bill, change: { used?: Micros; target?: Micros }): Promise<Held | null> {
        return this.#store.keepHold(record.payer.tenantId, hold, change);
    }

    /** Before holds of a tenant are taken, so that none is forgotten. A round trip a minute. */
    async register(tenantId: string): Promise<void> {
        const before = this.#registered.get(tenantId) ?? -Infinity;
        const at = performance.now();
        if (at - before < REGISTERED_MS.renewed) return;
        await this.#store.watch(tenantId, this.#pace.sweepMs);
        this.#registered.set(tenantId, at);
    }

    /** Never fails: while the store is away the caller is not held up for long, and it is tried on. */
    async settle(tenantId: string, settlement: ScriptSettlement): Promise<void> {
        const settling = this.#settle(tenantId, settlement)
            .catch((error: unknown) => {
                const about = { module: 'billing', tenantId, holdId: settlement.id, costMicros: settlement.cost };
                this.#logger.error({ ...about, err: error }, 'A call was not settled');
            })
            .finally(() => this.#settling.delete(settling));
        this.#settling.add(settling);
        const patience = new AbortController();
        await Promise.race([settling, sleep(PATIENCE_MS, undefined, { ref: false, signal: patience.signal })]);
        patience.abort();
    }

    /** Settles holds that no process renews any more. */
    async sweep(): Promise<void> {
        const forgetOld = performance.now() - REGISTERED_MS.renewed;
        for (const [tenantId, at] of this.#registered) if (at < forgetOld) this.#registered.delete(tenantId);
        for (;;) {
            const tenants = await this.#store.takeWatched(this.#pace.sweepMs, SWEEP_BATCH.tenants);
            for (const tenantId of tenants) await this.#sweepTenant(tenantId);
            if (tenants.length < SWEEP_BATCH.tenants) return;
        }
    }

    /** Sees to what is still to be settled, before the process ends. Calls may outlive the server: their holds are kept. */
    async stop(): Promise<void> {
        this.#isStopping = true;
        clearInterval(this.#sweeps);
        await Promise.all([...this.#settling, this.#sweeping]);
    }

    async #sweepTenant(tenantId: string): Promise<void> {
        for (;;) {
            const { swept, left } = await this.#store.sweep(tenantId, SWEEP_BATCH.holds);
            if (swept > 0)
                this.#logger.warn({ module: 'billing', tenantId, swept }, 'Holds of a dead process were settled');
            if (left === 0) return this.#store.unwatch(tenantId, REGISTERED_MS.kept);
            if (swept < SWEEP_BATCH.holds) return;
        }
    }

    async #sweepOnce(): Promise<void> {
        try {
            await this.sweep();
        } catch (error) {
            this.#logger.warn({ module: 'billing', err: error }, 'No look at holds');
        } finally {
            this.#sweeping = null;
        }
    }

    async #renew(): Promise<void> {
        if (this.#isStopping && this.#bills.size === 0) clearInterval(this.#renewal);
        const renewed = await Promise.allSettled([...this.#bills].map((bill) => this.keep(bill, { used: bill.noted })));
        const failed = renewed.find(({ status }) => status === 'rejected') as PromiseRejectedResult | undefined;
        if (failed) this.#logger.warn({ module: 'billing', err: failed.reason }, 'Holds were not renewed');
    }

    async #settle(tenantId: string, settlement: ScriptSettlement): Promise<void> {
        for (let tries = 1; ; tries++) {
            try {
                await this.#store.settle(tenantId, settlement);
                return;
            } catch (error) {
                if (this.#isStopping || tries === TRIES) throw error;
                await sleep(RETRY_MS, undefined, { ref: false });
            }
        }
    }
}

import { runningKey } from './keys-store.ts';
import { newMeter } from './meter.ts';
import { outboxKeys } from '../../src/redis/outbox.ts';

import type { ForeignKeys, VmStore } from './store.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';

/** How many VMs are charged in one script. */
const BATCH = 100;

/** Where else the charge for a VM leads. */
export interface MeteringKeys extends Pick<ForeignKeys, 'credits' | 'tenant'> {
    user: (tenantId: string, userId: string) => string;
}

/** A VM that nobody pays for any more, or that nobody can use: its user was deleted, or the tenant is not active. */
export interface VmToStop {
    id: string;
    reason: 'unpaid' | 'unowned';
}

/** The running VMs of a tenant, charged by the minute. */
export class MeteringStore {
    readonly #vms: VmStore;
    readonly #foreign: MeteringKeys;
    readonly #meter: RunScript;

    constructor(store: Datastore, vms: VmStore, foreign: MeteringKeys) {
        this.#vms = vms;
        this.#foreign = foreign;
        this.#meter = store.script(new URL('./lua/meter-vms.lua', import.meta.url));
    }

    /**
     * Charges the VMs of a tenant for the minutes that have begun, each minute once, by whomever and however often.
     *
     * @returns Those that are to run no longer
     */
    async meter(tenantId: string): Promise<VmToStop[]> {
        const keys = [
            this.#foreign.credits(tenantId),
            ...outboxKeys(tenantId),
            runningKey(tenantId),
            this.#vms.records.key(tenantId, ''),
            this.#foreign.tenant(tenantId),
            this.#foreign.user(tenantId, ''),
        ];
        const toStop: VmToStop[] = [];
        for (let skipped = 0; ;) {
            const reply = await this.#meter(keys, [JSON.stringify(newMeter(BATCH)), BATCH, skipped]);
            const [looked, unpaid, found] = reply as [number, number, string[]];
            for (let at = 0; at < found.length; at += 2) {
                toStop.push({ id: found[at] ?? '', reason: found[at + 1] as VmToStop['reason'] });
            }
            skipped += unpaid;
            if (looked < BATCH) return toStop;
        }
    }
}

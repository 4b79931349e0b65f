import { runningKey } from './keys-store.ts';
import { newMeter } from './meter.ts';
import { outboxKeys } from '../../src/redis/outbox.ts';

import type { ForeignKeys, VmStore } from './store.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';

/** How many VMs are charged in one script. */
const BATCH = 100;

/** The running VMs of a tenant, charged by the minute. */
export class MeteringStore {
    readonly #vms: VmStore;
    readonly #credits: ForeignKeys['credits'];
    readonly #meter: RunScript;

    constructor(store: Datastore, vms: VmStore, credits: ForeignKeys['credits']) {
        this.#vms = vms;
        this.#credits = credits;
        this.#meter = store.script(new URL('./lua/meter-vms.lua', import.meta.url));
    }

    /**
     * Charges the VMs of a tenant for the minutes that have begun, each minute once, by whomever and however often.
     *
     * @returns Ids of those whose time without credit is over
     */
    async meter(tenantId: string): Promise<string[]> {
        const keys = [
            this.#credits(tenantId),
            ...outboxKeys(tenantId),
            runningKey(tenantId),
            this.#vms.records.key(tenantId, ''),
        ];
        const over: string[] = [];
        for (let skipped = 0; ;) {
            const reply = await this.#meter(keys, [JSON.stringify(newMeter(BATCH)), BATCH, skipped]);
            const [looked, unpaid, ids] = reply as [number, number, string[]];
            over.push(...ids);
            skipped += unpaid;
            if (looked < BATCH) return over;
        }
    }
}

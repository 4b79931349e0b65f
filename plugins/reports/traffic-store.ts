import { reportKeys } from './keys-store.ts';

import type { TrafficBatch } from './figures.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';

/** What the processes have counted of requests, in the platform's slot. */
export class TrafficStore {
    readonly #count: RunScript;

    constructor(store: Datastore) {
        this.#count = store.script(new URL('./lua/count-traffic.lua', import.meta.url));
    }

    /** Whether it was counted now, and not before. */
    async count(processId: string, number: number, batch: TrafficBatch): Promise<boolean> {
        const keys = [reportKeys.traffic, reportKeys.batch(processId)];
        return (await this.#count(keys, [number, JSON.stringify(batch)])) === 1;
    }
}

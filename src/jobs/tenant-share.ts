import { PutOff } from './put-off.ts';

import type { Clock } from '../clock.ts';

/** The distance in which the jobs of a tenant come again that had no room: they do not come all at once. */
const STEP_MS = 25;
const LONGEST_MS = 300_000;

/** Keeps room in a worker: the jobs of one tenant have a part of it at most, whatever they wait for. */
export class TenantShare {
    readonly #most: number;
    readonly #clock: Clock;
    readonly #running = new Map<string, number>();
    /** When the last of those comes again that had no room. */
    readonly #lines = new Map<string, number>();

    constructor(most: number, clock: Clock) {
        this.#most = most;
        this.#clock = clock;
    }

    /** @throws PutOff While as many of the tenant's jobs run as may */
    async run<T>(tenantId: string, work: () => Promise<T>): Promise<T> {
        const running = this.#running.get(tenantId) ?? 0;
        if (running >= this.#most) throw new PutOff(this.#join(tenantId));
        this.#running.set(tenantId, running + 1);
        try {
            return await work();
        } finally {
            this.#leave(tenantId);
        }
    }

    #join(tenantId: string): number {
        const now = this.#clock();
        const comes = Math.min(Math.max(now, this.#lines.get(tenantId) ?? 0) + STEP_MS, now + LONGEST_MS);
        this.#lines.set(tenantId, comes);
        return comes - now;
    }

    #leave(tenantId: string): void {
        const left = (this.#running.get(tenantId) ?? 1) - 1;
        if (left > 0) return void this.#running.set(tenantId, left);
        this.#running.delete(tenantId);
        if ((this.#lines.get(tenantId) ?? 0) <= this.#clock()) this.#lines.delete(tenantId);
    }
}

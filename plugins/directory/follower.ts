import { setTimeout as sleep } from 'node:timers/promises';

import { PLATFORM } from '../../src/redis/keys.ts';

import type { Keeper } from './keeper.ts';
import type { Drain } from '../../src/drain.ts';
import type { Signals } from '../../src/redis/signals.ts';
import type { Logger } from '../../src/telemetry/logger.ts';

/** The channel on which `outbox.lua` names tenants whose accounts have changed. */
const CHANGED = 'accounts:changed';

/** All workers hear of a change: the first one does it, the others find it done. */
const SPREAD_MS = 100;

export interface FollowerParts {
    keeper: Pick<Keeper, 'catchUp'>;
    signals: Signals;
    drain: Drain;
    logger: Logger;
    random: () => number;
}

/** Writes changes to the directory as they are signalled. A lost signal costs time only: the round comes by. */
export class Follower {
    readonly #parts: FollowerParts;
    readonly #waiting = new Set<string>();
    #running: Promise<void> | null = null;
    #unlisten: Promise<() => void> | undefined;
    #isStopped = false;

    constructor(parts: FollowerParts) {
        this.#parts = parts;
        parts.drain.onDrain(() => this.#stop());
    }

    start(): void {
        if (this.#isStopped) return;
        this.#unlisten ??= this.#parts.signals.listen(CHANGED, (tenantId) => this.#hear(tenantId));
    }

    async #stop(): Promise<void> {
        this.#isStopped = true;
        this.#waiting.clear();
        (await this.#unlisten)?.();
        await this.#running;
    }

    #hear(tenantId: string): void {
        if (this.#isStopped || tenantId === PLATFORM) return;
        this.#waiting.add(tenantId);
        this.#running ??= this.#work();
    }

    async #work(): Promise<void> {
        while (this.#waiting.size > 0) {
            await sleep(this.#parts.random() * SPREAD_MS);
            for (const tenantId of this.#waiting) {
                this.#waiting.delete(tenantId);
                await this.#parts.keeper.catchUp(tenantId).catch((error: unknown) => {
                    const { logger } = this.#parts;
                    logger.warn({ module: 'directory', tenantId, err: error }, 'A change was not indexed yet');
                });
            }
        }
        this.#running = null;
    }
}

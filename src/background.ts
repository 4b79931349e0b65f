import pLimit from 'p-limit';

import type { Drain } from './drain.ts';
import type { Logger } from './telemetry/logger.ts';

const AT_ONCE = 4;
const MAX_WAITING = 1_000;

/** Work that no request waits for. What fails is logged; past a thousand waiting, work is left undone. */
export class Background {
    readonly #logger: Logger;
    readonly #queue = pLimit(AT_ONCE);
    readonly #running = new Set<Promise<void>>();

    constructor(drain: Drain, logger: Logger) {
        this.#logger = logger;
        drain.onDrain((deadline) => this.#finish(deadline));
    }

    /** @param module Whose work it is, for the log */
    run(module: string, requestId: string, work: () => Promise<void>): void {
        const warn = (err: unknown) => this.#logger.warn({ module, requestId, err }, 'Work in the background failed');
        if (this.#queue.pendingCount >= MAX_WAITING) return warn(new Error('Too much work is waiting'));
        const running = this.#queue(work)
            .catch(warn)
            .finally(() => this.#running.delete(running));
        this.#running.add(running);
    }

    async #finish(deadline: AbortSignal): Promise<void> {
        const late = new Promise((resolve) => deadline.addEventListener('abort', resolve, { once: true }));
        if (!deadline.aborted) await Promise.race([Promise.all(this.#running), late]);
    }
}

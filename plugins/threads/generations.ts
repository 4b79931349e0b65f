import { Generation, type GenerationParts } from './generation.ts';
import { apiError } from '../../src/http/errors.ts';

import type { Drain } from '../../src/drain.ts';

/** The answers that this process has on their way. */
export class Generations {
    readonly #running = new Set<Generation>();
    readonly #drain: Drain;

    constructor(drain: Drain) {
        this.#drain = drain;
        drain.onDrain((deadline) => this.#end(deadline));
    }

    /** @throws SHUTTING_DOWN when the process is about to stop */
    checkOpen(): void {
        if (this.#drain.isDraining) throw apiError('SHUTTING_DOWN', { retryAfter: 1 });
    }

    start(parts: GenerationParts): Generation {
        const generation = new Generation(parts);
        this.#running.add(generation);
        const forget = () => void this.#running.delete(generation);
        generation.finished.then(forget, forget);
        return generation;
    }

    /** Lets the running answers finish; past the deadline they are interrupted and stored with what came. */
    async #end(deadline: AbortSignal): Promise<void> {
        const interrupt = () => {
            for (const generation of this.#running) generation.interrupt();
        };
        deadline.addEventListener('abort', interrupt, { once: true });
        if (deadline.aborted) interrupt();
        while (this.#running.size > 0) {
            await Promise.allSettled([...this.#running].map(({ finished }) => finished));
        }
        deadline.removeEventListener('abort', interrupt);
    }
}

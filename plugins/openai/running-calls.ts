import { RunningCall, type RunningCallParts } from './running-call.ts';
import { apiError } from '../../src/http/errors.ts';

import type { Drain } from '../../src/drain.ts';

/** The calls that this process has on their way. */
export class RunningCalls {
    readonly #running = new Set<RunningCall>();
    readonly #drain: Drain;

    constructor(drain: Drain) {
        this.#drain = drain;
        drain.onDrain((deadline) => this.#end(deadline));
    }

    /** @throws SHUTTING_DOWN when the process is about to stop */
    checkOpen(): void {
        if (this.#drain.isDraining) throw apiError('SHUTTING_DOWN', { retryAfter: 1 });
    }

    start(parts: RunningCallParts): RunningCall {
        const call = new RunningCall(parts);
        this.#running.add(call);
        const forget = () => void this.#running.delete(call);
        call.finished.then(forget, forget);
        return call;
    }

    /** Lets the running calls finish; past the deadline they are interrupted. */
    async #end(deadline: AbortSignal): Promise<void> {
        const interrupt = () => {
            for (const call of this.#running) call.interrupt();
        };
        deadline.addEventListener('abort', interrupt, { once: true });
        if (deadline.aborted) interrupt();
        while (this.#running.size > 0) {
            await Promise.allSettled([...this.#running].map(({ finished }) => finished));
        }
        deadline.removeEventListener('abort', interrupt);
    }
}

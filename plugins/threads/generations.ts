import { cancellationsOf, type AnswerPlace, type AnswerStore } from './answer-store.ts';
import { Generation, type GenerationParts } from './generation.ts';
import { apiError } from '../../src/http/errors.ts';
import { newId } from '../../src/ids.ts';

import type { Drain } from '../../src/drain.ts';
import type { Signals } from '../../src/redis/signals.ts';
import type { Logger } from '../../src/telemetry/logger.ts';

/** An answer whose process has died is noticed that long after it; a living one renews its lease in time. */
const LEASE = { leaseMs: 15_000, renewEveryMs: 5_000 };

export interface GenerationsParts {
    store: AnswerStore;
    signals: Signals;
    drain: Drain;
    logger: Logger;
}

type NewGeneration = Omit<GenerationParts, 'store' | 'owner'>;

/** The answers that this process has on their way. */
export class Generations {
    /** What this process is known by. */
    readonly owner = newId('run');
    readonly #running = new Map<string, Generation>();
    readonly #parts: GenerationsParts;
    readonly #renewal: NodeJS.Timeout;

    constructor(parts: GenerationsParts) {
        this.#parts = parts;
        parts.drain.onDrain((deadline) => this.#end(deadline));
        this.#renewal = setInterval(() => void this.#renew(), LEASE.renewEveryMs).unref();
        void parts.signals.listen(cancellationsOf(this.owner), (messageId) => this.find(messageId)?.cancel());
    }

    /** @throws SHUTTING_DOWN when the process is about to stop */
    checkOpen(): void {
        if (this.#parts.drain.isDraining) throw apiError('SHUTTING_DOWN', { retryAfter: 1 });
    }

    /** An answer of this process that is on its way. */
    find(messageId: string): Generation | undefined {
        return this.#running.get(messageId);
    }

    /** Before an answer begins, so that none can begin that nobody would miss. */
    hold(place: AnswerPlace): Promise<void> {
        return this.#parts.store.hold(place, LEASE.leaseMs);
    }

    start(parts: NewGeneration): Generation {
        const generation = new Generation({ ...parts, store: this.#parts.store, owner: this.owner });
        const { messageId } = generation.place;
        this.#running.set(messageId, generation);
        const forget = () => void this.#running.delete(messageId);
        generation.finished.then(forget, forget);
        return generation;
    }

    /** Answers whose process is gone, to be ended by this one. */
    async takeOrphans(): Promise<AnswerPlace[]> {
        const orphans = await this.#parts.store.takeOrphans(LEASE.leaseMs);
        // A process that was held up for long may find its own among them.
        return orphans.filter(({ messageId }) => !this.#running.has(messageId));
    }

    stop(): void {
        clearInterval(this.#renewal);
    }

    async #renew(): Promise<void> {
        const places = [...this.#running.values()].map(({ place }) => place);
        if (places.length === 0) return;
        await this.#parts.store.renew(places, LEASE.leaseMs).catch((error: unknown) => {
            this.#parts.logger.warn({ module: 'threads', err: error }, 'Leases on answers were not renewed');
        });
    }

    /** Lets the running answers finish; past the deadline they are interrupted and stored with what came. */
    async #end(deadline: AbortSignal): Promise<void> {
        const interrupt = () => {
            for (const generation of this.#running.values()) generation.interrupt();
        };
        deadline.addEventListener('abort', interrupt, { once: true });
        if (deadline.aborted) interrupt();
        while (this.#running.size > 0) {
            await Promise.allSettled([...this.#running.values()].map(({ finished }) => finished));
        }
        deadline.removeEventListener('abort', interrupt);
    }
}

import { cancellationsOf, type AnswerPlace, type AnswerStore } from './answer-store.ts';
import { Generation, type GenerationParts } from './generation.ts';
import { newId } from '../../src/ids.ts';
import { RunningWork } from '../../src/running-work.ts';

import type { Drain } from '../../src/drain.ts';
import type { Signals } from '../../src/redis/signals.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import type { Tracing } from '../../src/telemetry/tracing.ts';

/** An answer whose process has died is noticed that long after it; a living one renews its lease in time. */
const LEASE = { leaseMs: 15_000, renewEveryMs: 5_000 };

export interface GenerationsParts {
    store: AnswerStore;
    signals: Signals;
    drain: Drain;
    logger: Logger;
    tracing: Tracing;
}

type NewGeneration = Omit<GenerationParts, 'store' | 'owner' | 'tracing'>;

/** The answers that this process has on their way. */
export class Generations {
    /** What this process is known by. */
    readonly owner = newId('run');
    readonly #running: RunningWork<Generation>;
    readonly #byMessage = new Map<string, Generation>();
    #isStopping = false;
    readonly #parts: GenerationsParts;
    readonly #renewal: NodeJS.Timeout;

    constructor(parts: GenerationsParts) {
        this.#parts = parts;
        this.#running = new RunningWork(parts.drain);
        this.#renewal = setInterval(() => void this.#renew(), LEASE.renewEveryMs).unref();
        void parts.signals.listen(cancellationsOf(this.owner), (messageId) => this.find(messageId)?.cancel());
    }

    /** @throws SHUTTING_DOWN when the process is about to stop */
    checkOpen(): void {
        this.#running.checkOpen();
    }

    /** An answer of this process that is on its way. */
    find(messageId: string): Generation | undefined {
        return this.#byMessage.get(messageId);
    }

    /** Before an answer begins, so that none can begin that nobody would miss. */
    hold(place: AnswerPlace): Promise<void> {
        return this.#parts.store.hold(place, LEASE.leaseMs);
    }

    start(parts: NewGeneration): Generation {
        const { store, tracing } = this.#parts;
        const generation = new Generation({ ...parts, store, tracing, owner: this.owner });
        const { messageId } = generation.place;
        this.#byMessage.set(messageId, generation);
        const forget = () => void this.#byMessage.delete(messageId);
        generation.finished.then(forget, forget);
        return this.#running.add(generation);
    }

    /** Some of the answers whose lease has run out, to be ended by this process. */
    takeOrphans(): Promise<AnswerPlace[]> {
        return this.#parts.store.takeOrphans(LEASE.leaseMs);
    }

    /** Nothing begins any more; answers may outlive the server, and are held as long as they do. */
    stop(): void {
        this.#isStopping = true;
    }

    async #renew(): Promise<void> {
        const places = [...this.#running].map(({ place }) => place);
        if (places.length === 0 && this.#isStopping) clearInterval(this.#renewal);
        if (places.length === 0) return;
        await this.#parts.store.renew(places, LEASE.leaseMs).catch((error: unknown) => {
            this.#parts.logger.warn({ module: 'threads', err: error }, 'Leases on answers were not renewed');
        });
    }
}

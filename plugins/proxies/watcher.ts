import type { ProxyLoad, ProxyPlace } from './api.ts';
import type { HealthChecks } from './health-checks.ts';
import type { StateStore } from './state-store.ts';
import type { WatchStore } from './watch-store.ts';
import type { Drain } from '../../src/drain.ts';
import type { Logger } from '../../src/telemetry/logger.ts';

const LOOK_EVERY_MS = 1_000;
/** How many proxies a process checks at the same time. */
const CHECKS_AT_ONCE = 50;

export interface WatcherParts {
    watch: WatchStore;
    checks: Pick<HealthChecks, 'check'>;
    state: Pick<StateStore, 'sample'>;
    load: (place: ProxyPlace) => Promise<ProxyLoad>;
    drain: Drain;
    logger: Logger;
}

/** Looks at the proxies that are due, of those of all tenants; what another process looks at is not due. */
export class Watcher {
    readonly #parts: WatcherParts;
    readonly #closing = new AbortController();
    readonly #running = new Set<Promise<void>>();
    #timer: NodeJS.Timeout | undefined;
    #checking = 0;

    constructor(parts: WatcherParts) {
        this.#parts = parts;
        parts.drain.onDrain(() => this.stop());
    }

    start(): void {
        this.#timer = setInterval(() => void this.look(), LOOK_EVERY_MS).unref();
    }

    /** Never fails; over when all that was due has been looked at. */
    look(): Promise<void> {
        const looking = this.#look()
            .catch((err: unknown) => this.#warn(err))
            .finally(() => this.#running.delete(looking));
        this.#running.add(looking);
        return looking;
    }

    /** Gives up what is on its way, for others to do. */
    async stop(): Promise<void> {
        clearInterval(this.#timer);
        this.#closing.abort();
        await Promise.all(this.#running);
    }

    async #look(): Promise<void> {
        const { watch, drain } = this.#parts;
        if (drain.isDraining || this.#closing.signal.aborted) return;
        const { checks, samples } = await watch.take(Math.max(0, CHECKS_AT_ONCE - this.#checking));
        await Promise.all([
            ...checks.map((place) => this.#try(place, () => this.#check(place, place.until))),
            ...samples.map((place) => this.#try(place, () => this.#sample(place))),
        ]);
    }

    async #check(place: ProxyPlace, until: string): Promise<void> {
        this.#checking++;
        try {
            await this.#parts.checks.check(place, until, this.#closing.signal);
        } finally {
            this.#checking--;
        }
    }

    async #sample(place: ProxyPlace): Promise<void> {
        const { state, load } = this.#parts;
        await state.sample(place, await load(place));
    }

    async #try(place: ProxyPlace, work: () => Promise<void>): Promise<void> {
        try {
            await work();
        } catch (error) {
            this.#warn(error, place);
        }
    }

    #warn(err: unknown, place?: ProxyPlace): void {
        this.#parts.logger.warn({ module: 'proxies', ...place, err }, 'No look at a proxy');
    }
}

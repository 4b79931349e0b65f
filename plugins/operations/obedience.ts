import { CONFIG_OBEYED, type StoredConfig } from './config-store.ts';

import type { Signals } from '../../src/redis/signals.ts';

/** A process that does not answer by then is about to die, or reads it by itself. */
const PATIENCE_MS = 1_000;

/** A change that was made, and how many processes were woken by it. */
export interface Told {
    config: StoredConfig;
    processes: number;
}

type Hear = (process: string, revision: number) => void;

/** Waits until all processes obey a change. */
export class Obedience {
    readonly #signals: Signals;
    readonly #hearers = new Set<Hear>();
    #listening: Promise<() => void> | undefined;

    constructor(signals: Signals) {
        this.#signals = signals;
    }

    async listen(): Promise<void> {
        this.#listening ??= this.#signals.listen(CONFIG_OBEYED, (message) => {
            const [process = '', revision] = message.split(' ');
            for (const hear of this.#hearers) hear(process, Number(revision));
        });
        await this.#listening;
    }

    stop(): void {
        void this.#listening?.then((unlisten) => unlisten());
    }

    /** @param change Gives null when nothing was changed */
    async of(change: () => Promise<Told | null>): Promise<StoredConfig | null> {
        const obeyed = new Map<string, number>();
        let look = (): void => undefined;
        const hear: Hear = (process, revision) => {
            obeyed.set(process, revision);
            look();
        };
        this.#hearers.add(hear);
        try {
            const told = await change();
            if (!told) return null;
            const { config, processes } = told;
            const isDone = () => [...obeyed.values()].filter((known) => known >= config.revision).length >= processes;
            await within(PATIENCE_MS, (done) => {
                look = () => isDone() && done();
                look();
            });
            return config;
        } finally {
            this.#hearers.delete(hear);
        }
    }
}

/** Settled when `wait` says so, or after that time. */
function within(milliseconds: number, wait: (done: () => void) => void): Promise<void> {
    return new Promise((resolve) => {
        const timer = setTimeout(resolve, milliseconds);
        wait(() => {
            clearTimeout(timer);
            resolve();
        });
    });
}

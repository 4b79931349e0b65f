import { randomUUID } from 'node:crypto';

import { CONFIG_NEWS, NOTHING_SET, type ConfigStore, type StoredConfig } from './config-store.ts';

import type { PlatformSettings } from './api.ts';
import type { Signals } from '../../src/redis/signals.ts';
import type { Logger } from '../../src/telemetry/logger.ts';

/** A signal that was lost costs that long. */
const POLL_MS = 2_000;

export interface MirrorParts {
    store: ConfigStore;
    signals: Signals;
    logger: Logger;
    /** Until something else is set. */
    registration: PlatformSettings['registration'];
}

/**
 * The configuration as this process knows it: read anew when it changes, and every two seconds in case that a signal
 * was lost. While Redis is away it stays as it is.
 */
export class ConfigMirror {
    readonly #parts: MirrorParts;
    readonly #process = randomUUID();
    #known = NOTHING_SET;
    #settings: PlatformSettings;
    #reading: Promise<unknown> = Promise.resolve();
    #isBehind = false;
    #timer: NodeJS.Timeout | undefined;
    #unlisten: (() => void) | undefined;

    constructor(parts: MirrorParts) {
        this.#parts = parts;
        this.#settings = this.#settingsOf(NOTHING_SET);
    }

    readonly settings = (): PlatformSettings => this.#settings;

    async start(): Promise<void> {
        this.#unlisten = await this.#parts.signals.listen(CONFIG_NEWS, () => void this.#obey());
        await this.#refresh();
        this.#timer = setInterval(() => void this.#refresh(), POLL_MS).unref();
    }

    stop(): void {
        clearInterval(this.#timer);
        this.#unlisten?.();
    }

    async #obey(): Promise<void> {
        const { store, logger } = this.#parts;
        if (!(await this.#refresh())) return;
        await store.tellObeyed(this.#process, this.#known.revision).catch((err: unknown) => {
            logger.warn({ module: 'operations', err }, 'Nobody was told that the configuration is obeyed');
        });
    }

    /** One read after the other: an earlier one must not undo what a later one has found. */
    #refresh(): Promise<boolean> {
        const reading = this.#reading.then(() => this.#read());
        this.#reading = reading;
        return reading;
    }

    /** @returns Whether it could be read */
    async #read(): Promise<boolean> {
        const { store, logger } = this.#parts;
        try {
            this.#learn(await store.read());
            this.#isBehind = false;
        } catch (err) {
            if (!this.#isBehind) logger.warn({ module: 'operations', err }, 'The configuration could not be read');
            this.#isBehind = true;
        }
        return !this.#isBehind;
    }

    #learn(found: StoredConfig): void {
        if (found.revision === this.#known.revision) return;
        this.#known = found;
        this.#settings = this.#settingsOf(found);
    }

    #settingsOf({ registration, maintenance, limits }: StoredConfig): PlatformSettings {
        return {
            registration: registration ?? this.#parts.registration,
            maintenance: maintenance ?? { isOn: false, message: null },
            limits: limits ?? {},
        };
    }
}

import { setTimeout as sleep } from 'node:timers/promises';

import { amountsOf, figuresOf, total, type Figures, type Sums } from './counters.ts';

import type { EndedCall, UsageOwner, UsageService } from './api.ts';
import type { UsageStore } from './store.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import type { Actor } from '../../src/types/actor.ts';

const TRIES = 60;
const RETRY_MS = 1_000;

export interface ModelFigures extends Figures {
    modelId: string;
}

export interface UsageQuery {
    days?: number;
    months?: number;
}

/** What users call models for. */
export class UsageRules implements UsageService {
    readonly #store: UsageStore;
    readonly #logger: Logger;
    readonly #pending = new Set<Promise<void>>();
    /** The process stops: nothing is tried again. */
    #isStopping = false;

    constructor(store: UsageStore, logger: Logger) {
        this.#store = store;
        this.#logger = logger;
    }

    key(owner: UsageOwner): string {
        return this.#store.key(owner);
    }

    counts(call: EndedCall): string[] {
        return this.#store.fields(call.modelId, amountsOf(call));
    }

    record({ tenantId, userId }: UsageOwner, id: string, call: EndedCall): void {
        const pending = this.#count({ tenantId, userId }, id, this.counts(call))
            .catch((error: unknown) => {
                const about = { module: 'usage', tenantId, userId, callId: id, modelId: call.modelId };
                this.#logger.error({ ...about, err: error, counts: this.counts(call) }, 'A call was not counted');
            })
            .finally(() => this.#pending.delete(pending));
        this.#pending.add(pending);
    }

    /** Sees to what is still to be counted, before the process ends. */
    async stop(): Promise<void> {
        this.#isStopping = true;
        await Promise.all(this.#pending);
    }

    remove(owner: UsageOwner): Promise<void> {
        return this.#store.remove(owner);
    }

    /** What a user called in the newest days or months, this one among them. */
    async read(actor: Actor, { months, days = 30 }: UsageQuery) {
        const unit = months === undefined ? 'day' : 'month';
        const { newest, oldest, periods } = await this.#store.read(actor, unit, months ?? days);
        const all = periods.flatMap(({ models }) => [...models]);
        const byModel = new Map<string, Sums>();
        for (const [modelId, sums] of all) byModel.set(modelId, total([byModel.get(modelId) ?? new Map(), sums]));
        return {
            unit,
            from: dateOf(oldest),
            to: dateOf(newest),
            total: figuresOf(total(all.map(([, sums]) => sums))),
            models: figuresByModel(byModel),
            periods: periods.map(({ name, models }) => ({ period: dateOf(name), models: figuresByModel(models) })),
        };
    }

    async #count(owner: UsageOwner, id: string, fields: string[]): Promise<void> {
        for (let tries = 1; ; tries++) {
            try {
                await this.#store.count(owner, id, fields);
                return;
            } catch (error) {
                if (this.#isStopping || tries === TRIES) throw error;
                await sleep(RETRY_MS, undefined, { ref: false });
            }
        }
    }
}

const figuresByModel = (models: Map<string, Sums>): ModelFigures[] =>
    [...models]
        .map(([modelId, sums]) => ({ modelId, ...figuresOf(sums) }))
        .toSorted((one, other) => other.calls - one.calls || (one.modelId < other.modelId ? -1 : 1));

/** `yyyymmdd` as `yyyy-mm-dd`, `yyyymm` as `yyyy-mm`. */
const dateOf = (name: string): string => [name.slice(0, 4), name.slice(4, 6), name.slice(6)].filter(Boolean).join('-');

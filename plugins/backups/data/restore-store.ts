import { apiError } from '../../../src/http/errors.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { outboxKeys, outboxLists, type Outbox } from '../../../src/redis/outbox.ts';

import type { StagedStretch } from './stretches.ts';
import type { Carried, Component, IndexEntry } from '../../../src/redis/aggregate.ts';
import type { Datastore, RunScript } from '../../../src/redis/datastore.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);
const HOUR_MS = 3_600_000;
/** How long what is staged and forgotten stays, and what became of a restore is known. */
const STAGED_LIFETIME_MS = 24 * HOUR_MS;
/** How many keys a step is about. */
const STEP = 1_000;
const INDEX_STEP = 500;

export const COMPONENTS: Component[] = ['database', 'config', 'deployment'];

export interface RestorePlace {
    tenantId: string;
    restoreId: string;
}

/** Where a restore stands: `expired` when what was staged is not there any more. */
export type Phase = 'staging' | 'staged' | 'collecting' | 'swapping' | 'done' | 'discarded' | 'expired' | 'waiting';

export interface Lock {
    phase: Phase;
    /** Milliseconds that the tenant has been locked. */
    age: number;
    components: Component[];
}

/** What has to be done about some that the tenant has. */
export interface Gone {
    /** Keys of aggregates, those of each together. */
    gone: string[][];
    carried: Carried[];
    /** What does not come back. */
    vanished: string[];
}

/** Fields of a hash that others have too; `staged` is where they wait. */
export interface Part {
    name: string;
    key: string;
    staged: string;
    fields: string[];
}

const SCRIPTS = [
    'begin-stage',
    'stage-values',
    'stage-indexes',
    'end-stage',
    'clear-stage',
    'lock-tenant',
    'keep-staged',
    'note-gone',
    'end-collecting',
    'swap-keys',
    'end-swap',
    'discard',
] as const;

/** Restores: what is staged of them beside the tenant's keys, and the journal of the swap. */
export class RestoreStore {
    readonly #store: Datastore;
    readonly #run: Record<(typeof SCRIPTS)[number], RunScript>;
    readonly #parts: Part[];
    readonly #step: number;

    /**
     * @param parts Of all kinds that are parts of hashes
     * @param step How many keys a step is about
     */
    constructor(store: Datastore, parts: Part[], step = STEP) {
        this.#step = step;
        this.#store = store;
        this.#parts = parts;
        const scripts = SCRIPTS.map((name) => [name, store.script(lua(name))] as const);
        this.#run = Object.fromEntries(scripts) as Record<(typeof SCRIPTS)[number], RunScript>;
    }

    /** @throws INVALID_STATE when it is being swapped in, or has been */
    async begin(place: RestorePlace, run: string): Promise<void> {
        const [code, phase] = (await this.#run['begin-stage']([key(place)], [run, STAGED_LIFETIME_MS])) as [
            number,
            string?,
        ];
        if (code !== 1) throw notIn(phase ?? '', 'staging');
        await this.clear(place, 'staging', run);
    }

    /** @throws INVALID_STATE when it was begun again meanwhile */
    async stage(place: RestorePlace, run: string, component: Component, stretch: StagedStretch): Promise<void> {
        const { values, texts, begins } = stretch;
        const keys = [key(place), key(place, 'aggregates', component), key(place, 'names'), staged(place)];
        const done = await this.#run['stage-values'](keys, [JSON.stringify({ run, begins, values }), ...texts]);
        if (done !== 1) throw notIn('discarded', 'staging');
    }

    /** @throws As `stage` */
    async stageIndexes(place: RestorePlace, run: string, component: Component, lines: IndexEntry[]): Promise<void> {
        const keys = [key(place), key(place, 'indexes', component), staged(place)];
        for (let at = 0; at < lines.length; at += INDEX_STEP) {
            const args = lines.slice(at, at + INDEX_STEP).flatMap((line) => {
                const name = line.key.join(':');
                return line.type === 'zset'
                    ? [name, 'zset', line.member, line.score]
                    : [name, 'hash', line.field, line.value];
            });
            if ((await this.#run['stage-indexes'](keys, [run, ...args])) !== 1) throw notIn('discarded', 'staging');
        }
    }

    /** Which of them are staged. */
    async areStaged(place: RestorePlace, names: string[]): Promise<boolean[]> {
        return (await this.#store.redis.smismember(key(place, 'names'), names)).map((found) => found === 1);
    }

    phase = async (place: RestorePlace): Promise<Phase> =>
        ((await this.#store.redis.hget(key(place), 'phase')) ?? 'expired') as Phase;

    /** How many members a list has that is staged. */
    countStaged = (place: RestorePlace, ...list: string[]): Promise<number> =>
        this.#store.redis.zcard(staged(place) + list.join(':'));

    /** @throws As `stage` */
    async end(place: RestorePlace, run: string): Promise<void> {
        if ((await this.#run['end-stage']([key(place)], [run])) !== 1) throw notIn('discarded', 'staged');
    }

    /** Removes what is staged, as long as the restore is in that phase. */
    async clear(place: RestorePlace, phase: Phase, run = ''): Promise<void> {
        const keys = [
            key(place),
            staged(place),
            key(place, 'names'),
            key(place, 'gone'),
            key(place, 'vanished'),
            ...lists(place, COMPONENTS),
        ];
        const parts = JSON.stringify(this.#parts.map((part) => part.staged));
        while ((await this.#run['clear-stage'](keys, [phase, run, this.#step, parts])) === 1);
    }

    /** @throws TENANT_RESTORING for another restore; INVALID_STATE when nothing is staged */
    async lock(place: RestorePlace, components: Component[]): Promise<Lock> {
        const { restoreId } = place;
        const keys = [
            key(place),
            infoKey(place),
            key(place, 'names'),
            ...lists(place, components),
            ...this.#parts.map((part) => staged(place) + part.staged),
        ];
        const reply = await this.#run['lock-tenant'](keys, [restoreId, JSON.stringify(components), HOUR_MS]);
        const [phase, age, stored = '[]'] = reply as [Phase | '', number | Phase, string?];
        if (age === 'waiting') throw apiError('TENANT_RESTORING', { retryAfter: 60 });
        if (phase === '') throw notIn(String(age), 'swapping');
        return { phase, age: Number(age), components: JSON.parse(stored) as Component[] };
    }

    /** What is staged of the component stays from now on. @throws INVALID_STATE when some of it is gone */
    async keep(place: RestorePlace, component: Component): Promise<void> {
        const keys = [key(place), ...lists(place, [component]), staged(place)];
        for (const what of ['aggregates', 'indexes']) {
            for (let next: unknown = '0'; next !== '';) {
                next = await this.#run['keep-staged'](keys, [String(next), what, this.#step]);
                if (next === -1) return;
                if (next === -2) throw notIn('expired', 'swapping');
            }
        }
    }

    async noteGone(place: RestorePlace, { gone, carried, vanished }: Gone): Promise<void> {
        const keys = [key(place), key(place, 'gone'), staged(place), key(place, 'vanished')];
        await this.#run['note-gone'](keys, [JSON.stringify(gone), JSON.stringify(carried), ...vanished]);
    }

    /** The next one that has not come back, until it is said that it is forgotten. */
    nextVanished = (place: RestorePlace): Promise<string | null> => this.#store.redis.lindex(key(place, 'vanished'), 0);

    async forgotten(place: RestorePlace, name: string): Promise<void> {
        await this.#store.redis.lrem(key(place, 'vanished'), 0, name);
    }

    endCollecting = async (place: RestorePlace): Promise<Phase> =>
        (await this.#run['end-collecting']([key(place)], [])) as Phase;

    async swapKeys(place: RestorePlace, components: Component[]): Promise<void> {
        const keys = [key(place), key(place, 'gone'), liveOf(place), staged(place), ...lists(place, components)];
        while ((await this.#run['swap-keys'](keys, [this.#step])) === 1);
    }

    /** @param parts Those of the components that are swapped */
    async endSwap(place: RestorePlace, parts: Part[], outbox: Outbox): Promise<void> {
        const { tenantId, restoreId: id } = place;
        const keys = [
            key(place),
            infoKey(place),
            ...outboxKeys(tenantId),
            key(place, 'names'),
            liveOf(place),
            staged(place),
        ];
        const change = { id, parts, lifetime: STAGED_LIFETIME_MS, ...outboxLists(outbox) };
        await this.#run['end-swap'](keys, [JSON.stringify(change)]);
    }

    async discard(place: RestorePlace): Promise<void> {
        const args = [place.restoreId, STAGED_LIFETIME_MS];
        const phase = await this.#run.discard([key(place), infoKey(place)], args);
        // Its end may have been interrupted.
        if (phase === 'discarded' || phase === 'done') await this.clear(place, phase);
    }
}

const key = ({ tenantId, restoreId }: RestorePlace, ...parts: string[]): string =>
    tenantKey(tenantId, 'restore', restoreId, ...parts);

/** What staged keys begin with; those of the tenant follow, after the tenant. */
const staged = (place: RestorePlace): string => `${key(place, 'staged')}:`;

const infoKey = ({ tenantId }: RestorePlace): string => tenantKey(tenantId, 'info');

/** What the tenant's keys begin with. */
const liveOf = ({ tenantId }: RestorePlace): string => tenantKey(tenantId, '-').slice(0, -1);

const lists = (place: RestorePlace, components: Component[]): string[] =>
    components.flatMap((component) => [key(place, 'aggregates', component), key(place, 'indexes', component)]);

const notIn = (from: string, to: string) => apiError('INVALID_STATE', { details: { from, to } });

import { ulid } from 'ulid';

import { stretchesOf } from './stretches.ts';

import type { Part, RestorePlace, RestoreStore } from './restore-store.ts';
import type { Aggregate, AggregateKind } from '../../../src/redis/aggregate.ts';

/** Puts aggregates beside those that the tenant has. */
export class Stage {
    readonly #restores: RestoreStore;
    readonly #kinds: Map<string, AggregateKind>;

    constructor(restores: RestoreStore, kinds: AggregateKind[]) {
        this.#restores = restores;
        this.#kinds = new Map(kinds.map((kind) => [kind.kind, kind]));
    }

    /** @throws INVALID_STATE when it is begun again meanwhile, given up, or being swapped in */
    async all(place: RestorePlace, aggregates: AsyncIterable<Aggregate>): Promise<void> {
        const run = ulid();
        await this.#restores.begin(place, run);
        for await (const aggregate of aggregates) {
            const kind = this.#kinds.get(aggregate.kind);
            if (!kind) throw new TypeError(`Nobody takes back what is a ${aggregate.kind}`);
            await this.#one(place, run, kind, kind.settled(aggregate));
        }
        await this.#restores.end(place, run);
    }

    async #one(place: RestorePlace, run: string, kind: AggregateKind, aggregate: Aggregate): Promise<void> {
        const owner = kind.owner?.(aggregate);
        // He came or went while the backup was made.
        if (owner !== undefined && !(await this.#restores.areStaged(place, [owner]))[0]) return;
        const isPart = kind.part !== undefined;
        const keyOf = (key: string): string => (isPart ? stagedPart(kind.kind) : key);
        for (const stretch of stretchesOf(aggregate, isPart, keyOf)) {
            await this.#restores.stage(place, run, kind.component, stretch);
        }
        const lines = kind.indexes(aggregate);
        await this.#restores.stageIndexes(place, run, kind.component, lines);
    }
}

/** What those kinds have of hashes that others have too. */
export const partsOf = (kinds: AggregateKind[]): Part[] =>
    kinds.flatMap(({ kind, part }) => (part ? [{ name: `${kind}/${kind}`, staged: stagedPart(kind), ...part }] : []));

const stagedPart = (kind: string): string => `part:${kind}`;

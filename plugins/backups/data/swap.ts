import { partsOf } from './stage.ts';
import { nameOf } from './stretches.ts';
import { apiError } from '../../../src/http/errors.ts';

import type { Lock, Phase, RestorePlace, RestoreStore } from './restore-store.ts';
import type { AggregateKind, Carried, Component } from '../../../src/redis/aggregate.ts';
import type { Outbox } from '../../../src/redis/outbox.ts';

export interface SwapParts {
    kinds: AggregateKind[];
    bound: (tenantId: string, userIds: string[]) => Promise<string[]>;
    graceMs: number;
    wait: (milliseconds: number) => Promise<unknown>;
}

/** Puts what is staged in the place of what the tenant has. */
export class Swap {
    readonly #restores: RestoreStore;
    readonly #parts: SwapParts;

    constructor(restores: RestoreStore, parts: SwapParts) {
        this.#restores = restores;
        this.#parts = parts;
    }

    /** @throws RESTORE_WOULD_ORPHAN, RESTORE_WITHOUT_ADMIN, TENANT_RESTORING, INVALID_STATE: then nothing has changed */
    async run(place: RestorePlace, wanted: Component[], outbox: Outbox = {}): Promise<void> {
        const lock = await this.#lock(place, wanted);
        const { components } = lock;
        if (lock.phase === 'collecting') await this.#collect(place, components, lock.age);
        if (lock.phase !== 'done') {
            await this.#restores.swapKeys(place, components);
            await this.#forget(place);
            await this.#resume(place, components);
            await this.#restores.endSwap(place, partsOf(this.#kindsOf(components)), outbox);
        }
        await this.#restores.clear(place, 'done');
    }

    /** Looks before the lock, so that what is refused disturbs nobody. */
    async #lock(place: RestorePlace, wanted: Component[]): Promise<Lock> {
        if ((await this.#restores.phase(place)) === 'staged') await this.#checkIn(place, wanted, 'staged');
        return this.#restores.lock(place, wanted);
    }

    /** Notes all that goes, when nobody changes anything any more; then there is no way back. */
    async #collect(place: RestorePlace, components: Component[], age: number): Promise<void> {
        const { graceMs, wait } = this.#parts;
        if (age < graceMs) await wait(graceMs - age);
        await this.#checkIn(place, components, 'collecting').catch(async (error: unknown) => {
            await this.#restores.discard(place);
            throw error;
        });
        for (const component of components) await this.#restores.keep(place, component);
        for (const kind of this.#kindsOf(components)) {
            if (kind.part) continue;
            for await (const ids of kind.ids(place.tenantId)) await this.#noteGone(place, kind, ids);
        }
        const phase = await this.#restores.endCollecting(place);
        if (phase === 'discarded' || phase === 'staging') {
            throw apiError('INVALID_STATE', { details: { from: phase, to: 'swapping' } });
        }
    }

    async #noteGone(place: RestorePlace, kind: AggregateKind, ids: string[]): Promise<void> {
        const { tenantId } = place;
        const names = ids.map((id) => nameOf({ kind: kind.kind, id }));
        const areBack = await this.#restores.areStaged(place, names);
        const gone: string[][] = [];
        const carried: Carried[] = [];
        const lists = new Set<string>();
        for (const id of ids) {
            const aggregate = await kind.read(tenantId, id);
            if (!aggregate) continue;
            const leftovers = await kind.leftovers(tenantId, id);
            gone.push([...leftovers, ...Object.keys(aggregate.values)]);
            for (const { key } of kind.indexes(aggregate)) lists.add(key.join(':'));
            carried.push(...(kind.carried?.(aggregate) ?? []));
        }
        const vanished = kind.forget ? names.filter((_name, n) => areBack[n] !== true) : [];
        await this.#restores.noteGone(place, { gone: [...gone, [...lists]], carried, vanished });
    }

    /** Looks while the restore is in a phase: when another process has gone on meanwhile, what was seen says nothing. */
    async #checkIn(place: RestorePlace, components: Component[], phase: Phase): Promise<void> {
        await this.#check(place, components).catch(async (error: unknown) => {
            if ((await this.#restores.phase(place)) === phase) throw error;
        });
    }

    /** @throws RESTORE_WOULD_ORPHAN, RESTORE_WITHOUT_ADMIN */
    async #check(place: RestorePlace, components: Component[]): Promise<void> {
        if (!components.includes('database')) return;
        const users = this.#parts.kinds.find(({ kind }) => kind === 'user');
        const { tenantId } = place;
        const orphaning: string[] = [];
        for await (const ids of users?.ids(tenantId) ?? []) {
            const areBack = await this.#restores.areStaged(
                place,
                ids.map((id) => nameOf({ kind: 'user', id })),
            );
            const vanishing = ids.filter((_id, n) => areBack[n] !== true);
            if (vanishing.length > 0) orphaning.push(...(await this.#parts.bound(tenantId, vanishing)));
        }
        if (orphaning.length > 0) throw apiError('RESTORE_WOULD_ORPHAN', { details: { userIds: orphaning } });
        if ((await this.#restores.countStaged(place, 'users', 'admins')) === 0) throw apiError('RESTORE_WITHOUT_ADMIN');
    }

    async #forget(place: RestorePlace): Promise<void> {
        for (let name = await this.#restores.nextVanished(place); name !== null;) {
            const [kind = '', id = ''] = name.split('/');
            await this.#parts.kinds.find((one) => one.kind === kind)?.forget?.(place.tenantId, id);
            await this.#restores.forgotten(place, name);
            name = await this.#restores.nextVanished(place);
        }
    }

    async #resume({ tenantId }: RestorePlace, components: Component[]): Promise<void> {
        for (const kind of this.#kindsOf(components)) {
            if (!kind.resume) continue;
            for await (const ids of kind.ids(tenantId)) for (const id of ids) await kind.resume(tenantId, id);
        }
    }

    #kindsOf(components: Component[]): AggregateKind[] {
        return this.#parts.kinds.filter(({ component }) => components.includes(component));
    }
}

import { PLATFORM, tenantKey } from './keys.ts';

import type { Datastore, RunScript } from './datastore.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);

/** Longer than any request. */
const NOTE_HOLDS_MS = 120_000;
/** Less than that: nobody forgets a tenant that was noted so lately. */
const NOTED_MS = 60_000;
const MOST_KNOWN = 10_000;
const BATCH = 50;

/** Tenants in which a feature has something to look at again and again, in the platform's slot. */
export class DueTenants {
    readonly #keys: [due: string, noted: string];
    readonly #everyMs: number;
    readonly #notedAt = new Map<string, number>();
    readonly #run: Record<'note' | 'take' | 'forget', RunScript>;

    /**
     * @param name Of the keys
     * @param everyMs How long a tenant that was taken is nobody else's
     */
    constructor(store: Datastore, name: string, everyMs: number) {
        this.#keys = [tenantKey(PLATFORM, name), tenantKey(PLATFORM, name, 'noted')];
        this.#everyMs = everyMs;
        this.#run = {
            note: store.script(lua('note-due-tenant')),
            take: store.script(lua('take-due-tenants')),
            forget: store.script(lua('forget-due-tenant')),
        };
    }

    /** Before there is something to look at: whatever becomes of that, the tenant is looked at. */
    async note(tenantId: string): Promise<void> {
        await this.#run.note(this.#keys, [tenantId]);
    }

    /** The same, for what happens often: not more than once a minute. */
    async noteOften(tenantId: string, now: number): Promise<void> {
        if ((this.#notedAt.get(tenantId) ?? -Infinity) > now - NOTED_MS) return;
        await this.note(tenantId);
        if (this.#notedAt.size >= MOST_KNOWN) this.#notedAt.clear();
        this.#notedAt.set(tenantId, now);
    }

    /** Some that are due; nobody else gets them before they are due again. */
    async take(): Promise<string[]> {
        return (await this.#run.take(this.#keys.slice(0, 1), [this.#everyMs, BATCH])) as string[];
    }

    /** All that are due, some at a time, until there are none. */
    async *batches(): AsyncGenerator<string[]> {
        for (let found = await this.take(); found.length > 0; found = await this.take()) yield found;
    }

    /** Of one with nothing to look at; one that was noted in the last two minutes stays. */
    async forget(tenantId: string): Promise<boolean> {
        return (await this.#run.forget(this.#keys, [tenantId, NOTE_HOLDS_MS])) === 1;
    }
}

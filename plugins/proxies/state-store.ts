import { changesKey, healthKey, stateKeys } from './keys-store.ts';
import { memberHealth, type Seen } from './member-health.ts';

import type { MemberHealth, ProxyLoad, ProxyPlace, ProxyStatus } from './api.ts';
import type { StatusChange } from './availability.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';
import type { Tiers } from '../tenants/api.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);
const SAMPLES = { 1: 'seen', 2: 'scaled', 3: 'idle' } as const;

/** What says how many replicas a proxy may have: the tiers, and where records of other features live. */
export interface ReplicaLimits {
    tiers: Tiers;
    tenant: (tenantId: string) => string;
    user: (tenantId: string, userId: string) => string;
}

/** How members are, what follows for their proxy, and how it follows its load. */
export class StateStore {
    readonly #store: Datastore;
    readonly #limits: ReplicaLimits;
    readonly #note: RunScript;
    readonly #apply: RunScript;
    readonly #sample: RunScript;

    constructor(store: Datastore, limits: ReplicaLimits) {
        this.#store = store;
        this.#limits = limits;
        this.#note = store.script(lua('note-member'));
        this.#apply = store.script(lua('apply-checks'));
        this.#sample = store.script(lua('sample-proxy'));
    }

    /** @returns Whether no member is healthy from now on */
    async note(place: ProxyPlace, seen: Seen): Promise<boolean> {
        return (await this.#note(stateKeys(place), [JSON.stringify(seen)])) === 2;
    }

    /** @returns In how many milliseconds the proxy is to be checked again; null: it does not run */
    async apply(place: ProxyPlace, seen: Seen[]): Promise<number | null> {
        const next = Number(await this.#apply(stateKeys(place), [JSON.stringify(seen)]));
        return next < 0 ? null : next;
    }

    /** @returns What was done about the load; null: the proxy does not run */
    async sample(place: ProxyPlace, { active, waiting }: ProxyLoad): Promise<'seen' | 'scaled' | 'idle' | null> {
        const { tenantId } = place;
        const { tiers, tenant, user } = this.#limits;
        const keys = [...stateKeys(place), tenant(tenantId), user(tenantId, '')];
        const code = Number(await this.#sample(keys, [active, waiting, tiers.figuresByTier('replicasPerProxy')]));
        return SAMPLES[code as keyof typeof SAMPLES] ?? null;
    }

    async health(place: ProxyPlace): Promise<Map<string, MemberHealth>> {
        const found = await this.#store.redis.hgetall(healthKey(place));
        return memberHealth(Object.entries(found).flat());
    }

    /** Removes what is known of a proxy that is gone. */
    async forget(place: ProxyPlace): Promise<void> {
        await this.#store.redis.unlink(healthKey(place), changesKey(place));
    }

    /** The last thousand, the oldest first. */
    async changes(place: ProxyPlace): Promise<StatusChange[]> {
        const found = await this.#store.redis.zrange(changesKey(place), 0, '-1', 'WITHSCORES');
        return found.flatMap((member, index) => {
            if (index % 2 === 1) return [];
            const [number, to] = member.split(':');
            return [{ number: Number(number), at: Number(found[index + 1]), to: to as ProxyStatus }];
        });
    }
}

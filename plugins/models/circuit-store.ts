import { PLATFORM, tenantKey } from '../../src/redis/keys.ts';

import type { Datastore } from '../../src/redis/datastore.ts';

/** When a circuit opens and closes. */
export interface CircuitPolicy {
    /** So many in a row, within the window, open it. */
    failures: number;
    windowMs: number;
    openMs: number;
    /** So many one after the other close it. */
    successes: number;
}

/** A circuit that is not clean; times are of Redis' clock. */
export interface Circuit {
    failedAt?: number[];
    /** Open until then; afterwards half-open. Without it the circuit is closed. */
    openUntil?: number;
    successes?: number;
    /** The lease of the one that probes. */
    probe?: string;
    probeUntil?: number;
}

export type Outcome = 'success' | 'failure' | 'none';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);

const parse = (text: string): Circuit | null => (text === '' ? null : (JSON.parse(text) as Circuit));

/** The circuits of all replicas: one hash of the platform, with a field for each that is not clean. */
export function createCircuitStore(store: Datastore, policy: CircuitPolicy) {
    const keys = [tenantKey(PLATFORM, 'circuits')] as [string];
    const read = store.script(lua('read-circuits'));
    const enter = store.script(lua('enter-circuit'));
    const report = store.script(lua('report-circuit'));

    return {
        policy,

        async read() {
            const [at, flat] = (await read(keys, [])) as [number, string[]];
            const circuits = new Map<string, Circuit>();
            for (let n = 0; n < flat.length; n += 2) circuits.set(flat[n] ?? '', parse(flat[n + 1] ?? '') ?? {});
            return { at, circuits };
        },

        async enter(name: string, lease: string, leaseMs: number) {
            const reply = await enter(keys, [JSON.stringify({ name, lease, leaseMs })]);
            const [entry, text] = reply as [0 | 1 | 2, string];
            return { isFree: entry > 0, isProbe: entry === 2, circuit: parse(text) };
        },

        /** @param lease Of a probe, else empty */
        async report(name: string, outcome: Outcome, lease: string) {
            const reply = await report(keys, [JSON.stringify({ name, outcome, lease, policy })]);
            const [change, text] = reply as ['' | 'opened' | 'closed', string];
            return { change, circuit: parse(text) };
        },

        async reset(name: string): Promise<void> {
            await store.redis.hdel(keys[0], name);
        },
    };
}

export type CircuitStore = ReturnType<typeof createCircuitStore>;

import { reportKeys } from './keys-store.ts';
import { isoTime } from '../../src/redis/codec.ts';

import type { FigureQuery, FoundFigures, Sums, TenantFigures } from './figures.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';

/** Of all tenants that one script sets: other commands wait for it. */
const MOST_PERIODS = 24;

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);

/** The sums of all tenants, in the platform's slot. */
export class FigureStore {
    readonly #redis: Datastore['redis'];
    readonly #set: RunScript;
    readonly #read: RunScript;

    constructor(store: Datastore) {
        this.#redis = store.redis;
        this.#set = store.script(lua('set-figures'));
        this.#read = store.script(lua('read-figures'));
    }

    /** Whatever was known of them before; older reads of them change nothing. */
    async set(tenants: TenantFigures[]): Promise<void> {
        for (const some of stretches(tenants)) {
            const told = some.map(({ id, name, read, isGone, periods }) => ({ id, name, read, isGone, periods }));
            await this.#set([reportKeys.figures], [JSON.stringify(told)]);
        }
    }

    /** What has happened before that time is in the sums. */
    async setAsOf(at: number): Promise<void> {
        await this.#redis.set(reportKeys.asOf, at);
    }

    /** In one script, however many tenants there are. */
    async read({ figures = [], traffic = [], active = [], top }: FigureQuery): Promise<FoundFigures> {
        const query = { figures, traffic, active, ...(top && { top: { also: [], ...top } }) };
        const reply = await this.#read([reportKeys.figures, reportKeys.traffic], [JSON.stringify(query)]);
        const [asOf, found, requests, users, leaders] = reply as Reply;
        return {
            asOf: asOf === '' ? null : isoTime(Number(asOf)),
            figures: found.map(sumsIn),
            traffic: requests.map(sumsIn),
            active: users,
            leaders: leaders.map(([tenantId, name, ...values]) => ({
                tenantId,
                tenantName: name === '' ? null : name,
                values: values.map(BigInt),
            })),
        };
    }
}

/** Some at a time; one that has more is by itself. */
function stretches(tenants: TenantFigures[]): TenantFigures[][] {
    const found: TenantFigures[][] = [];
    let room = 0;
    for (const tenant of tenants) {
        const size = Object.keys(tenant.periods).length;
        if (size > room || found.length === 0) {
            found.push([]);
            room = MOST_PERIODS;
        }
        found.at(-1)?.push(tenant);
        room -= size;
    }
    return found;
}

type Reply = [
    asOf: string,
    figures: string[][],
    traffic: string[][],
    active: number,
    leaders: [tenantId: string, name: string, ...values: string[]][],
];

const sumsIn = (flat: string[]): Sums =>
    new Map(Array.from({ length: flat.length / 2 }, (_, n) => [flat[2 * n] ?? '', BigInt(flat[2 * n + 1] ?? '')]));

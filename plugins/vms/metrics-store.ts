import { ofEachFigure } from './figures.ts';
import { tenantKey } from '../../src/redis/keys.ts';

import type { DriverMetrics, VmPlace } from './drivers/driver.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);

/** How many samples of a VM are kept. */
const KEPT = 1_000;

const HOUR_MS = 3_600_000;

type Entry = [id: string, flat: string[]];

/** What was measured of VMs: a stream of each, to be deleted with it. */
export class MetricsStore {
    readonly #redis: Datastore['redis'];
    readonly #append: RunScript;
    readonly #read: RunScript;

    constructor(store: Datastore) {
        this.#redis = store.redis;
        this.#append = store.script(lua('append-sample'));
        this.#read = store.script(lua('read-samples'));
    }

    /** The key of a VM's samples, for the scripts that delete them. */
    key({ tenantId, vmId }: VmPlace): string {
        return tenantKey(tenantId, 'vm', vmId, 'metrics');
    }

    /** Keeps a sample under the time by Redis' clock. @returns False when the VM does not run: then it was not kept */
    async append(place: VmPlace, metrics: DriverMetrics): Promise<boolean> {
        const keys = [tenantKey(place.tenantId, 'vm', place.vmId), this.key(place)];
        return (await this.#append(keys, [KEPT, ...encode(metrics)])) === 1;
    }

    /** The newest sample; null when there is none. */
    async latest(place: VmPlace): Promise<DriverMetrics | null> {
        const [entry] = await this.#redis.xrevrange(this.key(place), '+', '-', 'COUNT', 1);
        return entry ? decode(entry) : null;
    }

    /** The samples of so many hours before `to`, which is now by Redis' clock; the oldest first. */
    async read(place: VmPlace, hours: number): Promise<{ to: number; samples: DriverMetrics[] }> {
        const [to, entries] = (await this.#read([this.key(place)], [hours * HOUR_MS])) as [number, Entry[]];
        return { to, samples: entries.map(decode) };
    }
}

/** A figure that is null has no field. */
function encode(metrics: DriverMetrics): string[] {
    const figures = Object.entries(ofEachFigure((figure) => metrics[figure]));
    return [
        'isSimulated',
        metrics.isSimulated ? '1' : '0',
        'unavailable',
        JSON.stringify(metrics.unavailable),
        ...figures.flatMap(([figure, value]) => (value === null ? [] : [figure, String(value)])),
    ];
}

function decode([id, flat]: Entry): DriverMetrics {
    const fields = new Map(flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1] ?? '']] : [])));
    const numberOf = (text: string | undefined) => (text === undefined ? null : Number(text));
    return {
        at: Number(id.split('-')[0]),
        ...ofEachFigure((figure) => numberOf(fields.get(figure))),
        isSimulated: fields.get('isSimulated') === '1',
        unavailable: JSON.parse(fields.get('unavailable') ?? '{}') as Record<string, string>,
    };
}

import { backupKeys } from './keys-store.ts';
import { SIZES } from './sizes.ts';
import { outboxKeys, outboxLists, type Outbox } from '../../src/redis/outbox.ts';

import type { Datastore, RunScript } from '../../src/redis/datastore.ts';

/** How long a notice that was taken is known again; longer than its time stamp is good. */
const NOTICE_LIFETIME_MS = 15 * 60_000;

/** What there is of a tenant's backups; `byDay` and `bySize` tell of those that are kept. */
export interface BackupStats {
    total: number;
    totalBytes: number;
    oldest: string | null;
    newest: string | null;
    byDay: { day: string; count: number; bytes: number }[];
    bySize: { size: string; upToBytes: number | null; count: number }[];
    /** Since the beginning, as `failed`. */
    completed: number;
    failed: number;
    /** Of those that ended; null before the first has. */
    successRate: number | null;
    /** What was told of backups made elsewhere. */
    external: { completed: number; failed: number };
}

/** Figures of a tenant's backups, kept by the scripts that change these. */
export class StatsStore {
    readonly #store: Datastore;
    readonly #note: RunScript;
    readonly #tenantKey: (tenantId: string) => string;

    constructor(store: Datastore, tenantKeyOf: (tenantId: string) => string) {
        this.#store = store;
        this.#tenantKey = tenantKeyOf;
        this.#note = store.script(new URL('./lua/note-external.lua', import.meta.url));
    }

    async read(tenantId: string): Promise<BackupStats> {
        const { redis } = this.#store;
        const { done, stats } = backupKeys(tenantId);
        const [found, total, [oldest = null], [newest = null]] = await Promise.all([
            redis.hgetall(stats),
            redis.zcard(done),
            redis.zrange(done, '0', '0'),
            redis.zrange(done, '-1', '-1'),
        ]);
        const figure = (name: string) => Number(found[name] ?? 0);
        const ended = figure('completed') + figure('failed');
        const days = Object.keys(found).flatMap((name) => /^day:(.{10}):count$/.exec(name)?.[1] ?? []);
        return {
            total,
            totalBytes: figure('bytes'),
            oldest,
            newest,
            byDay: days.toSorted().map((day) => ({
                day,
                count: figure(`day:${day}:count`),
                bytes: figure(`day:${day}:bytes`),
            })),
            bySize: SIZES.map(({ name, upTo }) => ({ size: name, upToBytes: upTo, count: figure(`size:${name}`) })),
            completed: figure('completed'),
            failed: figure('failed'),
            successRate: ended === 0 ? null : figure('completed') / ended,
            external: { completed: figure('external:completed'), failed: figure('external:failed') },
        };
    }

    /** Notes a backup made elsewhere; `known`: by the same notice before. */
    async noteExternal(
        tenantId: string,
        notice: { digest: string; status: 'completed' | 'failed'; outbox: Outbox },
    ): Promise<'noted' | 'known' | 'no tenant'> {
        const { digest, status, outbox } = notice;
        const keys = backupKeys(tenantId);
        const code = await this.#note(
            [keys.notice(digest), ...outboxKeys(tenantId), keys.stats, this.#tenantKey(tenantId)],
            [JSON.stringify({ lifetime: NOTICE_LIFETIME_MS, figure: `external:${status}`, ...outboxLists(outbox) })],
        );
        if (code === 1) return 'noted';
        return code === 0 ? 'known' : 'no tenant';
    }
}

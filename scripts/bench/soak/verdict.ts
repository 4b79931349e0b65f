import { firstAndLast, type Reading } from './readings.ts';
import { median, type Figures } from '../figures.ts';

import type { KeyKind, Survey } from './keys.ts';

const LATELY = 'tenants of the last minutes';
const LOG = "the queue's own log, 10,000 at most";

/** What may be more afterwards, by how a kind of keys begins, and why; the first that fits. */
const KEPT: Record<string, string> = {
    'tenant:{tenant}:events': 'events, for seven days',
    'tenant:{platform}:events': 'events, for seven days',
    'tenant:{platform}:audit-tenants': LATELY,
    'tenant:{tenant}:audit': 'audit, as long as the plan says',
    'tenant:{platform}:audit': 'audit, as long as the plan says',
    'tenant:{tenant}:user:<user>:audit': 'the newest 1,000 of a user',
    'tenant:{platform}:user:<user>:audit': 'the newest 1,000 of a user',
    'tenant:{tenant}:user:<user>:profile': 'of users that there are',
    'tenant:{tenant}:credits': 'the ledger, its index and its sums, for good',
    'tenant:{tenant}:revoked-keys': 'as long as a backup may have them',
    'tenant:{tenant}:tunnels:linked': 'links, until they are swept',
    'tenant:{tenant}:tunnels:unpaid': 'charged each hour',
    'tenant:{platform}:event-tenants': LATELY,
    'tenant:{platform}:holds': LATELY,
    'tenant:{platform}:report-tenants': LATELY,
    'tenant:{platform}:tunnel-tenants': LATELY,
    'tenant:{platform}:webhook-tenants': LATELY,
    'tenant:{platform}:reports:purged': 'so that no late read brings a tenant back, for 60 days',
    'tenant:{platform}:jobs:maintenance:events': LOG,
    'tenant:{platform}:jobs:deliveries:events': LOG,
    'tenant:{platform}:jobs:maintenance:completed': 'the newest 1,000 of a day',
    'tenant:{platform}:jobs:maintenance:<n>': 'jobs that were done, the newest 1,000 of a day',
    'tenant:{platform}:jobs:maintenance:purge-tenant': 'jobs that were done, the newest 1,000 of a day',
    'tenant:{platform}:jobs:maintenance:purge-user': 'jobs for the day on which users go for good',
    'tenant:{platform}:jobs:maintenance:delayed': 'jobs for the day on which users go for good',
};

const NONE: KeyKind = { keys: 0, expiring: 0, bytes: 0, entries: 0 };

/** A kind of keys before and after. */
export interface Growth {
    kind: string;
    /** Those that stay. */
    stay: [before: number, after: number];
    expire: [before: number, after: number];
    entries: [before: number, after: number];
    bytes: number;
    /** Why there may be more; undefined where there may not. */
    why: string | undefined;
}

/** What is held of credits is given back. */
const NEVER_KEPT = 'tenant:{tenant}:credits:held';

const reasonOf = (kind: string): string | undefined =>
    kind === NEVER_KEPT ? undefined : Object.entries(KEPT).find(([begin]) => kind.startsWith(begin))?.[1];

export function growths(before: Survey, after: Survey): Growth[] {
    const kinds = [...new Set([...before.keys(), ...after.keys()])].toSorted();
    return kinds.map((kind) => {
        const was = before.get(kind) ?? NONE;
        const is = after.get(kind) ?? NONE;
        return {
            kind,
            stay: [was.keys - was.expiring, is.keys - is.expiring],
            expire: [was.expiring, is.expiring],
            entries: [was.entries, is.entries],
            bytes: is.bytes - was.bytes,
            why: is.keys === is.expiring ? 'expires' : reasonOf(kind),
        };
    });
}

/** The kinds that are more although nothing was kept. */
const strays = (all: Growth[]): string[] =>
    all
        .filter(({ why, stay, entries }) => why === undefined && (stay[1] > stay[0] || entries[1] > entries[0]))
        .map(({ kind, stay, entries }) => `${kind}: ${stay.join(' → ')} keys, ${entries.join(' → ')} entries`);

const MEBIBYTE = 1_048_576;
const smallest = (values: number[]): number => Math.min(...values);

/**
 * What is read while people come and go, and how much more of it there may be in the last fifth than in the second: it
 * must not be past both. Of the heap that is left by collections the smallest counts.
 */
const MEMORY = {
    rss: { level: median, ratio: 1.15, bytes: 32 * MEBIBYTE },
    heap: { level: smallest, ratio: 1.15, bytes: 12 * MEBIBYTE },
    external: { level: smallest, ratio: 1.15, bytes: 4 * MEBIBYTE },
} as const;
type MemoryFigure = keyof typeof MEMORY;
const MEMORY_FIGURES = Object.keys(MEMORY) as MemoryFigure[];
const HANDLES = ['files', 'resources'] as const;
/** Sockets that are kept open for the next request. */
const SPARE_HANDLES = 4;
/** Tables of Redis that have grown, and buffers. */
const SPARE_REDIS_BYTES = 1_048_576;
/** The first fifth is the warm-up, of which nothing is read. */
const FIFTHS = 4;

const secondAndLast = (readings: Reading[], figure: MemoryFigure): [number, number] =>
    firstAndLast(readings, figure, { parts: FIFTHS, level: MEMORY[figure].level });

/** Memory under load, in the fifth after the warm-up and in the last one. */
export const memoryFigures = (readings: Reading[]): Record<string, Figures> =>
    Object.fromEntries(
        MEMORY_FIGURES.map((figure) => {
            const [first, last] = secondAndLast(readings, figure);
            return [`soak: ${figure}, MiB`, { first: first / MEBIBYTE, last: last / MEBIBYTE, ratio: last / first }];
        }),
    );

/** A process and its Redis at rest, before and after. */
export interface AtRest {
    before: Reading;
    after: Reading;
}

/** What Redis takes more than what was kept explains. */
export const unexplainedBytes = ({ before, after }: AtRest, all: Growth[]): number =>
    after.redisBytes -
    before.redisBytes -
    all.filter(({ why }) => why !== undefined).reduce((sum, { bytes }) => sum + bytes, 0);

/** Everything that has grown and should not have. */
export function leaks(readings: Reading[], rest: AtRest, all: Growth[]): string[] {
    const found = strays(all);
    for (const figure of MEMORY_FIGURES) {
        const { ratio, bytes } = MEMORY[figure];
        const [first, last] = secondAndLast(readings, figure);
        if (last > first * ratio && last > first + bytes) found.push(`${figure}: ${first} → ${last} bytes`);
    }
    for (const figure of HANDLES) {
        const { [figure]: first } = rest.before;
        const { [figure]: last } = rest.after;
        if (last > first + SPARE_HANDLES) found.push(`${figure} at rest: ${first} → ${last}`);
    }
    const bytes = unexplainedBytes(rest, all);
    if (bytes > SPARE_REDIS_BYTES) found.push(`${bytes} bytes of Redis that nothing explains`);
    return found;
}

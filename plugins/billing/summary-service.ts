import { shown } from './amounts.ts';
import { consumersOf, typeSums } from './consumers.ts';
import { ENTRY_TYPES } from './entry.ts';
import { daysUntil, hoursUntil, merged, monthAround, monthOf, monthStretch } from './stretches.ts';
import { jsonAmount, type Micros } from '../../src/money.ts';

import type { SummaryStore } from './summary-store.ts';
import type { Clock } from '../../src/clock.ts';

export const PERIODS = { '1d': 1, '7d': 7, '30d': 30, '90d': 90, '365d': 365 } as const;
export type Period = keyof typeof PERIODS;

/** How many of each kind a summary names, the dearest first. */
export const MOST_NAMED = 100;
const TOP = 5;
const HOURS = 24;
const [WEEK, MONTH] = [7, 30];
/** Per cent of change from which on a trend is one. */
const STABLE = 10n;
const HUNDRED = 100n;

const sumOf = (amounts: readonly Micros[]): Micros => amounts.reduce((all, amount) => all + amount, 0n);

/** What tenants spend their credits on. */
export class SummaryService {
    readonly #store: SummaryStore;
    readonly #clock: Clock;

    constructor(store: SummaryStore, clock: Clock) {
        this.#store = store;
        this.#clock = clock;
    }

    /** The newest hours or days, this one among them. */
    async usage(tenantId: string, period: Period) {
        const now = this.#clock();
        const isShort = period === '1d';
        const stretches = isShort ? hoursUntil(now, HOURS) : daysUntil(now, PERIODS[period]);
        const keys = stretches.map(({ key }) => key);
        const read = await this.#store.read(tenantId, { whole: isShort ? keys : merged(stretches), series: keys });
        const named = (kind: Parameters<typeof consumersOf>[1]) => consumersOf(read.whole, kind, MOST_NAMED);
        return {
            period,
            unit: isShort ? 'hour' : 'day',
            ...shown('spent', read.whole.get('tenant') ?? 0n),
            types: typeSums(read.whole, ENTRY_TYPES),
            models: named('model'),
            vms: named('vm'),
            tunnels: named('tunnel'),
            users: named('user'),
            keys: named('key'),
            series: stretches.map(({ name }, n) => ({ from: name, ...shown('spent', read.series[n] ?? 0n) })),
        };
    }

    /** This month against the last one, where it is going, and what costs most. */
    async analysis(tenantId: string) {
        const now = this.#clock();
        const month = monthOf(now);
        const { last, daysLeft } = monthAround(now);
        // Whole days only: today is not over.
        const days = daysUntil(now, 2 * MONTH + 1).slice(0, -1);
        const { whole, series } = await this.#store.read(tenantId, {
            whole: [monthStretch(month)],
            series: [monthStretch(last), ...days.map(({ key }) => key)],
        });
        const [lastMonth = 0n, ...spent] = series;
        const soFar = whole.get('tenant') ?? 0n;
        const top = (kind: Parameters<typeof consumersOf>[1]) => consumersOf(whole, kind, TOP);
        return {
            thisMonth: { month, ...shown('spent', soFar) },
            lastMonth: { month: last, ...shown('spent', lastMonth) },
            projection: projected(soFar, sumOf(spent.slice(-WEEK)), daysLeft),
            trends: {
                sevenDays: trendOf(spent, WEEK),
                thirtyDays: trendOf(spent, MONTH),
            },
            topModels: top('model'),
            topUsers: top('user'),
            topVms: top('vm'),
            topKeys: top('key'),
        };
    }
}

/** What the month comes to if the days to come cost what those of the last week did; rounded down, once. */
function projected(soFar: Micros, week: Micros, daysLeft: number) {
    const rest = (week * BigInt(daysLeft)) / BigInt(WEEK);
    return {
        ...shown('spent', soFar + rest),
        ...shown('perDay', week / BigInt(WEEK)),
        daysLeft,
        method: 'this month so far, and for each day after today what the last 7 whole days cost per day',
    };
}

/** The newest days against as many before them. */
export function trendOf(days: readonly Micros[], count: number) {
    const now = sumOf(days.slice(-count));
    const before = sumOf(days.slice(-2 * count, -count));
    return {
        ...shown('spent', now),
        ...shown('before', before),
        changePercent: before === 0n ? null : jsonAmount(((now - before) * HUNDRED) / before),
        trend: directionOf(now, before),
    };
}

function directionOf(now: Micros, before: Micros): 'up' | 'down' | 'stable' {
    if (now * HUNDRED > before * (HUNDRED + STABLE)) return 'up';
    return now * HUNDRED < before * (HUNDRED - STABLE) ? 'down' : 'stable';
}

import { periodsUntil } from './periods.ts';
import { largestFirst, sumOf, sumsBelow } from './sums.ts';
import { PLATFORM } from '../../src/redis/keys.ts';
import { tellLook } from '../../src/redis/platform-audit.ts';

import type { FigureStore } from './figure-store.ts';
import type { FoundFigures, Sums } from './figures.ts';
import type { Period } from './periods.ts';
import type { Clock } from '../../src/clock.ts';
import type { AppendOutbox } from '../../src/redis/append-outbox.ts';
import type { Actor } from '../../src/types/actor.ts';

const HOURS = 24;
const ACTIVE_DAYS = 30;
const TOP_CODES = 10;

export type Dashboard = ReturnType<typeof dashboardOf>;

/** How the whole platform is doing, at a glance. */
export class DashboardService {
    readonly #store: FigureStore;
    readonly #clock: Clock;
    readonly #append: AppendOutbox;

    constructor(store: FigureStore, clock: Clock, append: AppendOutbox) {
        this.#store = store;
        this.#clock = clock;
        this.#append = append;
    }

    /** Told in the audit of the platform. */
    async read(actor: Actor): Promise<Dashboard> {
        const now = this.#clock();
        const keys = (periods: Period[]) => periods.map(({ key }) => key);
        const hours = periodsUntil(now, 'hour', HOURS);
        const [last = '', month = ''] = keys(periodsUntil(now, 'month', 2));
        const [day = ''] = keys(periodsUntil(now, 'day', 1));
        const found = await this.#store.read({
            figures: ['now', day, month, last],
            traffic: [day, month, ...keys(hours)],
            active: periodsUntil(now, 'day', ACTIVE_DAYS).map(({ date }) => date),
        });
        await tellLook(this.#append, actor, { id: PLATFORM, resource: 'dashboard', action: 'dashboard.read' });
        return dashboardOf(found, hours);
    }
}

function dashboardOf({ asOf, figures, traffic, active }: FoundFigures, hours: Period[]) {
    const [whole, day, month, last] = figures;
    const [dayTraffic, monthTraffic, ...hourTraffic] = traffic;
    return {
        asOf,
        tenants: tenantsOf(whole),
        users: { total: sumOf(whole, 'users'), active30d: active },
        revenueMicros: {
            today: sumOf(day, 'revenue'),
            month: sumOf(month, 'revenue'),
            lastMonth: sumOf(last, 'revenue'),
        },
        usage: {
            requestsToday: sumOf(dayTraffic, 'requests'),
            requestsThisMonth: sumOf(monthTraffic, 'requests'),
            modelCallsToday: sumOf(day, 'calls'),
            tokensToday: sumOf(day, 'tokens'),
        },
        errors: errorsOf(dayTraffic),
        backups: {
            count: sumOf(whole, 'backups'),
            bytes: sumOf(whole, 'backupBytes'),
            failed24h: sumOf(whole, 'backupsFailed'),
        },
        requests: hours.map(({ name }, n) => ({
            period: name,
            count: sumOf(hourTraffic[n], 'requests'),
            errors: sumOf(hourTraffic[n], 'errors'),
        })),
    };
}

function tenantsOf(whole: Sums | undefined) {
    const [active, suspended, deleted] = [
        sumOf(whole, 'tenants:active'),
        sumOf(whole, 'tenants:suspended'),
        sumOf(whole, 'tenants:deleted'),
    ];
    return { total: active + suspended + deleted, active, suspended, deleted };
}

const errorsOf = (day: Sums | undefined) => ({
    today: sumOf(day, 'errors'),
    byCode: sumsBelow(day, 'code:')
        .toSorted(largestFirst)
        .slice(0, TOP_CODES)
        .map(([code, count]) => ({ code, count })),
});

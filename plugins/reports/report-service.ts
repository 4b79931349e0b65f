import { periodsUntil, type Period, type Unit } from './periods.ts';
import { largestFirst, sumOf, sumsBelow } from './sums.ts';
import { jsonAmount } from '../../src/money.ts';
import { tellLook } from '../../src/redis/platform-audit.ts';

import type { AllViolations } from './api.ts';
import type { FigureStore } from './figure-store.ts';
import type { FoundFigures, Leader, Sums } from './figures.ts';
import type { Clock } from '../../src/clock.ts';
import type { AppendOutbox } from '../../src/redis/append-outbox.ts';
import type { Actor } from '../../src/types/actor.ts';

/** How many tenants and models a report names. */
export const TOP = 20;

/** The newest periods, this one among them. */
export interface ReportQuery {
    unit: Unit;
    count?: number;
}

/** How many periods a report has unless asked otherwise. */
export const USUAL: Record<Unit, number> = { hour: 24, day: 30, month: 12 };

export interface ReportParts {
    store: FigureStore;
    clock: Clock;
    append: AppendOutbox;
}

type Name = 'revenue' | 'usage' | 'backups' | 'errors';
/** What of the store a report is made of. */
type Wanted = Partial<Record<'figures' | 'traffic' | 'now', true>> & { top?: { by: string; also?: readonly string[] } };

export type RevenueReport = Awaited<ReturnType<ReportService['revenue']>>;
export type UsageReport = Awaited<ReturnType<ReportService['usage']>>;

/** What all tenants have come to by time; each report is one read, and told in the audit of the platform. */
export class ReportService {
    readonly #parts: ReportParts;

    constructor(parts: ReportParts) {
        this.#parts = parts;
    }

    async revenue(actor: Actor, query: ReportQuery) {
        const top = { by: 'revenue' };
        const { head, periods, found } = await this.#read(actor, 'revenue', query, { figures: true, top });
        return {
            ...head,
            totalMicros: jsonAmount(found.figures.reduce((all, sums) => all + (sums.get('revenue') ?? 0n), 0n)),
            periods: periods.map(({ name }, n) => revenueIn(name, found.figures[n])),
            tenants: found.leaders.map((leader) => ({ ...named(leader), revenueMicros: valueOf(leader, 0) })),
        };
    }

    async usage(actor: Actor, query: ReportQuery) {
        const top = { by: 'calls', also: ['tokens'] };
        const wanted = { figures: true, traffic: true, top } as const;
        const { head, periods, found } = await this.#read(actor, 'usage', query, wanted);
        return {
            ...head,
            periods: periods.map(({ name }, n) => ({
                period: name,
                requests: sumOf(found.traffic[n], 'requests'),
                errors: sumOf(found.traffic[n], 'errors'),
                modelCalls: sumOf(found.figures[n], 'calls'),
                tokens: sumOf(found.figures[n], 'tokens'),
            })),
            models: modelsOf(found.figures),
            tenants: found.leaders.map((leader) => ({
                ...named(leader),
                modelCalls: valueOf(leader, 0),
                tokens: valueOf(leader, 1),
            })),
        };
    }

    /** Besides the periods, what there is just now. */
    async backups(actor: Actor, query: ReportQuery) {
        const wanted = { figures: true, now: true, top: { by: 'backupBytes', also: ['backups'] } } as const;
        const { head, periods, found } = await this.#read(actor, 'backups', query, wanted);
        const whole = found.figures.at(-1);
        return {
            ...head,
            count: sumOf(whole, 'backups'),
            bytes: sumOf(whole, 'backupBytes'),
            byTenant: found.leaders.map((leader) => ({
                ...named(leader),
                count: valueOf(leader, 1),
                bytes: valueOf(leader, 0),
            })),
            periods: periods.map(({ name }, n) => ({
                period: name,
                completed: sumOf(found.figures[n], 'backups:completed'),
                failed: sumOf(found.figures[n], 'backups:failed'),
            })),
        };
    }

    async errors(actor: Actor, query: ReportQuery) {
        const { head, periods, found } = await this.#read(actor, 'errors', query, { traffic: true });
        return {
            ...head,
            periods: periods.map(({ name }, n) => ({
                period: name,
                total: sumOf(found.traffic[n], 'errors'),
                byCode: Object.fromEntries(sumsBelow(found.traffic[n], 'code:').toSorted(largestFirst)),
            })),
        };
    }

    /** Not told in the audit: who shows them tells of it. */
    async violations(days: number): Promise<AllViolations> {
        const { clock, store } = this.#parts;
        const periods = periodsUntil(clock(), 'day', days);
        const keys = periods.map(({ key }) => key);
        const found = await store.read({ figures: keys, top: { periods: keys, by: 'violations', most: TOP } });
        return {
            days: periods
                .map(({ name }, n) => ({
                    date: name,
                    counts: Object.fromEntries(sumsBelow(found.figures[n], 'violations:')),
                }))
                .filter(({ counts }) => Object.keys(counts).length > 0)
                .toReversed(),
            tenants: found.leaders.map((leader) => ({ ...named(leader), count: valueOf(leader, 0) })),
        };
    }

    async #read(actor: Actor, name: Name, { unit, count = USUAL[unit] }: ReportQuery, wanted: Wanted) {
        const { clock, store, append } = this.#parts;
        const periods = periodsUntil(clock(), unit, count);
        const keys = periods.map(({ key }) => key);
        const found = await store.read({
            ...(wanted.figures && { figures: wanted.now ? [...keys, 'now'] : keys }),
            ...(wanted.traffic && { traffic: keys }),
            ...(wanted.top && { top: { ...wanted.top, periods: wanted.now ? ['now'] : keys, most: TOP } }),
        });
        const look = { id: name, resource: 'report', action: 'report.read', details: { unit, count } };
        await tellLook(append, actor, look);
        return { head: headOf(unit, periods, found), periods, found };
    }
}

const headOf = (unit: Unit, periods: Period[], { asOf }: FoundFigures) => ({
    unit,
    from: periods[0]?.name ?? '',
    to: periods.at(-1)?.name ?? '',
    asOf,
});

const named = ({ tenantId, tenantName }: Leader) => ({ tenantId, tenantName });
const valueOf = ({ values }: Leader, at: number): number => jsonAmount(values[at] ?? 0n);

/** By type only what was charged: that adds up to the revenue. */
function revenueIn(period: string, sums: Sums | undefined) {
    const types = sumsBelow(sums, 'type:');
    return {
        period,
        revenueMicros: sumOf(sums, 'revenue'),
        refundedMicros: -sumOf(sums, 'type:refund') || 0,
        byType: Object.fromEntries(types.filter(([type]) => !NO_CHARGE.has(type)).toSorted(largestFirst)),
    };
}

const NO_CHARGE = new Set(['credit_add', 'credit_deduct', 'refund']);

/** The most called first; those with the same calls by their tokens. */
function modelsOf(periods: Sums[]) {
    const models = new Map<string, { calls: number; tokens: number }>();
    for (const [name, sum] of periods.flatMap((sums) => sumsBelow(sums, 'model:'))) {
        const colon = name.lastIndexOf(':');
        const modelId = name.slice(0, colon);
        const known = models.get(modelId) ?? { calls: 0, tokens: 0 };
        const what = name.slice(colon + 1) === 'calls' ? 'calls' : 'tokens';
        models.set(modelId, { ...known, [what]: known[what] + sum });
    }
    return [...models]
        .map(([modelId, counts]) => ({ modelId, ...counts }))
        .toSorted((a, b) => b.calls - a.calls || b.tokens - a.tokens)
        .slice(0, TOP);
}

import { csv } from '../../src/csv.ts';
import { decimal } from '../../src/money.ts';

import type { RevenueReport, UsageReport } from './report-service.ts';

/** The revenue as a table: a line a period, and a column for each type that was charged in any of them. */
export function revenueTable({ periods }: RevenueReport): string {
    const types = [...new Set(periods.flatMap(({ byType }) => Object.keys(byType)))].toSorted();
    return csv([
        ['period', 'revenueMicros', 'revenue', 'refundedMicros', ...types.map((type) => `${type}Micros`)],
        ...periods.map(({ period, revenueMicros, refundedMicros, byType }) => [
            period,
            revenueMicros,
            decimal(BigInt(revenueMicros)),
            refundedMicros,
            ...types.map((type) => byType[type] ?? 0),
        ]),
    ]);
}

/** The usage as a table: a line a period. */
export const usageTable = ({ periods }: UsageReport): string =>
    csv([
        ['period', 'requests', 'errors', 'modelCalls', 'tokens'],
        ...periods.map(({ period, requests, errors, modelCalls, tokens }) => [
            period,
            requests,
            errors,
            modelCalls,
            tokens,
        ]),
    ]);

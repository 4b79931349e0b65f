import { describeRoute } from '../../../src/http/describe-route.ts';
import { format, revenueAnswer, revenueExample, reportQuery, MOST_PERIODS } from '../schemas.ts';
import { revenueTable } from '../tables.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { ReportQuery, ReportService } from '../report-service.ts';

const CSV = 'text/csv';

export const getRevenueReport = (
    reports: ReportService,
): ServerRoute<{ Query: ReportQuery & { format: 'json' | 'csv' } }> => ({
    method: 'GET',
    path: '/api/admin/reports/revenue',
    options: {
        ...describeRoute('Report what all tenants were charged', {
            tag: 'admin',
            notes: 'The sum of all ledgers but the platform’s own, with those of tenants that are purged by now; as CSV the periods.',
            answer: revenueAnswer,
            example: revenueExample,
            textExample: { type: CSV, text: 'period,revenueMicros,revenue,…\r\n2026-11-20,50000,0.050000,…\r\n' },
            rateLimit: { limit: 30, window: 60 },
        }),
        auth: { access: { scope: 'report:read' } },
        validate: { query: reportQuery('RevenueReportQuery', ['day', 'month'], MOST_PERIODS, { format: format() }) },
    },
    handler: async ({ auth, query }, h) => {
        const report = await reports.revenue(auth.credentials.actor, query);
        if (query.format === 'json') return { report };
        return h
            .response(revenueTable(report))
            .type(CSV)
            .header('content-disposition', `attachment; filename="revenue-${report.from}-${report.to}.csv"`);
    },
});

import { describeRoute } from '../../../src/http/describe-route.ts';
import { format, usageAnswer, usageExample, reportQuery, MOST_PERIODS } from '../schemas.ts';
import { usageTable } from '../tables.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { ReportQuery, ReportService } from '../report-service.ts';

const CSV = 'text/csv';

export const getUsageReport = (
    reports: ReportService,
): ServerRoute<{ Query: ReportQuery & { format: 'json' | 'csv' } }> => ({
    method: 'GET',
    path: '/api/admin/reports/usage',
    options: {
        ...describeRoute('Report what all tenants used', {
            tag: 'admin',
            notes: 'Requests are those below `/api/` and `/v1/`, of anybody; as CSV the periods.',
            answer: usageAnswer,
            example: usageExample,
            textExample: { type: CSV, text: 'period,requests,errors,…\r\n2026-11-20,4200,42,…\r\n' },
            rateLimit: { limit: 30, window: 60 },
        }),
        auth: { access: { scope: 'report:read' } },
        validate: { query: reportQuery('UsageReportQuery', ['day', 'month'], MOST_PERIODS, { format: format() }) },
    },
    handler: async ({ auth, query }, h) => {
        const report = await reports.usage(auth.credentials.actor, query);
        if (query.format === 'json') return { report };
        return h
            .response(usageTable(report))
            .type(CSV)
            .header('content-disposition', `attachment; filename="usage-${report.from}-${report.to}.csv"`);
    },
});

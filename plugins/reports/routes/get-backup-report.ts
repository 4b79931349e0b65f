import { describeRoute } from '../../../src/http/describe-route.ts';
import { backupsAnswer, backupsExample, reportQuery, MOST_PERIODS } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { ReportQuery, ReportService } from '../report-service.ts';

export const getBackupReport = (reports: ReportService): ServerRoute<{ Query: ReportQuery }> => ({
    method: 'GET',
    path: '/api/admin/reports/backups',
    options: {
        ...describeRoute('Report the backups of all tenants', {
            tag: 'admin',
            answer: backupsAnswer,
            example: backupsExample,
            rateLimit: { limit: 30, window: 60 },
        }),
        auth: { access: { scope: 'report:read' } },
        validate: { query: reportQuery('BackupReportQuery', ['day', 'month'], MOST_PERIODS) },
    },
    handler: async ({ auth, query }) => ({ report: await reports.backups(auth.credentials.actor, query) }),
});

import { describeRoute } from '../../../src/http/describe-route.ts';
import { errorsAnswer, errorsExample, reportQuery, MOST_HOURS } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { ReportQuery, ReportService } from '../report-service.ts';

export const getErrorReport = (reports: ReportService): ServerRoute<{ Query: ReportQuery }> => ({
    method: 'GET',
    path: '/api/admin/reports/errors',
    options: {
        ...describeRoute('Report the errors that requests were answered with', {
            tag: 'admin',
            answer: errorsAnswer,
            example: errorsExample,
            rateLimit: { limit: 30, window: 60 },
        }),
        auth: { access: { scope: 'report:read' } },
        validate: { query: reportQuery('ErrorReportQuery', ['hour', 'day'], MOST_HOURS) },
    },
    handler: async ({ auth, query }) => ({ report: await reports.errors(auth.credentials.actor, query) }),
});

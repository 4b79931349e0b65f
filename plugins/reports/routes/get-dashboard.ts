import { describeRoute } from '../../../src/http/describe-route.ts';
import { dashboardAnswer, dashboardExample } from '../dashboard-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { DashboardService } from '../dashboard-service.ts';

export const getDashboard = (dashboards: DashboardService): ServerRoute => ({
    method: 'GET',
    path: '/api/admin/dashboard',
    options: {
        ...describeRoute('Show how the platform is doing', {
            tag: 'admin',
            notes: 'From counters that are kept: about 20 seconds late, and read at once however many tenants there are.',
            answer: dashboardAnswer,
            example: dashboardExample,
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'platform:read' } },
    },
    handler: async ({ auth }) => ({ dashboard: await dashboards.read(auth.credentials.actor) }),
});

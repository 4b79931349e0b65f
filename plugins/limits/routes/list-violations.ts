import { describeRoute } from '../../../src/http/describe-route.ts';
import { violationQuery, violationsAnswer, violationsExample, type ViolationQuery } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { LimitRules } from '../service.ts';

export const listViolations = (limits: LimitRules): ServerRoute<{ Query: ViolationQuery }> => ({
    method: 'GET',
    path: '/api/admin/rate-limits/violations',
    options: {
        ...describeRoute('Refusals of a tenant for its limits', {
            tag: 'admin',
            notes: 'Of the last 31 days, with the newest 100. Those of IP addresses are the tenant `platform`’s.',
            answer: violationsAnswer,
            example: violationsExample,
            errors: ['TENANT_NOT_FOUND'],
        }),
        auth: { access: { scope: 'limit:read' } },
        validate: { query: violationQuery },
    },
    handler: ({ auth, query }) => limits.violations(auth.credentials.actor, query.tenantId),
});

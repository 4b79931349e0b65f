import { describeRoute } from '../../../src/http/describe-route.ts';
import { violationQuery, violationsAnswer, violationsExample, type ViolationQuery } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { LimitRules } from '../service.ts';

export const listViolations = (limits: LimitRules): ServerRoute<{ Query: ViolationQuery }> => ({
    method: 'GET',
    path: '/api/admin/rate-limits/violations',
    options: {
        ...describeRoute('Refusals for limits, of a tenant or of all', {
            tag: 'admin',
            notes: 'Of the last 31 days: of a tenant with the newest 100, of all with those who were refused most.',
            answer: violationsAnswer,
            example: violationsExample,
            errors: ['TENANT_NOT_FOUND'],
        }),
        auth: { access: { scope: 'limit:read' } },
        validate: { query: violationQuery },
    },
    handler: async ({ auth, query: { tenantId } }) => {
        const { actor } = auth.credentials;
        return {
            violations: await (tenantId === undefined
                ? limits.allViolations(actor)
                : limits.violations(actor, tenantId)),
        };
    },
});

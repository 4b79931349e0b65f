import { describeRoute } from '../../../src/http/describe-route.ts';
import { proxyParams, type ProxyParams } from '../schemas.ts';
import { diagnosticsAnswer, diagnosticsExample } from '../state-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Diagnosis } from '../diagnosis.ts';

/** A health check may take up to a minute. */
const TIMEOUT_MS = 70_000;

export const getDiagnostics = (diagnosis: Diagnosis): ServerRoute<{ Params: ProxyParams }> => ({
    method: 'GET',
    path: '/api/proxies/{proxyId}/diagnostics',
    options: {
        ...describeRoute('Look at each member of a proxy now', {
            tag: 'proxies',
            notes: 'Within `healthTimeout`. Nothing follows from it for the health of the members.',
            answer: diagnosticsAnswer,
            example: { diagnostics: diagnosticsExample },
            errors: ['PROXY_NOT_FOUND'],
            rateLimit: { limit: 10, window: 60 },
        }),
        auth: { access: { scope: 'proxy:read' } },
        validate: { params: proxyParams },
        timeout: { server: TIMEOUT_MS },
    },
    handler: async ({ auth, params }) => ({ diagnostics: await diagnosis.of(auth.credentials.actor, params.proxyId) }),
});

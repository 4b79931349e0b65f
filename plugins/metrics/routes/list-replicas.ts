import { describeRoute } from '../../../src/http/describe-route.ts';
import { replicasAnswer, replicasExample } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Replicas } from '../replica-service.ts';

export const listReplicas = (replicas: Replicas): ServerRoute => ({
    method: 'GET',
    path: '/api/admin/replicas',
    options: {
        ...describeRoute('The processes of the API and its workers', {
            tag: 'admin',
            notes: 'With figures of some seconds ago. One that stops is gone at once, one that died after 15 seconds.',
            answer: replicasAnswer,
            example: replicasExample,
        }),
        auth: { access: { scope: 'platform:read' } },
    },
    handler: async ({ auth }) => ({ replicas: await replicas.list(auth.credentials.actor) }),
});

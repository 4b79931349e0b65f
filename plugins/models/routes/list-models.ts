import { describeRoute } from '../../../src/http/describe-route.ts';
import { modelExample, modelsAnswer } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { ListedModels } from '../service.ts';

const NOTES = `Those of this installation, and what your own Ollamas offer whose tunnels are connected now (at most 20 tunnels):
their ids are \`<tunnelId>/<model>\`, and they cost nothing. That list is up to 10 s old.`;

export const listModels = (models: ListedModels): ServerRoute => ({
    method: 'GET',
    path: '/api/models',
    options: {
        ...describeRoute('List the models', {
            tag: 'models',
            notes: NOTES,
            answer: modelsAnswer,
            example: { models: [modelExample] },
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'model:read' } },
    },
    handler: async ({ auth }) => ({ models: await models.list(auth.credentials.actor) }),
});

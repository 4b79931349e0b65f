import { describeRoute } from '../../../src/http/describe-route.ts';
import { modelExample, modelsAnswer } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { PublicModel } from '../public-model.ts';

export const listModels = (models: { list(ownKeys: string[]): PublicModel[] }): ServerRoute => ({
    method: 'GET',
    path: '/api/models',
    options: {
        ...describeRoute('List the models', {
            tag: 'models',
            answer: modelsAnswer,
            example: { models: [modelExample] },
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'model:read' } },
    },
    handler: ({ auth }) => ({ models: models.list(auth.credentials.actor.providerKeys) }),
});

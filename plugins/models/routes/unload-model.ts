import { describeRoute } from '../../../src/http/describe-route.ts';
import { modelParams, unloadAnswer, unloadExample, type ModelParams } from '../load-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { LoadService } from '../load-service.ts';

export const unloadModel = (loads: LoadService): ServerRoute<{ Params: ModelParams }> => ({
    method: 'POST',
    path: '/api/models/{modelId}/unload',
    options: {
        ...describeRoute('Unload a local model', {
            tag: 'models',
            notes: 'Frees the memory of a local model. A later call loads it again; one that is not there stays away.',
            answer: unloadAnswer,
            example: unloadExample,
            errors: [
                'MODEL_NOT_FOUND',
                'MODEL_NOT_LOADABLE',
                'MODEL_LOADING',
                'PROVIDER_ERROR',
                'PROVIDER_OVERLOADED',
                'PROVIDER_REFUSED',
                'PROVIDER_TIMEOUT',
            ],
            rateLimit: { limit: 3, window: 60 },
        }),
        auth: { access: { scope: 'model:load' } },
        validate: { params: modelParams },
    },
    handler: ({ auth, params }) => loads.unload(auth.credentials.actor, params.modelId),
});

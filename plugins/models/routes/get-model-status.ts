import { describeRoute } from '../../../src/http/describe-route.ts';
import { modelParams, statusAnswer, statusExample, type ModelParams } from '../load-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { LoadService } from '../load-service.ts';

const NOTES = `Whether a local model is in memory, and how far its load is. A model that runs at its provider counts as
\`loaded\` when it can be called, else as \`unavailable\`. What is not known is null.`;

export const getModelStatus = (loads: LoadService): ServerRoute<{ Params: ModelParams }> => ({
    method: 'GET',
    path: '/api/models/{modelId}/status',
    options: {
        ...describeRoute('Get the status of a model', {
            tag: 'models',
            notes: NOTES,
            answer: statusAnswer,
            example: statusExample,
            errors: ['MODEL_NOT_FOUND'],
            rateLimit: { limit: 30, window: 60 },
        }),
        auth: { access: { scope: 'model:read' } },
        validate: { params: modelParams },
    },
    handler: ({ auth, params }) => loads.status(auth.credentials.actor, params.modelId),
});

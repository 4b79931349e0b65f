import { describeRoute } from '../../../src/http/describe-route.ts';
import { loadAnswer, loadExample, modelParams, type ModelParams } from '../load-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { LoadService } from '../load-service.ts';

const NOTES = `Puts a local model into memory; one that is not on the disk is fetched before, where this installation
allows it. There is one load of a model at a time: whoever asks meanwhile gets the same \`jobId\`. How it goes is told at
\`GET /api/models/{modelId}/load/stream\`.`;

export const loadModel = (loads: LoadService): ServerRoute<{ Params: ModelParams }> => ({
    method: 'POST',
    path: '/api/models/{modelId}/load',
    options: {
        ...describeRoute('Load a local model', {
            tag: 'models',
            notes: NOTES,
            status: 202,
            answer: loadAnswer,
            example: loadExample,
            errors: [
                'MODEL_NOT_FOUND',
                'MODEL_NOT_LOADABLE',
                'MODEL_NOT_ON_DISK',
                'PROVIDER_ERROR',
                'PROVIDER_OVERLOADED',
                'PROVIDER_TIMEOUT',
                'SHUTTING_DOWN',
            ],
            rateLimit: { limit: 3, window: 60 },
            idempotent: true,
        }),
        auth: { access: { scope: 'model:load' } },
        validate: { params: modelParams },
    },
    handler: async ({ auth, params }, h) =>
        h.response(await loads.load(auth.credentials.actor, params.modelId)).code(202),
});

import { describeRoute } from '../../../src/http/describe-route.ts';
import { listedModelAnswer, listedModelExample } from '../answer-schemas.ts';
import { openAiForm } from '../form.ts';
import { modelParams, type ModelParams } from '../request-schema.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { CompletionService } from '../service.ts';

export const getModel = (completions: CompletionService): ServerRoute<{ Params: ModelParams }> => ({
    method: 'GET',
    path: '/v1/models/{id}',
    options: {
        ...describeRoute('Read a model by its id or an alias', {
            tag: 'openai',
            form: openAiForm,
            answer: listedModelAnswer,
            example: listedModelExample,
            errors: ['MODEL_NOT_FOUND'],
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'model:read' } },
        validate: { params: modelParams },
    },
    handler: ({ auth, params }) => completions.get(auth.credentials.actor, params.id),
});

import { describeRoute } from '../../../src/http/describe-route.ts';
import { modelListAnswer, modelListExample } from '../answer-schemas.ts';
import { openAiForm } from '../form.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { CompletionService } from '../service.ts';

export const listModels = (completions: CompletionService): ServerRoute => ({
    method: 'GET',
    path: '/v1/models',
    options: {
        ...describeRoute('List the models that you can call', {
            tag: 'openai',
            form: openAiForm,
            answer: modelListAnswer,
            example: modelListExample,
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'model:read' } },
    },
    handler: async ({ auth }) => ({ object: 'list', data: await completions.list(auth.credentials.actor) }),
});

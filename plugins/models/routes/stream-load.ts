import { describeRoute } from '../../../src/http/describe-route.ts';
import { eventStream } from '../../../src/http/sse.ts';
import {
    loadEventsExample,
    loadQuery,
    modelParams,
    progressExample,
    progressSchema,
    resumeLoadHeaders,
    type LoadQuery,
    type ModelParams,
    type ResumeLoadHeaders,
} from '../load-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { LoadService } from '../load-service.ts';

const NOTES = `The events of a load as server-sent events, on any server: with \`Last-Event-ID\` those after that one,
else all of them; then what comes. \`progress\` tells what is known, \`complete\` or \`error\` is the last one. They are
kept for 15 minutes after the end.`;

export const streamLoad = (
    loads: LoadService,
): ServerRoute<{ Params: ModelParams; Query: LoadQuery; Headers: ResumeLoadHeaders }> => ({
    method: 'GET',
    path: '/api/models/{modelId}/load/stream',
    options: {
        ...describeRoute('Follow the load of a model', {
            tag: 'models',
            notes: NOTES,
            answer: progressSchema,
            example: progressExample,
            streamExample: loadEventsExample,
            errors: ['MODEL_NOT_FOUND', 'LOAD_NOT_FOUND'],
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'model:read' } },
        validate: { params: modelParams, query: loadQuery, headers: resumeLoadHeaders },
        timeout: { server: false },
    },
    handler: async ({ params, query, headers }, h) => {
        const events = await loads.events(params.modelId, query.jobId, headers['last-event-id']);
        return h
            .response(eventStream(events))
            .type('text/event-stream')
            .header('cache-control', 'no-cache')
            .header('x-accel-buffering', 'no');
    },
});

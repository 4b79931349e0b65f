import { openAiForm } from './form.ts';
import { createCompletion } from './routes/create-completion.ts';
import { getModel } from './routes/get-model.ts';
import { listModels } from './routes/list-models.ts';
import { CompletionService } from './service.ts';
import { newId } from '../../src/ids.ts';
import { RunningWork } from '../../src/running-work.ts';
import { ERROR_CONTENTS } from '../../src/telemetry/logger.ts';
import { noTracing } from '../../src/telemetry/tracing.ts';

import type { Plugin } from '@hapi/hapi';
import type { CallEnd } from './running-call.ts';
import type { Platform } from '../../src/platform.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import type { Actor } from '../../src/types/actor.ts';
import type { EndedCall } from '../usage/api.ts';

/** The door for clients of OpenAI. */
export const openai: Plugin<Platform> = {
    name: 'openai',
    dependencies: ['auth', 'billing', 'idempotency', 'limits', 'models', 'responses', 'usage'],
    register: (server, { clock, drain, logger, tracing = noTracing }) => {
        const { billing, models, limits, responses, idempotency, usage } = server.plugins;
        responses.addForm(openAiForm);
        // What stands in these lines is known: they are spared the search for secrets by name.
        const log = logger.child({ module: 'openai' }, { redact: ERROR_CONTENTS });
        const service = new CompletionService({
            models,
            limits,
            billing,
            clock,
            tracing,
            running: new RunningWork(drain),
            // The one place that hears of every call's end: whoever counts is told here.
            onEnd: (actor, end) => {
                logEnd(log, actor, end);
                usage.record(actor, newId('call'), endedCall(end));
            },
        });
        server.route(createCompletion(service, idempotency.share));
        server.route(listModels(service));
        server.route(getModel(service));
    },
};

function logEnd(logger: Logger, { requestId, tenantId, userId, keyId }: Actor, { call, error, ...end }: CallEnd): void {
    const line = { requestId, tenantId, userId, keyId, modelId: call.model.id, ...end };
    if (!error) return logger.info(line, 'A call has ended');
    logger.warn({ ...line, errorCode: error.data?.code, err: error.cause ?? error }, 'A call failed');
}

const endedCall = ({ call, error, ...end }: CallEnd): EndedCall => ({
    ...end,
    modelId: call.model.id,
    errorCode: error?.data?.code ?? null,
});

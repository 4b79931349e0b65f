import { AnswerService } from './answer-service.ts';
import { AnswerStore } from './answer-store.ts';
import { closeOrphans } from './close-orphans.ts';
import { Generations } from './generations.ts';
import { answerOutbox } from './message-outbox.ts';
import { MessageService } from './message-service.ts';
import { cancelMessage } from './routes/cancel-message.ts';
import { getMessage } from './routes/get-message.ts';
import { listMessages } from './routes/list-messages.ts';
import { regenerateMessage } from './routes/regenerate-message.ts';
import { sendMessage } from './routes/send-message.ts';
import { streamMessage } from './routes/stream-message.ts';
import { createSummaryTrigger } from './summary-jobs.ts';
import { Background } from '../../src/background.ts';
import { noTracing } from '../../src/telemetry/tracing.ts';

import type { Server } from '@hapi/hapi';
import type { ThreadStore } from './store.ts';
import type { Platform } from '../../src/platform.ts';

/** Messages and the answers to them, and those of processes that died. */
export function serveAnswers(server: Server, platform: Platform, threadStore: ThreadStore): void {
    const { store, signals, clock, logger, drain, jobs, tracing = noTracing } = platform;
    const { billing, models, profile, limits, usage, idempotency } = server.plugins;
    const answerStore = new AnswerStore(store, threadStore, usage, billing);
    const generations = new Generations({ store: answerStore, signals, drain, logger, tracing });
    const shared = { store: answerStore, generations, models, clock, logger };
    const onStored = createSummaryTrigger({ jobs, background: new Background(drain, logger), profile });
    const messages = new MessageService({
        ...shared,
        store: threadStore,
        answers: answerStore,
        profile,
        limits,
        billing,
        onStored,
    });
    const answers = new AnswerService({ ...shared, threads: threadStore, signals });
    const parts = { messages, answers, share: idempotency.share };
    server.route(listMessages(messages));
    server.route(sendMessage(parts));
    server.route(getMessage(answers));
    server.route(streamMessage(answers));
    server.route(cancelMessage(answers));
    server.route(regenerateMessage(parts));

    const stopClosing = closeOrphans({ store: answerStore, generations, outboxOf: answerOutbox, logger });
    server.ext('onPostStop', () => {
        stopClosing();
        generations.stop();
    });
}

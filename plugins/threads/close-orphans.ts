import { apiError, errorBody } from '../../src/http/errors.ts';
import { estimateTokens } from '../models/api.ts';

import type { AnswerState } from './answer-codec.ts';
import type { AnswerPlace, AnswerStore } from './answer-store.ts';
import type { EndedMessage } from './api.ts';
import type { LoggedEvent } from './event-log.ts';
import type { Generations } from './generations.ts';
import type { Outbox } from '../../src/redis/outbox.ts';
import type { Logger } from '../../src/telemetry/logger.ts';

const LOOK_EVERY_MS = 5_000;

export interface OrphanParts {
    store: AnswerStore;
    generations: Generations;
    outboxOf: (answer: AnswerState['info'], message: EndedMessage) => Outbox;
    logger: Logger;
}

/** Looks after answers whose process has died, until the function that is given is called. */
export function closeOrphans(parts: OrphanParts): () => void {
    const { generations, logger } = parts;
    const look = async () => {
        for (;;) {
            const places = await generations.takeOrphans();
            if (places.length === 0) return;
            // A process that was held up for long may find its own among them.
            const orphans = places.filter(({ messageId }) => !generations.find(messageId));
            await Promise.all(orphans.map((place) => close(parts, place)));
        }
    };
    const warn = (error: unknown) => logger.warn({ module: 'threads', err: error }, 'No look at answers');
    let looking: Promise<void> | null = null;
    const timer = setInterval(() => {
        looking ??= look()
            .catch(warn)
            .finally(() => (looking = null));
    }, LOOK_EVERY_MS).unref();
    return () => clearInterval(timer);
}

/** Ends an answer as interrupted, with every token that was sent out. */
async function close({ store, generations, outboxOf, logger }: OrphanParts, place: AnswerPlace): Promise<void> {
    const answer = await store.read(place);
    if (!answer || answer.isEnded) return store.release(place);
    const { info, events } = answer;
    const message = interrupted(answer);
    const error = apiError('ANSWER_INTERRUPTED');
    const call = { message, from: events.length };
    const end = await store.end(info, {
        ...call,
        by: generations.owner,
        events: [
            ['error', { error: errorBody(error, info.requestId) }],
            ['close', {}],
        ],
        outbox: outboxOf(info, message),
    });
    if (end === 'deleted') await store.endDeleted(info, call);
    const { tenantId, messageId } = place;
    const { requestId } = info;
    logger.warn({ module: 'threads', requestId, tenantId, messageId }, 'An answer whose process has died was closed');
}

function interrupted({ info: { draft, inputTokens }, events }: AnswerState): EndedMessage {
    const content = events.filter((event) => typeof event === 'string').join('');
    const output = estimateTokens(content);
    return {
        ...draft,
        content: content.toWellFormed(),
        tokens: output,
        status: 'interrupted',
        finishReason: 'error',
        usage: { inputFresh: inputTokens, cacheRead: 0, cacheWrite: 0, output, reasoning: 0, isEstimated: true },
        errorCode: 'ANSWER_INTERRUPTED',
        answeredBy: answeredBy(events),
    };
}

/** The model that answered in place of the one that was asked, as the first event says. */
function answeredBy([first]: LoggedEvent[]): string | null {
    const data: { answeredBy?: string } = Array.isArray(first) ? first[1] : {};
    return data.answeredBy ?? null;
}

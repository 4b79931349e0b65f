import { assembleContext, checkLength, LOOK_BACK } from './context.ts';
import { newId } from '../../src/ids.ts';
import { isoTime } from '../../src/redis/codec.ts';
import { audited } from '../../src/redis/outbox.ts';

import type { Message } from './api.ts';
import type { Generation } from './generation.ts';
import type { Generations } from './generations.ts';
import type { ContextPlace, MessageQuery, ThreadStore } from './store.ts';
import type { Clock } from '../../src/clock.ts';
import type { Page } from '../../src/redis/collection.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import type { Actor } from '../../src/types/actor.ts';
import type { ModelService } from '../models/api.ts';

export interface NewMessage {
    content: string;
    temperature?: number;
}

/** A message that was stored, and the answer that is on its way. */
export interface Sent {
    userMessage: Message;
    generation: Generation;
    /** What the client asked for and the model does not take. */
    ignoredParameters: string[];
}

export interface MessageServiceParts {
    store: ThreadStore;
    models: ModelService;
    generations: Generations;
    clock: Clock;
    logger: Logger;
}

export type MessageService = ReturnType<typeof createMessageService>;

/** The messages of a model's context in a thread. */
export function createMessageService({ store, models, generations, clock, logger }: MessageServiceParts) {
    const draft = ({ threadId, modelId }: ContextPlace): Message => {
        const id = newId('msg');
        return {
            id,
            threadId,
            modelId,
            role: 'user',
            content: '',
            tokens: 0,
            temperature: null,
            status: 'complete',
            createdAt: isoTime(clock()),
            replyTo: null,
            finishReason: null,
            usage: null,
            errorCode: null,
        };
    };

    const append = (actor: Actor, at: ContextPlace, message: Message) => {
        const { threadId, modelId } = at;
        const { id, role, status } = message;
        const type = role === 'user' ? 'message.created' : `message.${status}`;
        const events = [{ type, data: { userId: actor.userId, threadId, modelId, messageId: id } }];
        const entry = { action: 'message.send', resource: 'message', resourceId: id, result: 'success' };
        const audit = role === 'user' ? [audited(actor, { ...entry, details: { threadId, modelId } })] : [];
        return store.append(at, message, { events, audit });
    };

    return {
        /** @throws MODEL_NOT_FOUND, THREAD_NOT_FOUND, INVALID_CURSOR */
        list: (actor: Actor, threadId: string, model: string, query: MessageQuery): Promise<Page<Message>> =>
            store.list(placeOf(actor, threadId, models.get(model).id), query),

        /**
         * Stores the message, then calls the model. The answer goes on without whoever asked for it.
         *
         * @throws MODEL_NOT_FOUND, THREAD_NOT_FOUND, MESSAGE_TOO_LONG, PROVIDER_KEY_MISSING, VALIDATION_ERROR,
         *   SHUTTING_DOWN
         */
        async send(actor: Actor, threadId: string, modelName: string, message: NewMessage): Promise<Sent> {
            generations.checkOpen();
            const { content, temperature } = message;
            const model = models.get(modelName);
            const at = placeOf(actor, threadId, model.id);
            const tokens = checkLength(model, content);
            const { call, ignoredParameters } = models.prepare({
                model,
                messages: [],
                requestId: actor.requestId,
                ...(temperature !== undefined && { temperature }),
            });
            const messages = assembleContext(model, await store.newest(at, LOOK_BACK), content);
            const userMessage = { ...draft(at), content, tokens };
            await append(actor, at, userMessage);

            const generation = generations.start({
                models,
                call: { ...call, messages },
                draft: {
                    ...draft(at),
                    role: 'assistant',
                    temperature: call.temperature ?? null,
                    replyTo: userMessage.id,
                },
                opening: {
                    userMessageId: userMessage.id,
                    ...(ignoredParameters.length > 0 && { details: { ignoredParameters } }),
                },
                save: (answer) => append(actor, at, answer),
                clock,
                logger: logger.child({
                    module: 'threads',
                    requestId: actor.requestId,
                    tenantId: actor.tenantId,
                    userId: actor.userId,
                    threadId,
                }),
            });
            return { userMessage, generation, ignoredParameters };
        },
    };
}

const placeOf = ({ tenantId, userId }: Actor, threadId: string, modelId: string): ContextPlace => ({
    tenantId,
    ownerId: userId,
    threadId,
    modelId,
});

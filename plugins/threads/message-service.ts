import { assembleContext, checkLength, LOOK_BACK } from './context.ts';
import { restoredReply, runningReply, type Reply, type SentData } from './reply.ts';
import { newId } from '../../src/ids.ts';
import { isoTime } from '../../src/redis/codec.ts';
import { audited } from '../../src/redis/outbox.ts';

import type { Message } from './api.ts';
import type { Generation, Opening } from './generation.ts';
import type { Generations } from './generations.ts';
import type { AppendOptions, CallContext, ContextPlace, MessageQuery, ThreadStore } from './store.ts';
import type { Clock } from '../../src/clock.ts';
import type { Page } from '../../src/redis/collection.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import type { Actor } from '../../src/types/actor.ts';
import type { LimitService } from '../limits/api.ts';
import type { Model, ModelCall, ModelService } from '../models/api.ts';
import type { ProfileService } from '../profile/api.ts';

export interface NewMessage {
    content: string;
    temperature?: number;
}

export interface MessageServiceParts {
    store: ThreadStore;
    models: ModelService;
    limits: LimitService;
    profile: Pick<ProfileService, 'callDefaults'>;
    generations: Generations;
    clock: Clock;
    logger: Logger;
}

/** The messages of a model's context in a thread. */
export class MessageService {
    readonly #parts: MessageServiceParts;

    constructor(parts: MessageServiceParts) {
        this.#parts = parts;
    }

    /** @throws MODEL_NOT_FOUND, THREAD_NOT_FOUND, INVALID_CURSOR */
    list(actor: Actor, threadId: string, model: string, query: MessageQuery): Promise<Page<Message>> {
        const { store, models } = this.#parts;
        return store.list(placeOf(actor, threadId, models.get(model).id), query);
    }

    /**
     * Stores the message, then calls the model. The answer goes on without whoever asked for it.
     *
     * @throws MODEL_NOT_FOUND, THREAD_NOT_FOUND, MESSAGE_TOO_LONG, PROVIDER_KEY_MISSING, VALIDATION_ERROR,
     *   SHUTTING_DOWN, CONCURRENCY_LIMIT
     */
    async send(
        actor: Actor,
        threadId: string,
        modelName: string,
        { isWanted, ...message }: NewMessage & { isWanted?: () => boolean },
    ): Promise<Reply> {
        const { store, models, generations, limits } = this.#parts;
        generations.checkOpen();
        const { content } = message;
        const model = models.get(modelName);
        const place = placeOf(actor, threadId, model.id);
        const tokens = checkLength(model, content);
        const keyName = models.keyName(model);
        const userMessage = { ...this.#draft(place), content, tokens };
        const slot = await limits.takeSlot(actor, isWanted);
        try {
            generations.checkOpen();
            const context = await store.callContext(place, keyName, LOOK_BACK);
            const { call, ignoredParameters } = this.#prepare(actor, model, message, context);
            const ownKey = call.apiKey === undefined ? null : keyName;
            await this.#append(actor, place, userMessage, { ownKey });
            const details = ignoredParameters.length > 0 && { details: { ignoredParameters } };
            const generation = this.#generate(actor, place, call, { userMessageId: userMessage.id, ...details });
            void generation.finished.then(slot.release, slot.release);
            return runningReply(generation, { userMessage, ...details });
        } catch (error) {
            await slot.release();
            throw error;
        }
    }

    /** A reply that was given before, once more. */
    restore(sent: SentData): Reply {
        return restoredReply(sent, isoTime(this.#parts.clock()));
    }

    /** The call with what the user's profile adds: system prompt, temperature, API key. */
    #prepare(actor: Actor, model: Model, { content, temperature }: NewMessage, context: CallContext) {
        const { models, profile } = this.#parts;
        const { systemPrompt, defaultTemperature } = profile.callDefaults(context.profile);
        const keyName = models.keyName(model);
        const { sealedKey } = context;
        const apiKey = sealedKey === null || keyName === null ? null : models.keys.open(actor, keyName, sealedKey);
        const degree = temperature ?? temperatureFor(model, defaultTemperature);
        return models.prepare({
            model,
            messages: assembleContext(model, context.messages, content, systemPrompt),
            requestId: actor.requestId,
            ...(degree !== undefined && { temperature: degree }),
            ...(apiKey !== null && { apiKey }),
        });
    }

    #generate(actor: Actor, place: ContextPlace, call: ModelCall, opening: Opening): Generation {
        const { models, generations, clock, logger } = this.#parts;
        const { requestId, tenantId, userId } = actor;
        return generations.start({
            models,
            call,
            draft: {
                ...this.#draft(place),
                role: 'assistant',
                temperature: call.temperature ?? null,
                replyTo: opening.userMessageId,
            },
            opening,
            save: (answer, isRepeated) => this.#append(actor, place, answer, { isRepeated }),
            clock,
            logger: logger.child({ module: 'threads', requestId, tenantId, userId, threadId: place.threadId }),
        });
    }

    #draft({ threadId, modelId }: ContextPlace): Message {
        return {
            id: newId('msg'),
            threadId,
            modelId,
            role: 'user',
            content: '',
            tokens: 0,
            temperature: null,
            status: 'complete',
            createdAt: isoTime(this.#parts.clock()),
            replyTo: null,
            finishReason: null,
            usage: null,
            errorCode: null,
        };
    }

    #append(actor: Actor, place: ContextPlace, message: Message, options: AppendOptions = {}): Promise<void> {
        const { ownKey = null } = options;
        const { id, role, status, threadId, modelId } = message;
        const type = role === 'user' ? 'message.created' : `message.${status}`;
        const events = [{ type, data: { userId: actor.userId, threadId, modelId, messageId: id } }];
        const details = { threadId, modelId, ...(ownKey !== null && { providerKey: ownKey }) };
        const entry = { action: 'message.send', resource: 'message', resourceId: id, result: 'success', details };
        const audit = role === 'user' ? [audited(actor, entry)] : [];
        return this.#parts.store.append(place, message, { events, audit }, options);
    }
}

/** A default suits many models: it is brought into the range of this one, and left out where the model takes none. */
function temperatureFor({ parameters }: Model, usual: number | null): number | undefined {
    const range = parameters.temperature;
    if (usual === null || range === false) return undefined;
    return Math.min(Math.max(usual, range.min), range.max);
}

const placeOf = ({ tenantId, userId }: Actor, threadId: string, modelId: string): ContextPlace => ({
    tenantId,
    ownerId: userId,
    threadId,
    modelId,
});

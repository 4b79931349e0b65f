import { assembleContext, checkLength, LOOK_BACK } from './context.ts';
import { newId } from '../../src/ids.ts';
import { isoTime } from '../../src/redis/codec.ts';
import { audited } from '../../src/redis/outbox.ts';

import type { Message } from './api.ts';
import type { Generation } from './generation.ts';
import type { Generations } from './generations.ts';
import type { CallContext, ContextPlace, MessageQuery, ThreadStore } from './store.ts';
import type { Clock } from '../../src/clock.ts';
import type { Page } from '../../src/redis/collection.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import type { Actor } from '../../src/types/actor.ts';
import type { KeyName, Model, ModelCall, ModelService } from '../models/api.ts';
import type { ProfileService } from '../profile/api.ts';

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
     *   SHUTTING_DOWN
     */
    async send(actor: Actor, threadId: string, modelName: string, message: NewMessage): Promise<Sent> {
        const { store, models, generations } = this.#parts;
        generations.checkOpen();
        const { content } = message;
        const model = models.get(modelName);
        const place = placeOf(actor, threadId, model.id);
        const tokens = checkLength(model, content);
        const keyName = models.keyName(model);
        const context = await store.callContext(place, keyName, LOOK_BACK);
        const { call, ignoredParameters } = this.#prepare(actor, model, message, context);
        const ownKey = call.apiKey === undefined ? undefined : (keyName ?? undefined);
        const userMessage = { ...this.#draft(place), content, tokens };
        await this.#append(actor, place, userMessage, ownKey);
        const generation = this.#generate(actor, place, call, userMessage, ignoredParameters);
        return { userMessage, generation, ignoredParameters };
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

    #generate(actor: Actor, place: ContextPlace, call: ModelCall, { id }: Message, ignored: string[]): Generation {
        const { models, generations, clock, logger } = this.#parts;
        const { requestId, tenantId, userId } = actor;
        return generations.start({
            models,
            call,
            draft: { ...this.#draft(place), role: 'assistant', temperature: call.temperature ?? null, replyTo: id },
            opening: { userMessageId: id, ...(ignored.length > 0 && { details: { ignoredParameters: ignored } }) },
            save: (answer) => this.#append(actor, place, answer),
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

    #append(actor: Actor, place: ContextPlace, message: Message, ownKey?: KeyName): Promise<void> {
        const { id, role, status, threadId, modelId } = message;
        const type = role === 'user' ? 'message.created' : `message.${status}`;
        const events = [{ type, data: { userId: actor.userId, threadId, modelId, messageId: id } }];
        const details = { threadId, modelId, ...(ownKey !== undefined && { providerKey: ownKey }) };
        const entry = { action: 'message.send', resource: 'message', resourceId: id, result: 'success', details };
        const audit = role === 'user' ? [audited(actor, entry)] : [];
        return this.#parts.store.append(place, message, { events, audit }, ownKey);
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

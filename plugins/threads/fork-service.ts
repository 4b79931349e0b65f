import { placeOf as contextOf, preview } from './message-codec.ts';
import { forkTitle } from './titles.ts';
import { apiError } from '../../src/http/errors.ts';
import { newId } from '../../src/ids.ts';
import { audited, type Outbox } from '../../src/redis/outbox.ts';

import type { Thread } from './api.ts';
import type { ChangeStore } from './change-store.ts';
import type { StoredMessage, ThreadStore } from './store.ts';
import type { Actor } from '../../src/types/actor.ts';
import type { ModelService } from '../models/api.ts';

/** How often the newest message is looked for that is given anew at the same time. */
const TRIES = 3;

export interface ForkParts {
    store: ThreadStore;
    changes: ChangeStore;
    models: ModelService;
}

export interface ForkOptions {
    modelId?: string;
    fromMessageId?: string;
    title?: string;
}

/** Copies of threads. */
export class ForkService {
    readonly #parts: ForkParts;

    constructor(parts: ForkParts) {
        this.#parts = parts;
    }

    /** @throws THREAD_NOT_FOUND, MODEL_NOT_FOUND, MESSAGE_NOT_FOUND */
    async fork(actor: Actor, threadId: string, { modelId: name, fromMessageId, title }: ForkOptions): Promise<Thread> {
        const { store, changes, models } = this.#parts;
        const modelId = name === undefined ? undefined : models.get(name).id;
        const { tenantId, userId } = actor;
        const source = await store.threads.get({ tenantId, ownerId: userId }, threadId);
        for (let tries = 0; tries < TRIES; tries++) {
            const last = await this.#last(actor, source, modelId, fromMessageId);
            const cut = last && { modelId: last.message.modelId, entryId: last.entryId };
            const thread = {
                id: newId('thread'),
                userId,
                title: title ?? forkTitle(source.title),
                messageCount: 0,
                models: {},
                lastMessage: last && preview(last.message),
                summary: null,
            };
            const outbox = outboxOf(actor, threadId, thread.id);
            // Of a context without a message there is nothing to copy.
            if (modelId !== undefined && !last) return changes.create(tenantId, thread, outbox);
            const made = await changes.fork(tenantId, thread, { threadId, modelId, cut: cut ?? undefined }, outbox);
            if (made) return made;
        }
        throw apiError('MESSAGE_NOT_FOUND');
    }

    /** The last message that is copied; null for all there are. */
    async #last(
        actor: Actor,
        { id, models }: Thread,
        modelId: string | undefined,
        messageId: string | undefined,
    ): Promise<StoredMessage | null> {
        const { store } = this.#parts;
        const contexts = (modelId === undefined ? Object.keys(models) : [modelId]).map((name) =>
            contextOf(actor, id, name),
        );
        if (messageId !== undefined) {
            const found = await Promise.all(contexts.map((context) => store.find(context, messageId)));
            return found.find((message) => message !== null) ?? raiseNotFound();
        }
        const [context] = contexts;
        return modelId === undefined || !context ? null : store.newest(context);
    }
}

function raiseNotFound(): never {
    throw apiError('MESSAGE_NOT_FOUND');
}

function outboxOf(actor: Actor, from: string, threadId: string): Outbox {
    const entry = { resource: 'thread', resourceId: threadId, result: 'success', details: { from } };
    return {
        events: [{ type: 'thread.created', data: { threadId, userId: actor.userId } }],
        audit: [audited(actor, { action: 'thread.fork', ...entry })],
    };
}

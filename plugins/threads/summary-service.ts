import { apiKeyFor, keyNamesOf } from './calls.ts';
import { LOOK_BACK } from './context.ts';
import { placeOf, type ContextPlace } from './message-codec.ts';
import { askForSummary, draftSummary, summaryParameters } from './summarize.ts';
import { apiError } from '../../src/http/errors.ts';
import { audited, type AuditEntry } from '../../src/redis/outbox.ts';
import { estimateTokens, type Model, type ModelService } from '../models/api.ts';

import type { Summary } from './summary-codec.ts';
import type { SummaryStore, Uncovered } from './summary-store.ts';
import type { Actor } from '../../src/types/actor.ts';
import type { LimitService } from '../limits/api.ts';
import type { ProfileService } from '../profile/api.ts';

/** A summary that takes longer is given up. */
const TIMEOUT_MS = 60_000;

export interface SummaryServiceParts {
    store: SummaryStore;
    models: ModelService;
    limits: LimitService;
    profile: Pick<ProfileService, 'callDefaults'>;
}

/** For whom a summary is made, and who is told. */
interface Order {
    place: ContextPlace;
    model: Model;
    requestId: string;
    auditOf: (details: object) => AuditEntry[];
}

/** Summaries of models' contexts: asked for by their owner, or by the number of messages. */
export class SummaryService {
    readonly #parts: SummaryServiceParts;

    constructor(parts: SummaryServiceParts) {
        this.#parts = parts;
    }

    /** A thread with the summaries of its models. @throws THREAD_NOT_FOUND */
    thread({ tenantId, userId: ownerId }: Actor, threadId: string) {
        return this.#parts.store.thread({ tenantId, ownerId, threadId });
    }

    /** @throws MODEL_NOT_FOUND, THREAD_NOT_FOUND, SUMMARY_NOT_FOUND */
    get(actor: Actor, threadId: string, modelName: string): Promise<Summary> {
        return this.#parts.store.get(placeOf(actor, threadId, this.#parts.models.get(modelName).id));
    }

    /** The model's next call begins with messages again. @throws MODEL_NOT_FOUND, THREAD_NOT_FOUND, SUMMARY_NOT_FOUND */
    async delete(actor: Actor, threadId: string, modelName: string): Promise<string> {
        const { store, models } = this.#parts;
        const place = placeOf(actor, threadId, models.get(modelName).id);
        const { modelId } = place;
        await store.delete(place, {
            events: [eventOf('summary_deleted', place)],
            audit: auditOf(actor, 'thread.summary_delete', place)({}),
        });
        return modelId;
    }

    /**
     * Summarises now what no summary covers yet.
     *
     * @param isWanted Whether somebody still waits for it, as long as it waits for its turn
     * @throws MODEL_NOT_FOUND, THREAD_NOT_FOUND, NOTHING_TO_SUMMARIZE, CONCURRENCY_LIMIT, SHUTTING_DOWN and what a call
     *   to a model fails with; SUMMARY_NOT_FOUND when the one before was deleted meanwhile
     */
    async summarize(actor: Actor, threadId: string, modelName: string, isWanted: () => boolean): Promise<Summary> {
        const { models, limits } = this.#parts;
        const model = models.get(modelName);
        const place = placeOf(actor, threadId, model.id);
        const slot = await limits.takeSlot(actor, isWanted);
        try {
            const { requestId } = actor;
            const order = { place, model, requestId, auditOf: auditOf(actor, 'thread.summarize', place) };
            const summary = await this.#make(order, await this.#uncovered(place, model));
            if (!summary) throw apiError('NOTHING_TO_SUMMARIZE');
            return summary;
        } finally {
            await slot.release();
        }
    }

    /**
     * Summarises if there are as many messages that no summary covers as the user has chosen; once more has no effect.
     *
     * @throws As `summarize`
     */
    async summarizeIfDue(place: ContextPlace, requestId: string): Promise<void> {
        const model = this.#parts.models.get(place.modelId);
        const uncovered = await this.#uncovered(place, model);
        const { summarizationInterval } = this.#parts.profile.callDefaults(uncovered.profile);
        if (uncovered.total - (uncovered.summary?.count ?? 0) < summarizationInterval) return;
        await this.#make({ place, model, requestId, auditOf: () => [] }, uncovered);
    }

    #uncovered(place: ContextPlace, model: Model): Promise<Uncovered> {
        const { store, models } = this.#parts;
        return store.uncovered(place, keyNamesOf(models, [model]), LOOK_BACK);
    }

    /** Null when there is nothing to summarise. */
    async #make({ place, model, requestId, auditOf: auditWith }: Order, uncovered: Uncovered): Promise<Summary | null> {
        const { store, models } = this.#parts;
        const draft = draftSummary(model, uncovered);
        if (!draft) return null;
        const { tenantId, ownerId: userId } = place;
        const apiKey = apiKeyFor(models, { tenantId, userId }, model, uncovered.sealedKeys);
        const { messages, upTo } = draft;
        const parameters = summaryParameters(model);
        const { call } = models.prepare({ model, messages, requestId, parameters, ...(apiKey !== null && { apiKey }) });
        const text = await askForSummary(models, call, TIMEOUT_MS);
        const ownKeys = apiKey === null ? [] : keyNamesOf(models, [model]);
        return store.set(place, {
            text,
            tokens: estimateTokens(text),
            modelUsed: model.id,
            base: uncovered.summary,
            upTo,
            ownKeys,
            outbox: {
                events: [eventOf('summarized', place)],
                audit: auditWith(ownKeys.length > 0 ? { providerKeys: ownKeys } : {}),
            },
        });
    }
}

const eventOf = (what: string, { ownerId: userId, threadId, modelId }: ContextPlace) => ({
    type: `thread.${what}`,
    data: { userId, threadId, modelId },
});

const auditOf =
    (actor: Actor, action: string, { threadId, modelId }: ContextPlace) =>
    (details: object): AuditEntry[] => [
        audited(actor, {
            action,
            resource: 'thread',
            resourceId: threadId,
            result: 'success',
            details: { modelId, ...details },
        }),
    ];

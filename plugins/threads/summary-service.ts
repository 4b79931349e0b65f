import { apiKeyFor, keyNamesOf } from './calls.ts';
import { LOOK_BACK } from './context.ts';
import { placeOf, type ContextPlace } from './message-codec.ts';
import { askForSummary, draftSummary, summaryParameters } from './summarize.ts';
import { apiError } from '../../src/http/errors.ts';
import { newId } from '../../src/ids.ts';
import { audited, type AuditEntry, type EventEntry } from '../../src/redis/outbox.ts';
import { payableUsage, payerOf, type BillingService, type Payer } from '../billing/api.ts';
import { estimateTokens, type Model, type ModelCall, type ModelService } from '../models/api.ts';

import type { Summary } from './summary-codec.ts';
import type { SummaryStore, Uncovered } from './summary-store.ts';
import type { Actor } from '../../src/types/actor.ts';
import type { LimitService } from '../limits/api.ts';
import type { ProfileService } from '../profile/api.ts';
import type { UsageService } from '../usage/api.ts';

/** A summary that takes longer is given up. */
const TIMEOUT_MS = 60_000;

export interface SummaryServiceParts {
    store: SummaryStore;
    models: ModelService;
    limits: LimitService;
    profile: Pick<ProfileService, 'callDefaults'>;
    billing: BillingService;
    usage: UsageService;
}

/** For whom a summary is made, and who is told. */
interface Order {
    place: ContextPlace;
    model: Model;
    payer: Payer;
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
     *   to a model fails with; what it is refused with that cannot be paid; SUMMARY_NOT_FOUND when the one before was
     *   deleted meanwhile
     */
    async summarize(actor: Actor, threadId: string, modelName: string, isWanted: () => boolean): Promise<Summary> {
        const { models, limits } = this.#parts;
        const model = await models.find(actor, modelName);
        const place = placeOf(actor, threadId, model.id);
        const slot = await limits.takeSlot(actor, isWanted);
        try {
            const { requestId } = actor;
            const payer = payerOf(actor);
            const order = { place, model, payer, requestId, auditOf: auditOf(actor, 'thread.summarize', place) };
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
        const { tenantId, ownerId: userId } = place;
        const model = await this.#parts.models.find({ tenantId, userId }, place.modelId);
        const uncovered = await this.#uncovered(place, model);
        const { summarizationInterval } = this.#parts.profile.callDefaults(uncovered.profile);
        if (uncovered.total - (uncovered.summary?.count ?? 0) < summarizationInterval) return;
        const payer = { tenantId, userId };
        await this.#make({ place, model, payer, requestId, auditOf: () => [] }, uncovered);
    }

    #uncovered(place: ContextPlace, model: Model): Promise<Uncovered> {
        const { store, models } = this.#parts;
        return store.uncovered(place, keyNamesOf(models, [model]), LOOK_BACK);
    }

    /** Null when there is nothing to summarise. */
    async #make(order: Order, uncovered: Uncovered): Promise<Summary | null> {
        const { store, models } = this.#parts;
        const { place, model, requestId, auditOf: auditWith } = order;
        const draft = draftSummary(model, uncovered);
        if (!draft) return null;
        const { tenantId, ownerId: userId } = place;
        const user = { tenantId, userId };
        const apiKey = apiKeyFor(models, user, model, uncovered.sealedKeys);
        const { messages, upTo } = draft;
        const parameters = summaryParameters(model);
        const { call } = models.prepare({
            model,
            user,
            messages,
            requestId,
            parameters,
            ...(apiKey !== null && { apiKey }),
        });
        const text = await this.#ask(order, call);
        const ownKeys = apiKey === null ? [] : keyNamesOf(models, [model]);
        return store.set(place, {
            text,
            tokens: estimateTokens(text),
            modelUsed: model.id,
            base: uncovered.summary,
            upTo,
            ownKeys,
            outbox: {
                events: [{ ...eventOf('summarized', place), requestId }],
                audit: auditWith(ownKeys.length > 0 ? { providerKeys: ownKeys } : {}),
            },
        });
    }

    /** The text of a summary, counted and paid like any call. @throws INSUFFICIENT_CREDITS … and as `askForSummary` */
    async #ask({ place, payer, requestId }: Order, call: ModelCall): Promise<string> {
        const { models, billing, usage } = this.#parts;
        const { tenantId, threadId } = place;
        const id = newId('call');
        const bill = billing.bill({ id, payer, about: { requestId, threadId } }, [call]);
        const [payable] = bill ? await billing.take(bill) : [call];
        return askForSummary(models, {
            call: payable,
            timeoutMs: TIMEOUT_MS,
            bill,
            onEnd: async (end) => {
                usage.record(payer, id, end);
                if (!bill) return;
                const used = payableUsage(end.outcome, end.timeToFirstTokenMs !== null, end.usage);
                await billing.settle(tenantId, billing.settlementOf(bill.record, call.model.id, used));
            },
        });
    }
}

const eventOf = (
    what: 'summarized' | 'summary_deleted',
    { ownerId: userId, threadId, modelId }: ContextPlace,
): EventEntry => ({
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

import { toCompletion, type Head } from './completion.ts';
import { RunningCall, type CallEnd } from './running-call.ts';
import { ignoredFields, toMessages, toParameters } from './to-call.ts';
import { apiError } from '../../src/http/errors.ts';
import { newId } from '../../src/ids.ts';
import { payableUsage, payerOf, type Bill, type BillingService } from '../billing/api.ts';

import type { CompletionRequest } from './request-schema.ts';
import type { Clock } from '../../src/clock.ts';
import type { RunningWork } from '../../src/running-work.ts';
import type { Tracing } from '../../src/telemetry/tracing.ts';
import type { Actor } from '../../src/types/actor.ts';
import type { LimitService } from '../limits/api.ts';
import type { Model, ModelCall, ModelService } from '../models/api.ts';

export interface CompletionServiceParts {
    models: ModelService;
    limits: LimitService;
    running: RunningWork<RunningCall>;
    clock: Clock;
    tracing: Tracing;
    billing: BillingService;
    /** Told of every call that was made, when it has ended. */
    onEnd: (actor: Actor, end: CallEnd) => void;
}

/** A call that was accepted, before its model has begun to answer. */
export interface Accepted {
    head: Head;
    running: RunningCall;
    /** Fields of the request that the answer does not go by. */
    ignored: string[];
}

/** A whole answer, as `chat.completion`. */
export interface Completed extends Pick<Accepted, 'ignored'> {
    completion: object;
}

/** A model as OpenAI lists it. */
export interface ListedModel {
    id: string;
    object: 'model';
    /** Epoch seconds; we do not know it. */
    created: 0;
    owned_by: string;
}

/** Calls of models in OpenAI's form, within the limits of the user. Nothing of them is stored. */
export class CompletionService {
    readonly #parts: CompletionServiceParts;

    constructor(parts: CompletionServiceParts) {
        this.#parts = parts;
    }

    /**
     * Calls the model.
     *
     * @param gone Aborted when the client goes away: the call ends then
     * @throws MODEL_NOT_FOUND, PROVIDER_KEY_MISSING, VALIDATION_ERROR, SHUTTING_DOWN, CONCURRENCY_LIMIT, PRICE_UNKNOWN,
     *   INSUFFICIENT_CREDITS, SPEND_LIMIT_REACHED
     */
    async call(actor: Actor, request: CompletionRequest, gone: AbortSignal): Promise<Accepted> {
        const { models, limits, running, clock, tracing } = this.#parts;
        running.checkOpen();
        const model = await models.find(actor, request.model);
        const slot = await limits.takeSlot(actor, () => !gone.aborted);
        try {
            // The process may have begun to stop while this waited for its slot.
            running.checkOpen();
            const { call, ignoredParameters } = await this.#prepare(actor, model, request);
            const paid = await this.#pay(actor, call);
            return {
                head: {
                    id: newId('chatcmpl'),
                    created: Math.floor(clock() / 1000),
                    model: request.model,
                },
                ignored: ignoredFields(request, ignoredParameters),
                running: running.add(
                    new RunningCall({
                        models,
                        ...paid,
                        isStreamed: request.stream === true,
                        gone,
                        clock,
                        tracing,
                        onEnd: (end) => {
                            void slot.release();
                            return this.#end(actor, paid.bill, end);
                        },
                    }),
                ),
            };
        } catch (error) {
            await slot.release();
            throw error;
        }
    }

    /** The same, with the whole answer. @throws The PROVIDER_… errors as well */
    async complete(actor: Actor, request: CompletionRequest, gone: AbortSignal): Promise<Completed> {
        const { head, running, ignored } = await this.call(actor, request, gone);
        return { completion: toCompletion(head, await running.finished), ignored };
    }

    async list(actor: Actor): Promise<ListedModel[]> {
        const { models } = this.#parts;
        return [...models.usable(actor.providerKeys), ...(await models.connected(actor))].map(toListed);
    }

    /** @throws MODEL_NOT_FOUND also for a model that the user cannot call */
    async get(actor: Actor, idOrAlias: string): Promise<ListedModel> {
        const { models } = this.#parts;
        const { id, via } = models.get(idOrAlias);
        const callable = via ? await models.connected(actor) : models.usable(actor.providerKeys);
        const model = callable.find((one) => one.id === id);
        if (!model) throw apiError('MODEL_NOT_FOUND', { details: { model: idOrAlias } });
        return toListed(model);
    }

    /** Takes the hold of a call that costs, and limits its output to what can be paid. */
    async #pay(actor: Actor, call: ModelCall): Promise<{ call: ModelCall; bill: Bill | null }> {
        const { billing } = this.#parts;
        const { requestId } = actor;
        const order = { id: newId('hold'), payer: payerOf(actor), about: { requestId } };
        const bill = billing.bill(order, [call]);
        if (!bill) return { call, bill };
        const [payable] = await billing.take(bill);
        return { call: payable, bill };
    }

    async #end(actor: Actor, bill: Bill | null, end: CallEnd): Promise<void> {
        const { billing, onEnd } = this.#parts;
        onEnd(actor, end);
        if (!bill) return;
        const used = payableUsage(end.outcome, end.timeToFirstTokenMs !== null, end.usage);
        await billing.settle(actor.tenantId, billing.settlementOf(bill.record, end.call.model.id, used));
    }

    async #prepare(actor: Actor, model: Model, request: CompletionRequest) {
        const { models } = this.#parts;
        const keyName = models.keyName(model);
        const isOwn = keyName !== null && actor.providerKeys.includes(keyName);
        const apiKey = isOwn ? await models.keys.use(actor, keyName) : null;
        return models.prepare({
            model,
            user: { tenantId: actor.tenantId, userId: actor.userId },
            messages: toMessages(request),
            parameters: toParameters(request),
            requestId: actor.requestId,
            isHeardWhole: request.stream !== true,
            ...(apiKey !== null && { apiKey }),
        });
    }
}

const toListed = ({ id, provider }: Model): ListedModel => ({ id, object: 'model', created: 0, owned_by: provider });

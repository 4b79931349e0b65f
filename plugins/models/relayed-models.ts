import { OllamaModels } from './providers/ollama-models.ts';
import { listOffered, showOffered, type OfferedModel } from './providers/ollama-offer.ts';
import { ollama } from './providers/ollama.ts';
import { Recent } from './recent.ts';
import { overRelay } from './relay-transport.ts';
import { isRelayed, relayedModel, USUAL_CONTEXT, type RelayedModel } from './relayed-model.ts';
import { apiError, isApiError } from '../../src/http/errors.ts';

import type { Model, ModelCall, ModelProvider, ModelSource, ModelUser, SourcePrefix } from './api.ts';
import type { ModelsThere } from './local-models.ts';
import type { Transport } from './providers/transport.ts';
import type { Clock } from '../../src/clock.ts';

/** What is asked before a call, or for a list, is not waited for any longer. */
const LOOK_TIMEOUT_MS = 2_000;
const DETAILS = { freshMs: 300_000, most: 1_000 };
const LISTS = { freshMs: 10_000, most: 500 };
/** Of each kind; they are asked at once. */
const MOST_SERVERS = 20;

/** Models of users' own Ollamas, which are reached over whatever offers them. They are free, and have no circuit. */
export class RelayedModels implements Pick<ModelProvider, 'stream'> {
    readonly #sources = new Map<SourcePrefix, ModelSource>();
    readonly #details: Recent<OfferedModel>;
    readonly #lists: Recent<Promise<Model[]>>;

    constructor(clock: Clock) {
        this.#details = new Recent({ ...DETAILS, clock });
        this.#lists = new Recent({ ...LISTS, clock });
    }

    offer(prefix: SourcePrefix, source: ModelSource): void {
        this.#sources.set(prefix, source);
    }

    /** The model of that id, as far as the id tells; null when it has not the form of one. */
    get(idOrAlias: string): RelayedModel | null {
        const model = relayedModel(idOrAlias);
        return model && this.#sources.has(model.via.prefix) ? model : null;
    }

    /** The model as its server knows it, or as its id tells while that is away. @throws MODEL_NOT_FOUND */
    async find(user: ModelUser, model: RelayedModel): Promise<Model> {
        const known = this.#known(user, model);
        try {
            if (known) {
                await this.#source(model).check(user, model.via.id);
                return known;
            }
            const signal = AbortSignal.timeout(LOOK_TIMEOUT_MS);
            const details = await showOffered(this.#sendTo(user, model), model.upstreamId, signal);
            this.#details.set(nameOf(user, model), details);
            return described(model, details);
        } catch (error) {
            if (isNotFound(error)) throw notFound(model);
            // Whatever keeps it away, the call will tell if that lasts.
            return known ?? model;
        }
    }

    /** All that the connected servers offer a user, not older than some seconds. */
    list(user: ModelUser): Promise<Model[]> {
        const name = `${user.tenantId}/${user.userId}`;
        const known = this.#lists.get(name);
        if (known) return known;
        const listed = this.#ask(user);
        this.#lists.set(name, listed);
        listed.catch(() => this.#lists.forget(name));
        return listed;
    }

    stream(call: ModelCall, signal: AbortSignal) {
        return ollama({ send: this.#sendTo(call.user, relayed(call.model)) }).stream(call, signal);
    }

    /** @throws MODEL_NOT_FOUND, and what a call fails with */
    look(user: ModelUser, model: RelayedModel): Promise<ModelsThere> {
        return new OllamaModels(this.#sendTo(user, model)).look();
    }

    async #ask(user: ModelUser): Promise<Model[]> {
        const offered = [...this.#sources].map(async ([, source]) => {
            const servers = await source.connected(user, MOST_SERVERS);
            return Promise.all(servers.map((server) => this.#offered(user, source, server)));
        });
        return (await Promise.all(offered)).flat(2);
    }

    /** One that fails, or is no Ollama, offers nothing. */
    async #offered(user: ModelUser, source: ModelSource, { id, name }: { id: string; name: string }): Promise<Model[]> {
        const send = overRelay(source, user, id);
        const listed = await listOffered(send, AbortSignal.timeout(LOOK_TIMEOUT_MS)).catch(() => []);
        return listed.flatMap((tag) => {
            const model = relayedModel(`${id}/${tag.name}`);
            if (!model) return [];
            const { capabilities, contextLength } = this.#known(user, model) ?? { ...model, ...tag };
            return [{ ...model, name: `${model.name} (${name})`, capabilities, contextLength }];
        });
    }

    #known(user: ModelUser, model: RelayedModel): Model | null {
        const details = this.#details.get(nameOf(user, model));
        return details ? described(model, details) : null;
    }

    #source({ via: { prefix } }: RelayedModel): ModelSource {
        const source = this.#sources.get(prefix);
        if (!source) throw new Error(`Nobody offers models over ${prefix}`);
        return source;
    }

    /** What is not there, or not there for this user, is no model. */
    #sendTo(user: ModelUser, model: RelayedModel): Transport {
        const send = overRelay(this.#source(model), user, model.via.id);
        return async (request) => {
            try {
                const answer = await send(request);
                if (answer.status !== 404) return answer;
                await answer.body[Symbol.asyncIterator]().return?.();
            } catch (error) {
                if (!isNotFound(error)) throw error;
            }
            this.#details.forget(nameOf(user, model));
            throw notFound(model);
        };
    }
}

/** A tenant's ids are its own: nothing is learnt from what another tenant asked. */
const nameOf = ({ tenantId }: ModelUser, { id }: Model): string => `${tenantId}/${id}`;

const described = (model: RelayedModel, { capabilities, contextLength, chosenContext }: OfferedModel): Model => ({
    ...model,
    capabilities,
    contextLength: Math.min(contextLength ?? Infinity, chosenContext ?? USUAL_CONTEXT),
});

const isNotFound = (error: unknown): boolean => isApiError(error) && error.output.statusCode === 404;
const notFound = ({ id }: Model) => apiError('MODEL_NOT_FOUND', { details: { model: id } });

function relayed(model: Model): RelayedModel {
    if (!isRelayed(model)) throw new Error(`${model.id} is not reached over anything`);
    return model;
}

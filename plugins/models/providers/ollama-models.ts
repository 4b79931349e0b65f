import { providerError } from './failure.ts';
import { postForStream, type FailureReader } from './http.ts';
import { lines } from './lines.ts';
import { readText, type Transport } from './transport.ts';
import { isCount, isText, listOf, parseObject } from './wire.ts';
import { apiError, isApiError } from '../../../src/http/errors.ts';

import type { Model } from '../api.ts';
import type { LocalModels, ModelsThere, PullState } from '../local-models.ts';

const LOOK_TIMEOUT_MS = 2_000;
const MAX_LIST = 1_048_576;
/** How long a model stays in memory after it was loaded, when nobody calls it. */
const KEEP_ALIVE = '30m';

interface Listed {
    models?: ({ name?: unknown; size?: unknown } | null)[] | null;
}

interface PullLine {
    status?: unknown;
    digest?: unknown;
    total?: unknown;
    completed?: unknown;
    error?: unknown;
}

const failureOf: FailureReader = ({ error }: PullLine) => (error === undefined ? null : { message: error });

/** What Ollama calls a model whose name says no tag. */
export const fullName = (name: string): string => (/:[^/]*$/.test(name) ? name : `${name}:latest`);
const nameOf = ({ id, upstreamId }: Model): string => upstreamId ?? id;

/** The models of an Ollama: what it has, and what it is told to fetch, to load and to unload. */
export class OllamaModels implements LocalModels {
    readonly #send: Transport;

    constructor(send: Transport) {
        this.#send = send;
    }

    async look(): Promise<ModelsThere> {
        const signal = AbortSignal.timeout(LOOK_TIMEOUT_MS);
        try {
            const lists = [this.#list('/api/ps', signal), this.#list('/api/tags', signal)] as const;
            const [loaded, onDisk] = await Promise.all(lists);
            return there(loaded, onDisk);
        } catch (error) {
            if (signal.aborted) throw apiError('PROVIDER_TIMEOUT');
            throw isApiError(error) ? error : apiError('PROVIDER_ERROR', { cause: error });
        }
    }

    async *pull(model: Model, signal: AbortSignal): AsyncGenerator<PullState> {
        const pulled = new PulledBytes();
        let isWhole = false;
        for await (const line of this.#post('/api/pull', { model: nameOf(model), stream: true }, signal)) {
            isWhole ||= (line as PullLine).status === 'success';
            yield pulled.add(line);
        }
        if (!isWhole) throw new Error('Ollama ended the pull in the middle');
    }

    load(model: Model, signal: AbortSignal): Promise<void> {
        return this.#keep(model, KEEP_ALIVE, signal);
    }

    unload(model: Model, signal: AbortSignal): Promise<void> {
        return this.#keep(model, 0, signal);
    }

    /** An empty conversation loads a model, or with `keep_alive: 0` unloads it. */
    async #keep(model: Model, keepAlive: string | 0, signal: AbortSignal): Promise<void> {
        const body = {
            model: nameOf(model),
            messages: [],
            keep_alive: keepAlive,
            stream: false,
            // As calls have it: with another context the first call would load the model once more.
            options: { num_ctx: model.contextLength },
        };
        let isDone = false;
        for await (const line of this.#post('/api/chat', body, signal)) isDone ||= 'done' in line && line.done === true;
        if (!isDone) throw new Error('Ollama ended its answer in the middle');
    }

    /** The sizes of the models of a list, by their names. */
    async #list(path: string, signal: AbortSignal): Promise<Map<string, number | null>> {
        const { status, body } = await this.#send({ path, method: 'GET', signal });
        const text = await readText(body, MAX_LIST);
        if (status !== 200) {
            const code = status === 503 ? 'PROVIDER_OVERLOADED' : 'PROVIDER_ERROR';
            throw apiError(code, { details: { providerStatus: status } });
        }
        const { models } = parseObject(text) as Listed;
        return new Map(
            listOf(models).flatMap((model) =>
                isText(model?.name) ? [[fullName(model.name), isCount(model.size) ? model.size : null]] : [],
            ),
        );
    }

    async *#post(path: string, body: object, signal: AbortSignal): AsyncGenerator<object> {
        const request = { path, apiKey: undefined, body, signal };
        for await (const batch of lines(await postForStream(this.#send, request, failureOf))) {
            for (const line of batch) {
                if (line.trim() === '') continue;
                const event = parseObject(line);
                const failure = failureOf(event);
                if (failure) throw providerError(failure);
                yield event;
            }
        }
    }
}

const there = (loaded: Map<string, number | null>, onDisk: Map<string, number | null>): ModelsThere => ({
    isLoaded: (model) => loaded.has(fullName(nameOf(model))),
    isOnDisk: (model) => onDisk.has(fullName(nameOf(model))),
    memoryBytes: (model) => loaded.get(fullName(nameOf(model))) ?? null,
});

/** Ollama tells each layer of a model by itself. */
class PulledBytes {
    readonly #layers = new Map<string, { completed: number; total: number }>();

    add({ digest, total, completed }: PullLine): PullState {
        if (isText(digest) && isCount(total) && total > 0) {
            const told = isCount(completed) ? completed : 0;
            const before = this.#layers.get(digest)?.completed ?? 0;
            this.#layers.set(digest, { completed: Math.min(total, Math.max(before, told)), total });
        }
        const layers = [...this.#layers.values()];
        if (layers.length === 0) return { completedBytes: null, totalBytes: null };
        const sum = (of: 'completed' | 'total') => layers.reduce((bytes, layer) => bytes + layer[of], 0);
        return { completedBytes: sum('completed'), totalBytes: sum('total') };
    }
}

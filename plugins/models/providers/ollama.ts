import { postForStream } from './http.ts';
import { lines } from './lines.ts';
import { apiError } from '../../../src/http/errors.ts';

import type { Dispatcher } from 'undici';
import type { ModelCall, ModelProvider, StreamPart } from '../api.ts';

export interface OllamaOptions {
    dispatcher: Dispatcher;
    baseUrl: string;
}

/** A line of `/api/chat`, as far as it is read here. */
interface Line {
    message?: { content?: string; thinking?: string };
    done?: boolean;
    done_reason?: string;
    prompt_eval_count?: number;
    eval_count?: number;
    error?: string;
}

interface RunningModels {
    models?: { name: string; size: number }[];
}

/** Ollama's own API: `POST /api/chat` streams NDJSON, and an error may be one of the lines of a 200. */
export function ollama({ dispatcher, baseUrl }: OllamaOptions): ModelProvider {
    const base = baseUrl.replace(/\/$/, '');
    return {
        async *stream(call, signal) {
            const request = { url: `${base}/api/chat`, body: requestBody(call), signal };
            const body = await postForStream(dispatcher, request, (refused) => (refused as Line).error);
            for await (const batch of lines(body)) {
                for (const line of batch) if (line !== '') yield* parts(JSON.parse(line) as Line);
            }
        },

        async status(signal) {
            const { origin, pathname } = new URL(`${base}/api/ps`);
            const { body } = await dispatcher.request({ origin, path: pathname, method: 'GET', signal });
            const { models = [] } = (await body.json()) as RunningModels;
            const loaded = models.map(({ name, size }) => ({ model: name, memoryBytes: size }));
            return { status: loaded.length > 0 ? 'loaded' : 'reachable', models: loaded };
        },
    };
}

const requestBody = ({ model, messages, temperature }: ModelCall) => ({
    model: model.upstreamId ?? model.id,
    messages,
    stream: true,
    // Without it Ollama cuts the context to a few thousand tokens and does not say so.
    options: { num_ctx: model.contextLength, ...(temperature !== undefined && { temperature }) },
});

function* parts(line: Line): Generator<StreamPart> {
    if (line.error !== undefined) {
        throw apiError('PROVIDER_ERROR', { cause: new Error(`Ollama failed: ${line.error}`) });
    }
    if (line.message?.thinking) yield { type: 'reasoning', delta: line.message.thinking };
    if (line.message?.content) yield { type: 'text', delta: line.message.content };
    if (line.done !== true) return;
    // A prompt that is still in the cache of the model may come without a count.
    if (line.eval_count !== undefined && line.prompt_eval_count !== undefined) {
        yield { type: 'usage', usage: usage(line.prompt_eval_count, line.eval_count) };
    }
    yield { type: 'finish', reason: line.done_reason === 'length' ? 'length' : 'stop' };
}

const usage = (input: number, output: number) => ({
    inputFresh: input,
    cacheRead: 0,
    cacheWrite: 0,
    output,
    reasoning: 0,
    isEstimated: false,
});

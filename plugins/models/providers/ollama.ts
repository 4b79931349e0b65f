import { postForStream } from './http.ts';
import { lines } from './lines.ts';
import { countOf, isCount, isText, parseObject } from './wire.ts';
import { apiError } from '../../../src/http/errors.ts';
import { estimateUsage } from '../estimate.ts';

import type { Dispatcher } from 'undici';
import type { ModelCall, ModelProvider, StreamPart, Usage } from '../api.ts';

export interface OllamaOptions {
    dispatcher: Dispatcher;
    baseUrl: string;
}

/** A line of `/api/chat`, as far as it is read here. */
interface Line {
    message?: { content?: unknown; thinking?: unknown } | null;
    done?: unknown;
    done_reason?: unknown;
    prompt_eval_count?: unknown;
    eval_count?: unknown;
    error?: unknown;
}

interface RunningModels {
    models?: { name: string; size: number }[] | null;
}

/** Ollama's own API: `POST /api/chat` streams NDJSON, and an error may be one of the lines of a 200. */
export function ollama({ dispatcher, baseUrl }: OllamaOptions): ModelProvider {
    const base = baseUrl.replace(/\/$/, '');
    return {
        async *stream(call, signal) {
            const request = { url: `${base}/api/chat`, body: requestBody(call), signal };
            const body = await postForStream(dispatcher, request, (refused: Line) => refused.error);
            for await (const batch of lines(body)) {
                for (const line of batch) if (line.trim() !== '') yield* parts(parseObject(line), call);
            }
        },

        async status(signal) {
            const { origin, pathname } = new URL(`${base}/api/ps`);
            const { statusCode, body } = await dispatcher.request({ origin, path: pathname, method: 'GET', signal });
            const { models } = (await body.json()) as RunningModels;
            if (statusCode !== 200) return { status: 'unreachable' };
            const loaded = (models ?? []).map(({ name, size }) => ({ model: name, memoryBytes: size }));
            return { status: loaded.length > 0 ? 'loaded' : 'reachable', models: loaded };
        },
    };
}

const requestBody = ({ model, messages, parameters: { temperature } }: ModelCall) => ({
    model: model.upstreamId ?? model.id,
    messages,
    stream: true,
    // Without it Ollama cuts the context to a few thousand tokens and does not say so.
    options: { num_ctx: model.contextLength, ...(temperature !== undefined && { temperature }) },
});

function* parts(line: Line, call: ModelCall): Generator<StreamPart> {
    if (line.error !== undefined) {
        const words = isText(line.error) ? line.error : 'without a word';
        throw apiError('PROVIDER_ERROR', { cause: new Error(`Ollama failed: ${words}`) });
    }
    const { thinking, content } = line.message ?? {};
    if (isText(thinking)) yield { type: 'reasoning', delta: thinking };
    if (isText(content)) yield { type: 'text', delta: content };
    if (line.done !== true) return;
    if (isCount(line.eval_count)) yield { type: 'usage', usage: usage(line, call) };
    yield { type: 'finish', reason: line.done_reason === 'length' ? 'length' : 'stop' };
}

/** A prompt that is still in the cache of the model may come without a count. */
function usage({ prompt_eval_count: input, eval_count: output }: Line, call: ModelCall): Usage {
    return {
        ...estimateUsage(call, ''),
        ...(isCount(input) && { inputFresh: input, isEstimated: false }),
        output: countOf(output),
    };
}

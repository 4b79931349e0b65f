import { postForStream } from './http.ts';
import { eventData } from './lines.ts';
import { countOf, isText, parseObject } from './wire.ts';
import { apiError } from '../../../src/http/errors.ts';

import type { Dispatcher } from 'undici';
import type { FinishReason, ModelCall, ModelProvider, StreamPart, Usage } from '../api.ts';

export interface OpenAiOptions {
    dispatcher: Dispatcher;
    /** Ends in `/v1`, as OpenAI's own clients have it. */
    baseUrl: string;
    /** The platform's; a call may bring its own. */
    apiKey: string | undefined;
}

/** A chunk of Chat Completions, as far as it is read here. */
interface Chunk {
    choices?: { delta?: { content?: unknown; refusal?: unknown } | null; finish_reason?: unknown }[] | null;
    usage?: ChunkUsage | null;
    error?: { message?: unknown } | null;
}

interface ChunkUsage {
    prompt_tokens?: unknown;
    completion_tokens?: unknown;
    prompt_tokens_details?: { cached_tokens?: unknown; cache_write_tokens?: unknown } | null;
    completion_tokens_details?: { reasoning_tokens?: unknown } | null;
}

const FINISH = new Map<unknown, FinishReason>([
    ['stop', 'stop'],
    ['length', 'length'],
    ['tool_calls', 'tool_calls'],
    ['content_filter', 'content_filter'],
]);

/** OpenAI's Chat Completions (`POST /v1/chat/completions`), and every server that speaks them. */
export function openAi({ dispatcher, baseUrl, apiKey: shared }: OpenAiOptions): ModelProvider {
    const base = baseUrl.replace(/\/$/, '');
    return {
        async *stream(call, signal) {
            const apiKey = call.apiKey ?? shared;
            const words = wordsWithout(apiKey);
            const request = {
                url: `${base}/chat/completions`,
                headers: { ...authorization(apiKey), 'x-client-request-id': call.requestId },
                body: requestBody(call),
                signal,
            };
            const body = await postForStream(dispatcher, request, words);
            for await (const events of eventData(body)) {
                for (const data of events) {
                    // What follows is read to its end all the same, so that the connection can serve the next call.
                    if (data === '[DONE]') continue;
                    const chunk: Chunk = parseObject(data);
                    if (chunk.error) throw apiError('PROVIDER_ERROR', { cause: failure(words(chunk)) });
                    yield* parts(chunk);
                }
            }
        },

        async status(signal) {
            if (shared === undefined) return { status: 'not_configured' };
            const { origin, pathname } = new URL(`${base}/models`);
            const { statusCode, body } = await dispatcher.request({
                origin,
                path: pathname,
                method: 'GET',
                headers: authorization(shared),
                signal,
            });
            await body.dump();
            return { status: statusCode < 500 ? 'reachable' : 'unreachable' };
        },
    };
}

const authorization = (apiKey: string | undefined): Record<string, string> =>
    apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };

/** The provider's own words about a failure, which may repeat the key. */
const wordsWithout =
    (apiKey: string | undefined) =>
    ({ error }: Chunk): string | null => {
        if (!isText(error?.message)) return null;
        return apiKey === undefined ? error.message : error.message.replaceAll(apiKey, '[key]');
    };

const requestBody = ({ model, messages, parameters: { temperature } }: ModelCall) => ({
    model: model.upstreamId ?? model.id,
    messages,
    ...(temperature !== undefined && { temperature }),
    stream: true,
    stream_options: { include_usage: true, include_obfuscation: false },
});

const failure = (words: string | null) => new Error(`The provider failed: ${words}`);

function* parts({ choices, usage }: Chunk): Generator<StreamPart> {
    const choice = choices?.[0];
    // A refusal is the model's answer in other words: the user is to read it.
    const text = choice?.delta?.content || choice?.delta?.refusal;
    if (isText(text)) yield { type: 'text', delta: text };
    if (usage) yield { type: 'usage', usage: disjoint(usage) };
    if (choice?.finish_reason) yield { type: 'finish', reason: FINISH.get(choice.finish_reason) ?? 'stop' };
}

/** OpenAI counts cached tokens among the prompt's. */
function disjoint(usage: ChunkUsage): Usage {
    const cacheRead = countOf(usage.prompt_tokens_details?.cached_tokens);
    const cacheWrite = countOf(usage.prompt_tokens_details?.cache_write_tokens);
    return {
        inputFresh: Math.max(0, countOf(usage.prompt_tokens) - cacheRead - cacheWrite),
        cacheRead,
        cacheWrite,
        output: countOf(usage.completion_tokens),
        reasoning: countOf(usage.completion_tokens_details?.reasoning_tokens),
        isEstimated: false,
    };
}

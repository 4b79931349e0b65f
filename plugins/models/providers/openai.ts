import { postForStream } from './http.ts';
import { eventData } from './lines.ts';
import { apiError } from '../../../src/http/errors.ts';

import type { Dispatcher } from 'undici';
import type { FinishReason, ModelCall, ModelProvider, StreamPart, Usage } from '../api.ts';

export interface OpenAiOptions {
    dispatcher: Dispatcher;
    /** Ends in `/v1`, as OpenAI's own clients have it. */
    baseUrl: string;
    apiKey: string | undefined;
}

/** A chunk of Chat Completions, as far as it is read here. */
interface Chunk {
    choices?: { delta?: { content?: string | null; refusal?: string | null }; finish_reason?: string | null }[];
    usage?: ChunkUsage | null;
    error?: { message?: string };
}

interface ChunkUsage {
    prompt_tokens?: number;
    completion_tokens?: number;
    prompt_tokens_details?: { cached_tokens?: number; cache_write_tokens?: number } | null;
    completion_tokens_details?: { reasoning_tokens?: number } | null;
}

const FINISH: Record<string, FinishReason> = {
    stop: 'stop',
    length: 'length',
    tool_calls: 'tool_calls',
    content_filter: 'content_filter',
};

/** OpenAI's Chat Completions (`POST /v1/chat/completions`), and every server that speaks them. */
export function openAi({ dispatcher, baseUrl, apiKey }: OpenAiOptions): ModelProvider {
    const authorization: Record<string, string> = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
    return {
        async *stream(call, signal) {
            const request = {
                url: `${baseUrl}/chat/completions`,
                headers: { ...authorization, 'x-client-request-id': call.requestId },
                body: requestBody(call),
                signal,
            };
            const body = await postForStream(dispatcher, request, (refused) => (refused as Chunk).error?.message);
            for await (const events of eventData(body)) {
                for (const data of events) {
                    if (data === '[DONE]') return;
                    yield* parts(JSON.parse(data) as Chunk);
                }
            }
        },

        async status(signal) {
            if (apiKey === undefined) return { status: 'not_configured' };
            const { origin, pathname } = new URL(`${baseUrl}/models`);
            const { body } = await dispatcher.request({
                origin,
                path: pathname,
                method: 'GET',
                headers: authorization,
                signal,
            });
            await body.dump();
            return { status: 'reachable' };
        },
    };
}

const requestBody = ({ model, messages, temperature }: ModelCall) => ({
    model: model.upstreamId ?? model.id,
    messages,
    ...(temperature !== undefined && { temperature }),
    stream: true,
    stream_options: { include_usage: true, include_obfuscation: false },
});

function* parts({ choices = [], usage, error }: Chunk): Generator<StreamPart> {
    if (error) throw apiError('PROVIDER_ERROR', { cause: new Error(`The provider failed: ${error.message}`) });
    const [choice] = choices;
    // A refusal is the model's answer in other words: the user is to read it.
    const text = choice?.delta?.content ?? choice?.delta?.refusal;
    if (text) yield { type: 'text', delta: text };
    if (usage) yield { type: 'usage', usage: disjoint(usage) };
    if (choice?.finish_reason) yield { type: 'finish', reason: FINISH[choice.finish_reason] ?? 'stop' };
}

/** OpenAI counts cached tokens among the prompt's. */
function disjoint(usage: ChunkUsage): Usage {
    const cacheRead = usage.prompt_tokens_details?.cached_tokens ?? 0;
    const cacheWrite = usage.prompt_tokens_details?.cache_write_tokens ?? 0;
    return {
        inputFresh: Math.max(0, (usage.prompt_tokens ?? 0) - cacheRead - cacheWrite),
        cacheRead,
        cacheWrite,
        output: usage.completion_tokens ?? 0,
        reasoning: usage.completion_tokens_details?.reasoning_tokens ?? 0,
        isEstimated: false,
    };
}

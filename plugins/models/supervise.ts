import { estimateUsage, isCredible } from './estimate.ts';
import { apiError, isApiError } from '../../src/http/errors.ts';

import type { ModelCall, ModelProvider, StreamPart, Usage } from './api.ts';

/** Milliseconds until the first part of an answer, and for the whole of it. */
export interface Timeouts {
    first: number;
    total: number;
}

/** What a model has said so far; what it wants of tools is a part of its text. */
interface Said {
    text: string;
    thoughts: string;
}

function hear(said: Said, part: StreamPart): void {
    if (part.type === 'text') said.text += part.delta;
    else if (part.type === 'reasoning') said.thoughts += part.delta;
    else if (part.type === 'tool-call') said.text += (part.name ?? '') + part.argumentsDelta;
}

/**
 * A provider's parts, kept to the contract: deadlines, one usage, one finish, and our errors only.
 *
 * @param elapsedMs How much of the time earlier tries have taken
 */
export async function* supervised(
    provider: Pick<ModelProvider, 'stream'>,
    call: ModelCall,
    signal: AbortSignal,
    timeouts: Timeouts,
    elapsedMs = 0,
): AsyncGenerator<StreamPart> {
    const deadline = new AbortController();
    const expire = () => deadline.abort(apiError('PROVIDER_TIMEOUT'));
    let waiting = setTimeout(expire, timeouts.first - elapsedMs);
    const total = setTimeout(expire, timeouts.total - elapsedMs);
    const said: Said = { text: '', thoughts: '' };
    let usage: Usage | undefined;
    let finish: StreamPart | undefined;
    try {
        for await (const part of provider.stream(call, AbortSignal.any([signal, deadline.signal]))) {
            if (part.type === 'usage') {
                usage = part.usage;
                continue;
            }
            clearTimeout(waiting);
            if (part.type === 'finish') {
                finish = part;
                // Only its usage may still come: that is waited for no longer than a first token.
                waiting = setTimeout(expire, timeouts.first);
            } else {
                hear(said, part);
                yield part;
            }
        }
        if (!finish) throw new Error('The provider ended its answer in the middle');
    } catch (error) {
        signal.throwIfAborted();
        // Past its finish the answer is whole, whatever becomes of the connection.
        if (!finish) throw failure(error, deadline.signal);
    } finally {
        clearTimeout(waiting);
        clearTimeout(total);
    }
    const told = usage && isCredible(usage, said.text + said.thoughts) ? usage : null;
    yield { type: 'usage', usage: told ?? estimateUsage(call, said.text, said.thoughts) };
    yield finish;
}

function failure(error: unknown, deadline: AbortSignal): unknown {
    if (deadline.aborted) return deadline.reason;
    return isApiError(error) ? error : apiError('PROVIDER_ERROR', { cause: error });
}

import { estimateUsage, isCredible } from './estimate.ts';
import { followAbort } from '../../src/follow-abort.ts';
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
): AsyncGenerator<StreamPart[]> {
    const deadline = new AbortController();
    const unfollow = followAbort(deadline, signal);
    const expire = () => deadline.abort(apiError('PROVIDER_TIMEOUT'));
    let waiting = setTimeout(expire, timeouts.first - elapsedMs);
    const total = setTimeout(expire, timeouts.total - elapsedMs);
    const said: Said = { text: '', thoughts: '' };
    const ending: Ending = {};
    try {
        for await (const parts of provider.stream(call, deadline.signal)) {
            const { finish } = ending;
            const words = withoutEnding(parts, ending);
            const isEnd = ending.finish !== finish;
            if (words.length > 0 || isEnd) clearTimeout(waiting);
            // Only its usage may still come: that is waited for no longer than a first token.
            if (isEnd) waiting = setTimeout(expire, timeouts.first);
            for (const part of words) hear(said, part);
            if (words.length > 0) yield words;
        }
        if (!ending.finish) throw new Error('The provider ended its answer in the middle');
    } catch (error) {
        signal.throwIfAborted();
        // Past its finish the answer is whole, whatever becomes of the connection.
        if (!ending.finish) throw failure(error, deadline.signal);
    } finally {
        clearTimeout(waiting);
        clearTimeout(total);
        unfollow();
    }
    yield [{ type: 'usage', usage: usageOf(call, said, ending.usage) }, ending.finish];
}

/** What the provider told, where that can be true. */
const usageOf = (call: ModelCall, { text, thoughts }: Said, told: Usage | undefined): Usage =>
    told && isCredible(told, text + thoughts) ? told : estimateUsage(call, text, thoughts);

/** What comes once, at the end. */
interface Ending {
    usage?: Usage;
    finish?: StreamPart;
}

/** The parts before the end, which is kept for later. */
function withoutEnding(parts: StreamPart[], ending: Ending): StreamPart[] {
    if (!parts.some(isEnding)) return parts;
    for (const part of parts) {
        if (part.type === 'usage') ending.usage = part.usage;
        else if (part.type === 'finish') ending.finish = part;
    }
    return parts.filter((part) => !isEnding(part));
}

const isEnding = ({ type }: StreamPart): boolean => type === 'usage' || type === 'finish';

function failure(error: unknown, deadline: AbortSignal): unknown {
    if (deadline.aborted) return deadline.reason;
    return isApiError(error) ? error : apiError('PROVIDER_ERROR', { cause: error });
}

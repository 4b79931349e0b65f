import { RelayFailure } from './way.ts';
import { WholeBody } from '../../../src/relay/whole-body.ts';

import type { RelayAnswer } from '../../../src/relay/types.ts';
import type { LinkAnswer } from '../link/types.ts';

/**
 * The body of an answer, failing where it is not as long as the answer said: what is missing would be taken from the
 * next answer on the connection.
 */
export async function* asLongAsSaid(method: string, { status, headers, body }: RelayAnswer): AsyncIterable<Uint8Array> {
    const said = hasBody(method, status) ? lengthOf(headers) : undefined;
    let length = 0;
    for await (const chunk of body) {
        length += chunk.length;
        if (said !== undefined && length > said) throw new RelayFailure('protocol');
        yield chunk;
    }
    if (said !== undefined && length < said) throw new RelayFailure('lost');
}

/**
 * The body of an answer that has come with its head, all of it and as long as said; null: it is still to come, or there
 * is something about it to be looked into.
 *
 * @throws RelayFailure as `lengthOf`
 */
export function wholeBody(method: string, { status, headers, body }: LinkAnswer): WholeBody | null {
    const said = lengthOf(headers) ?? body.waiting;
    if (!hasBody(method, status) || said === 0 || said !== body.waiting) return null;
    const rest = body.takeRest();
    return rest && new WholeBody(rest);
}

const hasBody = (method: string, status: number): boolean => method !== 'HEAD' && status !== 204 && status !== 304;

/** Undefined where the answer does not say. @throws RelayFailure when it says two things, or nonsense */
export function lengthOf(headers: RelayAnswer['headers']): number | undefined {
    const lengths = headers.filter(([name]) => name === 'content-length').map(([, value]) => value);
    if (lengths.length === 0) return undefined;
    if (lengths.length > 1 || !/^\d{1,15}$/.test(lengths[0] ?? '')) throw new RelayFailure('protocol');
    return Number(lengths[0]);
}

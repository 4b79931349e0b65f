import { Readable } from 'node:stream';

import { compressed } from './compression.ts';
import { forTarget, headerPairs } from '../../../src/relay/headers.ts';
import { isIdempotent } from '../../../src/relay/methods.ts';
import { OnceBody } from '../../../src/relay/once-body.ts';
import { isSafePath } from '../../../src/relay/safe-path.ts';

import type { Dispatcher } from 'undici';
import type { Target } from './target.ts';
import type { Targets } from './targets.ts';
import type { Headers, LinkRequest, ResetCode } from '../link/types.ts';

const METHOD = /^[A-Z]{1,20}$/;
/** No connection came about: the target has seen nothing of the request. */
const UNDELIVERED = new Set([
    'ECONNREFUSED',
    'ENOTFOUND',
    'EAI_AGAIN',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'UND_ERR_CONNECT_TIMEOUT',
]);

/** What relays requests to targets. */
export interface Relay {
    targets: Targets;
    dispatcher: Dispatcher;
    /** Answers are compressed where they can be. */
    isCompressing: boolean;
}

/** Relays a request to the first target that takes it, and its answer back; both at the pace of their readers. */
export async function relay(request: LinkRequest, { targets, dispatcher, isCompressing }: Relay): Promise<void> {
    const fault = faultOf(request);
    if (fault) return request.fail(fault);
    const body = hasBody(request.headers) ? new OnceBody(request.body) : null;
    let failure: ResetCode = 'unreachable';
    for (const target of targets.order(request.endpoint)) {
        try {
            const answer = await ask(target, request, body, dispatcher);
            target.noteSuccess();
            return await hand(request, answer, isCompressing);
        } catch (error) {
            if (request.gone.aborted) return request.fail('cancelled');
            target.noteFailure(error);
            failure = codeOf(error);
            if (body?.isTouched || !mayRepeat(request, error)) break;
        }
    }
    request.fail(failure);
}

/** What the other side should not have sent, whatever it meant by it. */
function faultOf({ method, path, headers }: LinkRequest): ResetCode | null {
    if (!METHOD.test(method) || method === 'CONNECT' || !isSafePath(path)) return 'refused';
    const lengths = headers.filter(([name]) => name === 'content-length');
    if (lengths.length > 1 || lengths.some(([, value]) => !/^\d{1,15}$/.test(value))) return 'protocol';
    return null;
}

const hasBody = (headers: Headers): boolean =>
    headers.some(([name, value]) => name === 'transfer-encoding' || (name === 'content-length' && value !== '0'));

const mayRepeat = ({ method }: LinkRequest, error: unknown): boolean =>
    isIdempotent(method) || UNDELIVERED.has(errorCode(error));

function ask(target: Target, request: LinkRequest, body: OnceBody | null, dispatcher: Dispatcher) {
    const { method, path, headers, gone } = request;
    return dispatcher.request({
        origin: target.origin,
        path: target.basePath + path,
        method: method as Dispatcher.HttpMethod,
        headers: [...forTarget(headers), ['host', target.host]].flat(),
        body: body && Readable.from(body, { objectMode: false }),
        signal: gone,
        responseHeaders: 'raw',
    });
}

/** From here on nothing can be tried again: what goes wrong ends the answer where it is. */
async function hand(request: LinkRequest, answer: Dispatcher.ResponseData, isCompressing: boolean): Promise<void> {
    const { statusCode: status, body } = answer;
    const headers = headerPairs(answer.headers as unknown as string[]);
    try {
        const plain = { status, headers, body };
        const { body: sent, ...head } = isCompressing ? compressed(request, plain) : plain;
        await request.respond(head, sent);
    } catch {
        request.fail(request.gone.aborted ? 'cancelled' : 'unreachable');
    } finally {
        body.on('error', () => undefined).destroy();
    }
}

const errorCode = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '');

const codeOf = (error: unknown): ResetCode => (errorCode(error).includes('TIMEOUT') ? 'timeout' : 'unreachable');

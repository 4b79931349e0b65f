import type { Request } from '@hapi/hapi';

/** A signal that is aborted as soon as the client has closed its connection before it had the whole answer. */
export function clientGone(request: Pick<Request, 'raw' | 'active'>): AbortSignal {
    const { res } = request.raw;
    const gone = new AbortController();
    const leave = () => {
        if (!res.writableFinished) gone.abort();
    };
    res.once('close', leave);
    if (!request.active()) leave();
    return gone.signal;
}

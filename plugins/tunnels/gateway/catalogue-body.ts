import { RelayFailure } from './way.ts';
import { apiError } from '../../../src/http/errors.ts';
import { watchBody } from '../../../src/relay/watch-body.ts';

import type { RelayAnswer } from '../../../src/relay/types.ts';

/** The same answer, whose body breaks off with an error of the catalogue: for who reads it here and passes nothing on. */
export const withCatalogueErrors = (answer: RelayAnswer): RelayAnswer => ({
    ...answer,
    body: watchBody(answer.body, { toFailure }),
});

function toFailure(cause: unknown): unknown {
    const fault = cause instanceof RelayFailure ? cause.fault : 'internal';
    if (fault === 'timeout') return apiError('TUNNEL_TIMEOUT', { cause });
    return apiError('TUNNEL_ERROR', { details: { reason: fault }, cause });
}

import { Readable } from 'node:stream';

import { apiError } from './errors.ts';

import type { Lifecycle } from '@hapi/hapi';

/** Refuses a body with half a surrogate pair (RFC 8259, 8.2): no UTF-8 can hold it, so it could not be stored. */
export const refuseIllFormedText: Lifecycle.Method = ({ payload }, h) => {
    // What goes through unread is not ours to judge.
    if (!(payload instanceof Readable) && !isWellFormed(payload)) throw apiError('MALFORMED_REQUEST');
    return h.continue;
};

/** Goes by a list of what is left, not by calls: a body may be nested deeper than the stack. */
function isWellFormed(body: unknown): boolean {
    const left = [body];
    for (const value of left) {
        if (typeof value === 'string' && !value.isWellFormed()) return false;
        if (typeof value !== 'object' || value === null) continue;
        for (const [name, part] of Object.entries(value)) left.push(name, part);
    }
    return true;
}

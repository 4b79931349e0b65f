import type { ResetCode } from './types.ts';

/** The link went away in the middle; `code` is the one that it was closed with. */
export class LinkClosed extends Error {
    readonly code: number;
    /** Whether a byte of the request went out; false for one that may be sent elsewhere. */
    readonly isDelivered: boolean;

    constructor(code: number, reason: string, isDelivered: boolean) {
        super(`The link was closed: ${reason} (${code})`);
        this.name = 'LinkClosed';
        this.code = code;
        this.isDelivered = isDelivered;
    }
}

/** One stream was ended before its time, by either side. */
export class StreamReset extends Error {
    readonly code: ResetCode;
    /** Whether a byte of the request went out; false for one that may be sent elsewhere. */
    readonly isDelivered: boolean;

    constructor(code: ResetCode, isDelivered: boolean, options?: ErrorOptions) {
        super(`The stream was reset: ${code}`, options);
        this.name = 'StreamReset';
        this.code = code;
        this.isDelivered = isDelivered;
    }
}

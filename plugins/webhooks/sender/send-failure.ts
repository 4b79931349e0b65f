import type { AttemptFailure } from './types.ts';

/** Why an attempt came to nothing, from where it is found out to where it is told. */
export class SendFailure extends Error {
    readonly failure: AttemptFailure;

    constructor(failure: AttemptFailure, cause?: unknown) {
        super(failure, { cause });
        this.failure = failure;
    }
}

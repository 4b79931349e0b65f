import { setTimeout as sleep } from 'node:timers/promises';

import { RelayFailure, type Way } from './way.ts';
import { OnceBody } from '../../../src/relay/once-body.ts';

import type { RelayAnswer, RelayRequest } from '../../../src/relay/types.ts';

/** When it is looked for, each after the one before: for two seconds in all. */
const DELAYS_MS = [25, 40, 60, 90, 130, 200, 300, 450, 705];

/** The link that takes the place of one which drains: it is not there yet, and will be in a moment. */
export class Successor implements Way {
    readonly #find: () => Promise<Way | null>;

    constructor(find: () => Promise<Way | null>) {
        this.#find = find;
    }

    async send(request: RelayRequest): Promise<RelayAnswer> {
        const { gone } = request;
        for (const delayMs of DELAYS_MS) {
            await sleep(delayMs, undefined, { signal: gone }).catch(() => undefined);
            if (gone.aborted) throw new RelayFailure('cancelled');
            const answer = await this.#try(request);
            if (answer) return answer;
        }
        throw new RelayFailure('offline');
    }

    /** Null: it is not there, or not ready. */
    async #try(request: RelayRequest): Promise<RelayAnswer | null> {
        const way = await this.#find();
        if (way === null) return null;
        try {
            return await way.send(request);
        } catch (error) {
            const isTouched = request.body instanceof OnceBody && request.body.isTouched;
            if (!(error instanceof RelayFailure) || error.fault !== 'moved' || isTouched) throw error;
            return null;
        }
    }
}

import { createHash } from 'node:crypto';

import { apiError } from '../../src/http/errors.ts';

import type { AttemptStore } from './attempt-store.ts';

/** Failures from which on each is followed by a delay, of 30 s at first and 15 min at most. */
const MOST_FAILURES = { account: 5, address: 20 };

/** Guards passwords against being tried out: by account, whether it exists or not, and by IP address. */
export class Attempts {
    readonly #store: AttemptStore;

    constructor(store: AttemptStore) {
        this.#store = store;
    }

    /**
     * Runs a check as one attempt, which counts as failed from before it begins: of many at once no more get through
     * than one after the other.
     *
     * @param place The tenant, or what was named in its place
     * @throws ACCOUNT_DELAYED The check was not run
     */
    async check(place: string, email: string, ipAddress: string, isRight: () => Promise<boolean>): Promise<boolean> {
        const attempt = { account: nameOf(place, email), ipAddress };
        const wait = await this.#store.take(attempt, MOST_FAILURES);
        if (wait > 0) throw apiError('ACCOUNT_DELAYED', { retryAfter: wait / 1000 });
        let fits: boolean;
        try {
            fits = await isRight();
        } catch (error) {
            await this.#store.giveBack(attempt, false);
            throw error;
        }
        if (fits) await this.#store.giveBack(attempt, true);
        return fits;
    }

    /** Lets an account begin anew whose user has shown otherwise who it is. */
    forget(place: string, email: string): Promise<void> {
        return this.#store.forget(nameOf(place, email));
    }
}

/** Nothing of the address is to be read from the key. */
const nameOf = (place: string, email: string): string =>
    createHash('sha256')
        .update(JSON.stringify([place, email]))
        .digest('hex');

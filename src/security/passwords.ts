import { createHash, randomBytes } from 'node:crypto';

import bcrypt from 'bcrypt';
import pLimit from 'p-limit';

import { apiError } from '../http/errors.ts';

/** Hashes that may wait; past it the login is refused with Retry-After instead of answered in a minute. */
const MAX_WAITING = 64;
const RETRY_AFTER_S = 5;

/**
 * Hashes passwords: bcrypt over a SHA-256 digest, so that nothing is cut at bcrypt's 72 bytes. One hash runs at a time:
 * more would take the processor from every other request of the replica.
 */
export class Passwords {
    readonly #cost: number;
    readonly #queue = pLimit(1);
    readonly #nobody: Promise<string>;

    /** @param cost Bcrypt's, 10 to 14: one more doubles the time */
    constructor(cost: number) {
        this.#cost = cost;
        this.#nobody = bcrypt.hash(digest(randomBytes(32).toString('base64')), cost);
    }

    /** @throws SERVER_BUSY */
    hash(password: string): Promise<string> {
        return this.#enqueue(() => bcrypt.hash(digest(password), this.#cost));
    }

    /**
     * Whether the password fits. For an account that does not exist pass null: the answer is no, in the same time.
     *
     * @throws SERVER_BUSY
     */
    verify(password: string, hash: string | null): Promise<boolean> {
        return this.#enqueue(async () => {
            const fits = await bcrypt.compare(digest(password), hash ?? (await this.#nobody));
            return fits && hash !== null;
        });
    }

    /** Whether a hash was made with a lower cost than it would be now. */
    isOutdated(hash: string): boolean {
        return bcrypt.getRounds(hash) < this.#cost;
    }

    #enqueue<T>(work: () => Promise<T>): Promise<T> {
        if (this.#queue.pendingCount >= MAX_WAITING) throw apiError('SERVER_BUSY', { retryAfter: RETRY_AFTER_S });
        return this.#queue(work);
    }
}

const digest = (password: string): string => createHash('sha256').update(password, 'utf8').digest('base64');

import { createHash } from 'node:crypto';

import type { Aggregate } from '../../../src/redis/aggregate.ts';

const DIGEST_BYTES = 16;
const ENTRY_BYTES = 2 * DIGEST_BYTES;
const NOTHING = Buffer.alloc(DIGEST_BYTES);

const digest = (content: Buffer | string): Buffer =>
    createHash('sha256').update(content).digest().subarray(0, DIGEST_BYTES);

const nameOf = ({ kind, id }: Aggregate): Buffer => digest(JSON.stringify([kind, id]));

/**
 * The aggregates of an archive by digests of their names and contents: 64 bytes for each, whatever is in them. Open
 * addressing in one buffer of which half is empty.
 */
export class DigestTable {
    readonly #slots: number;
    readonly #entries: Buffer;

    /** @param size How many aggregates there will be at most */
    constructor(size: number) {
        this.#slots = size * 2 + 1;
        this.#entries = Buffer.alloc(this.#slots * ENTRY_BYTES);
    }

    add(aggregate: Aggregate, line: Buffer): void {
        const name = nameOf(aggregate);
        const at = this.#find(name);
        name.copy(this.#entries, at);
        digest(line).copy(this.#entries, at + DIGEST_BYTES);
    }

    compare(aggregate: Aggregate, line: Buffer): 'added' | 'changed' | 'unchanged' {
        const at = this.#find(nameOf(aggregate));
        if (this.#has(NOTHING, at)) return 'added';
        return this.#has(digest(line), at + DIGEST_BYTES) ? 'unchanged' : 'changed';
    }

    /** Where the entry of that name is, or the empty place where it would be. */
    #find(name: Buffer): number {
        let at = (name.readUInt32BE(0) % this.#slots) * ENTRY_BYTES;
        while (!this.#has(name, at) && !this.#has(NOTHING, at)) at = (at + ENTRY_BYTES) % this.#entries.length;
        return at;
    }

    #has(expected: Buffer, at: number): boolean {
        return this.#entries.compare(expected, 0, DIGEST_BYTES, at, at + DIGEST_BYTES) === 0;
    }
}

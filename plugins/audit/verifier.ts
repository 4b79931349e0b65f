import { genesis, isBefore, link, orderOf, type ChainEnd } from './chain.ts';

import type { ChainState, ChainStore, Head, Seal, Segment, StoredEntry } from './chain-store.ts';
import type { Notary } from './notary.ts';

/** Entries that are read and checked in one go, and that a batch has at most. */
export const BATCH = 500;

/** The first thing that is not as it was sealed. */
export interface Fault {
    id: string;
    reason: 'changed' | 'missing' | 'inserted';
}

/** How far a walk came, and what stopped it. */
interface Walk {
    end: ChainEnd;
    checked: number;
    fault?: Fault;
}

/** An entry and its seal; one of them may be missing. */
interface Pair {
    id: string;
    fields?: Buffer[];
    seal?: Seal;
}

export interface VerifierParts {
    chain: ChainStore;
    notary: Notary;
}

/** Follows chains, and tells where they are broken. */
export class Verifier {
    readonly #parts: VerifierParts;

    constructor(parts: VerifierParts) {
        this.#parts = parts;
    }

    /** From after an entry up to `until`, a batch at a time, and not much further than `most` entries. */
    async walk(tenantId: string, from: ChainEnd, until: string, most = Infinity): Promise<Walk> {
        const { chain } = this.#parts;
        let end = from;
        let checked = 0;
        while (checked < most) {
            const [entries, seals] = await Promise.all([
                chain.entries(tenantId, end.id, until, BATCH),
                chain.seals(tenantId, end.id, until, BATCH),
            ]);
            const pairs = pairsOf(entries, seals);
            if (pairs.length === 0) break;
            for (const pair of pairs) {
                const next = this.#next(tenantId, end, pair);
                if (typeof next === 'string') return { end, checked, fault: { id: pair.id, reason: next } };
                end = next;
                checked++;
            }
        }
        return { end, checked };
    }

    /** Where the oldest entry that is still there joins the chain, past all segments. */
    async walkSegments(tenantId: string, head: Head): Promise<{ start: ChainEnd; fault?: Fault }> {
        let start = genesis(tenantId);
        let { hash: segmentsHash } = start;
        let last = '';
        for (;;) {
            const found = await this.#parts.chain.segments(tenantId, start.id, segmentsHash, BATCH);
            for (const { segment, segmentsHash: next } of found) {
                const fault = this.#faultOf(tenantId, segment, last);
                if (fault) return { start, fault };
                start = { id: segment.id, hash: segment.hash, count: start.count + segment.count };
                [last, segmentsHash] = [segment.id, next];
            }
            if (found.length < BATCH) break;
        }
        // What a head that is not ours says of them is worth nothing; that it is not ours is found out in any case.
        if (!this.#parts.notary.isHead(tenantId, head)) return { start };
        if (last === head.segment) {
            return segmentsHash === head.segmentsHash ? { start } : { start, fault: { id: last, reason: 'changed' } };
        }
        const isMissing = last === '' || isBefore(last, head.segment);
        return {
            start,
            fault: isMissing ? { id: head.segment, reason: 'missing' } : { id: last, reason: 'inserted' },
        };
    }

    /** Whether a head is what was signed, and the last seal the one it tells of. */
    isWhole(tenantId: string, { head, newest }: ChainState): boolean {
        if (!head) return newest.seal === '' && newest.segment === '';
        const isAtEnd = newest.seal === '' ? head.segment === head.id : newest.seal === head.id;
        return isAtEnd && this.#parts.notary.isHead(tenantId, head);
    }

    #next(tenantId: string, end: ChainEnd, { id, fields, seal }: Pair): ChainEnd | Fault['reason'] {
        if (!seal) return 'inserted';
        if (!fields) return 'missing';
        const next = { id, hash: link(end.hash, id, fields), count: end.count + 1 };
        if (seal.hash !== next.hash) return 'changed';
        const { count, signature } = seal;
        if (!signature) return next;
        return count === next.count && this.#parts.notary.isBatch(tenantId, next, signature) ? next : 'changed';
    }

    #faultOf(tenantId: string, segment: Segment, last: string): Fault | null {
        if (!this.#parts.notary.isSegment(tenantId, segment)) return { id: segment.id, reason: 'changed' };
        return segment.after === last ? null : { id: segment.after || segment.id, reason: 'missing' };
    }
}

/** Side by side, in their order, as far as both were read. */
function pairsOf(entries: StoredEntry[], seals: [string, Seal][]): Pair[] {
    const pairs = new Map<string, Pair>();
    for (const [id, fields] of entries) pairs.set(id, { id, fields });
    for (const [id, seal] of seals) pairs.set(id, { ...pairs.get(id), id, seal });
    const ends = [entries, seals].flatMap((list) => (list.length < BATCH ? [] : [list.at(-1)?.[0] ?? '']));
    return [...pairs.values()]
        .filter(({ id }) => ends.every((end) => !isBefore(end, id)))
        .toSorted((one, other) => (orderOf(one.id) < orderOf(other.id) ? -1 : 1));
}

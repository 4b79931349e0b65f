import type { Head, Segment } from './chain-store.ts';
import type { ChainEnd } from './chain.ts';
import type { Signature, Signatures } from './signatures.ts';

export type Unsigned<T extends Signature> = Omit<T, keyof Signature>;

/** Signs what the chain of a tenant says of itself, and knows its signatures again. */
export class Notary {
    readonly #signatures: Signatures;

    constructor(signatures: Signatures) {
        this.#signatures = signatures;
    }

    head(tenantId: string, { id, hash, count, segment, segmentsHash }: Unsigned<Head>): Head {
        const head = { id, hash, count, segment, segmentsHash };
        return { ...head, ...this.#signatures.sign(headParts(tenantId, head)) };
    }

    segment(tenantId: string, segment: Unsigned<Segment>): Segment {
        return { ...segment, ...this.#signatures.sign(segmentParts(tenantId, segment)) };
    }

    batch(tenantId: string, end: ChainEnd): Signature {
        return this.#signatures.sign(batchParts(tenantId, end));
    }

    /** A head whose key is not known is worth nothing: all that stands below it rests upon it. */
    isHead(tenantId: string, head: Head): boolean {
        return this.#signatures.fits(headParts(tenantId, head), head) === true;
    }

    /** One whose key was taken out rests upon the head. */
    isSegment(tenantId: string, segment: Segment): boolean {
        return this.#signatures.fits(segmentParts(tenantId, segment), segment) !== false;
    }

    /** The same. */
    isBatch(tenantId: string, end: ChainEnd, signature: Signature): boolean {
        return this.#signatures.fits(batchParts(tenantId, end), signature) !== false;
    }

    /** Whether it was signed with the newest key. */
    isCurrent(head: Head): boolean {
        return this.#signatures.isCurrent(head);
    }
}

const headParts = (tenantId: string, { id, hash, count, segment, segmentsHash }: Unsigned<Head>) => [
    'head',
    tenantId,
    id,
    hash,
    count,
    segment,
    segmentsHash,
];

const segmentParts = (tenantId: string, { id, after, first, count, hash }: Unsigned<Segment>) => [
    'segment',
    tenantId,
    id,
    after,
    first,
    count,
    hash,
];

const batchParts = (tenantId: string, { id, hash, count }: ChainEnd) => ['batch', tenantId, id, hash, count];

import { after } from './chain.ts';
import { BATCH, type Fault, type Verifier } from './verifier.ts';

import type { ChainStore, Head } from './chain-store.ts';
import type { Notary } from './notary.ts';
import type { Logger } from '../../src/telemetry/logger.ts';

const DAY_MS = 24 * 3600 * 1000;
/** Of one tenant in one round: a year that nobody has trimmed. */
const MOST_CUTS = 400;

export interface TrimmerParts {
    chain: ChainStore;
    notary: Notary;
    verifier: Verifier;
    logger: Logger;
}

/** Removes entries that are older than they have to be, and leaves signed segments in their place. */
export class Trimmer {
    readonly #parts: TrimmerParts;

    constructor(parts: TrimmerParts) {
        this.#parts = parts;
    }

    async trim(tenantId: string, days: number): Promise<void> {
        for (let n = 0; n < MOST_CUTS; n++) {
            if (!(await this.#cut(tenantId, days))) return;
        }
    }

    /** Whether something was trimmed. What was altered stays: with it would go what tells of that. */
    async #cut(tenantId: string, days: number): Promise<boolean> {
        const { chain, notary, verifier } = this.#parts;
        const part = await chain.findEnd(tenantId, days * DAY_MS, DAY_MS, BATCH);
        if (!part) return false;
        const state = await chain.read(tenantId);
        const { head } = state;
        if (!head || !verifier.isWhole(tenantId, state)) return this.#refuse(tenantId, head);
        const { start, fault } = await verifier.walkSegments(tenantId, head);
        if (fault) return this.#refuse(tenantId, head, fault);
        const walk = await verifier.walk(tenantId, start, part.last);
        if (walk.fault || walk.end.id !== part.last) return this.#refuse(tenantId, head, walk.fault);
        const { id, hash, count } = walk.end;
        const body = { id, after: head.segment, first: part.first, count: count - start.count, hash };
        const segment = notary.segment(tenantId, body);
        return chain.cut(tenantId, head, { segment, next: after(id) }, (segmentsHash) =>
            notary.head(tenantId, { ...head, segment: id, segmentsHash }),
        );
    }

    async #refuse(tenantId: string, head: Head | null, fault?: Fault): Promise<false> {
        const { chain, logger } = this.#parts;
        // Or somebody else has trimmed it meanwhile.
        const isAsItWas = (await chain.read(tenantId)).head?.segment === head?.segment;
        if (isAsItWas) logger.error({ module: 'audit', tenantId, fault }, 'The audit was altered; it is not trimmed');
        return false;
    }
}

import { genesis, isBefore, link } from './chain.ts';
import { BATCH, type Verifier } from './verifier.ts';

import type { Batch, ChainStore, Head, StoredEntry } from './chain-store.ts';
import type { Notary } from './notary.ts';
import type { Logger } from '../../src/telemetry/logger.ts';

/** Of one tenant in one round, so that the others get their turn. */
const MOST_BATCHES = 100;

export interface SealerParts {
    chain: ChainStore;
    notary: Notary;
    verifier: Verifier;
    logger: Logger;
}

/** Seals entries of the audit, batch by batch. */
export class Sealer {
    readonly #parts: SealerParts;

    constructor(parts: SealerParts) {
        this.#parts = parts;
    }

    /** Whether nothing is left to be sealed of a tenant. Of many that seal at once, one seals each batch. */
    async seal(tenantId: string): Promise<boolean> {
        for (let n = 0; n < MOST_BATCHES; n++) {
            if (!(await this.#sealBatch(tenantId))) return true;
        }
        return false;
    }

    /** Signs the end of a chain with the newest key, before the one that it was signed with is taken out. */
    async renew(tenantId: string): Promise<void> {
        const { chain, notary } = this.#parts;
        const head = await this.#headOf(tenantId);
        if (head === null || notary.isCurrent(head)) return;
        await chain.seal(tenantId, head, { seals: [], head: notary.head(tenantId, head) });
    }

    /** Whether there was something to seal; a sealer that comes too late finds out by the next batch. */
    async #sealBatch(tenantId: string): Promise<boolean> {
        const { chain } = this.#parts;
        const state = await chain.read(tenantId);
        const start = state.head ?? genesis(tenantId);
        if (state.newest.entry === '' || !isBefore(start.id, state.newest.entry)) return false;
        if (!this.#parts.verifier.isWhole(tenantId, state)) return this.#refuse(tenantId);
        const entries = await chain.entries(tenantId, start.id, '+', BATCH);
        if (entries.length === 0) return false;
        const batch = this.#batchOf(tenantId, state.head, entries);
        const isOurs = await chain.seal(tenantId, state.head, batch);
        if (isOurs) this.#log(tenantId, batch);
        return isOurs || (await chain.read(tenantId)).head?.mac !== state.head?.mac;
    }

    async #headOf(tenantId: string): Promise<Head | null> {
        const state = await this.#parts.chain.read(tenantId);
        if (this.#parts.verifier.isWhole(tenantId, state)) return state.head;
        this.#refuse(tenantId);
        return null;
    }

    #batchOf(tenantId: string, head: Head | null, entries: StoredEntry[]): Batch {
        const { notary } = this.#parts;
        const none = genesis(tenantId);
        let end = head ?? none;
        const seals = entries.map(([id, fields]) => {
            end = { id, hash: link(end.hash, id, fields), count: end.count + 1 };
            return { id, seal: { hash: end.hash } };
        });
        const { segment = '', segmentsHash = none.hash } = head ?? {};
        const last = { id: end.id, seal: { hash: end.hash, count: end.count, signature: notary.batch(tenantId, end) } };
        return {
            seals: [...seals.slice(0, -1), last],
            head: notary.head(tenantId, { ...end, segment, segmentsHash }),
        };
    }

    /** What is told here is kept elsewhere: who puts Redis back to an earlier state does not reach it. */
    #log(tenantId: string, { head: { id, hash, count } }: Batch): void {
        this.#parts.logger.info({ module: 'audit', tenantId, id, hash, count }, 'audit sealed');
    }

    /** To seal what follows would give it the look of being whole. */
    #refuse(tenantId: string): false {
        this.#parts.logger.error({ module: 'audit', tenantId }, 'The audit was altered; nothing more of it is sealed');
        return false;
    }
}

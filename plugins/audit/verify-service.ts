import { isBefore, type ChainEnd } from './chain.ts';
import { apiError } from '../../src/http/errors.ts';
import { audited } from '../../src/redis/outbox.ts';

import type { ChainState, ChainStore, Head } from './chain-store.ts';
import type { AuditStore } from './store.ts';
import type { Fault, Verifier } from './verifier.ts';
import type { AppendOutbox } from '../../src/redis/append-outbox.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import type { Actor } from '../../src/types/actor.ts';

/** How many entries are checked for one request; some more, to the end of a batch. */
const MOST_CHECKED = 100_000;
/** How often it is begun anew when entries are trimmed meanwhile. */
const TRIES = 3;

/** What was found out about the audit of a tenant. */
export interface Verification {
    valid: boolean;
    checked: number;
    /** Entries that no hash stands for yet. */
    unsealed: number;
    firstBad?: Fault;
    /** Leads on, where not all was checked; null at the end. */
    cursor: string | null;
}

export interface VerifyParts {
    store: AuditStore;
    chain: ChainStore;
    verifier: Verifier;
    append: AppendOutbox;
    logger: Logger;
    /** MOST_CHECKED unless given. */
    most?: number;
}

/** Says whether the audit is what was written. */
export class VerifyService {
    readonly #parts: VerifyParts;

    constructor(parts: VerifyParts) {
        this.#parts = parts;
    }

    /** @throws INVALID_CURSOR */
    async verify(actor: Actor, cursor?: string): Promise<Verification> {
        const { tenantId } = actor;
        const place = cursor === undefined ? null : this.#parts.store.openPlace(tenantId, cursor);
        const verification = await this.#patiently(tenantId, place);
        const { valid, checked, firstBad } = verification;
        const details = { valid, checked, ...(firstBad && { firstBad }) };
        const entry = { action: 'audit.verify', resource: 'audit', resourceId: tenantId, result: 'success', details };
        await this.#parts.append(tenantId, { audit: [audited(actor, entry)] });
        if (!valid) this.#parts.logger.error({ module: 'audit', tenantId, firstBad }, 'The audit was altered');
        return verification;
    }

    async #patiently(tenantId: string, place: ChainEnd | null, tries = TRIES): Promise<Verification> {
        const state = await this.#parts.chain.read(tenantId);
        const verification = await this.#check(tenantId, state, place);
        if (verification.valid || tries === 1) return verification;
        const now = await this.#parts.chain.read(tenantId);
        return now.head?.segment === state.head?.segment ? verification : this.#patiently(tenantId, place, tries - 1);
    }

    async #check(tenantId: string, state: ChainState, place: ChainEnd | null): Promise<Verification> {
        const { head, newest, length } = state;
        if (!head) {
            const id = newest.seal || newest.segment;
            return id === '' ? unbegun(length) : found({ id, reason: 'missing' }, 0, length);
        }
        const { start, fault } = await this.#parts.verifier.walkSegments(tenantId, head);
        const unsealed = Math.max(0, length - (head.count - start.count));
        if (fault) return found(fault, 0, unsealed);
        if (place && isBefore(place.id, start.id)) throw apiError('INVALID_CURSOR');
        const { fault: bad, ...rest } = await this.#follow(tenantId, { ...state, head }, start, place ?? start);
        return bad ? found(bad, rest.checked, unsealed) : { ...sound(rest.checked, unsealed), cursor: rest.cursor };
    }

    /** @param start Where the oldest entry joins the chain; `from` is there or further on */
    async #follow(tenantId: string, state: ChainState & { head: Head }, start: ChainEnd, from: ChainEnd) {
        const { store, verifier, most = MOST_CHECKED } = this.#parts;
        const { head, newest } = state;
        // What a head that is not ours says of the end is worth nothing.
        const isWhole = verifier.isWhole(tenantId, state);
        const until = isWhole ? head.id : newest.seal || start.id;
        const { end, checked, fault } = await verifier.walk(tenantId, from, until, most);
        if (fault) return { checked, fault, cursor: null };
        if (isWhole && checked >= most && end.id !== head.id) {
            return { checked, fault: null, cursor: store.sealPlace(tenantId, end) };
        }
        return {
            checked,
            fault: isWhole ? faultAtEnd(head, end) : faultOfHead(newest.seal, head, start),
            cursor: null,
        };
    }
}

const sound = (checked: number, unsealed: number): Verification => ({ valid: true, checked, unsealed, cursor: null });
const unbegun = (length: number): Verification => sound(0, length);
const found = (firstBad: Fault, checked: number, unsealed: number): Verification => ({
    valid: false,
    checked,
    unsealed,
    firstBad,
    cursor: null,
});

/** Whether the chain ends where the head says, and with that. */
function faultAtEnd(head: Head, end: ChainEnd): Fault | null {
    if (end.id !== head.id) return { id: head.id, reason: 'missing' };
    return end.hash === head.hash && end.count === head.count ? null : { id: head.id, reason: 'changed' };
}

/** The head is not what was signed, or not of the last seal. */
function faultOfHead(lastSeal: string, { id }: Head, start: ChainEnd): Fault {
    const last = lastSeal || start.id;
    if (last === id) return { id, reason: 'changed' };
    return isBefore(last, id) ? { id, reason: 'missing' } : { id: last, reason: 'inserted' };
}

import { apiError } from '../../src/http/errors.ts';
import { audited } from '../../src/redis/outbox.ts';

import type { Session } from './api.ts';
import type { SessionStore } from './session-store.ts';
import type { Actor, Caller } from '../../src/types/actor.ts';

/** Whoever has more sees those that live longest, and can end the others all at once. */
const MOST_LISTED = 100;

/** A session as its user sees it. */
export interface PublicSession extends Pick<Session, 'id' | 'ipAddress' | 'userAgent' | 'createdAt' | 'expiresAt'> {
    lastSeenAt: string;
    /** It is the one that asks. */
    current: boolean;
}

/** A user's own sessions. */
export class SessionService {
    readonly #store: SessionStore;

    constructor(store: SessionStore) {
        this.#store = store;
    }

    async list(actor: Actor): Promise<PublicSession[]> {
        const sessions = await this.#store.list(actor, MOST_LISTED);
        return sessions.map(({ id, ipAddress, userAgent, createdAt, lastSeenAt, expiresAt }) => ({
            id,
            ipAddress,
            userAgent,
            createdAt,
            lastSeenAt: lastSeenAt ?? createdAt,
            expiresAt,
            current: id === actor.sessionId,
        }));
    }

    /** @throws SESSION_NOT_FOUND */
    async end(actor: Actor, sessionId: string): Promise<number> {
        const ended = await this.#store.endSome(actor, { only: sessionId }, sessionEnded(actor));
        if (ended === 0) throw apiError('SESSION_NOT_FOUND');
        return ended;
    }

    /** Ends all but the one that asks; how many there were. */
    endOthers(actor: Actor): Promise<number> {
        return this.#store.endSome(actor, { except: actor.sessionId }, sessionEnded(actor));
    }
}

/** The audit entry of any session that is ended. */
export const sessionEnded = (caller: Caller & { userId: string }) =>
    audited(caller, { action: 'auth.session_end', resource: 'session', resourceId: '', result: 'success' });

import { endedSessions, type SessionStore, type UserPlace } from './session-store.ts';
import { tenantKey } from '../../src/redis/keys.ts';
import { outboxKeys, outboxLists, type AuditEntry, type Outbox } from '../../src/redis/outbox.ts';
import { refuseWhileRestoring } from '../../src/redis/restoring.ts';

import type { Datastore, RunScript } from '../../src/redis/datastore.ts';
import type { UserService } from '../users/api.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);

export interface PasswordTerms {
    /** The hash it may replace. */
    verified?: string;
    /** The reset token that must be good. */
    digest?: string;
    /** The session that goes on; without one all end, also those not yet known. */
    keepSession?: string;
    outbox: Outbox;
    /** What the audit says of each session that ends. */
    ended: AuditEntry;
}

/** The passwords of users, and the tokens by which they are reset. */
export class PasswordStore {
    readonly #users: UserService;
    readonly #sessions: SessionStore;
    readonly #redis: Datastore['redis'];
    readonly #change: RunScript;
    readonly #addResetToken: RunScript;

    constructor(store: Datastore, users: UserService, sessions: SessionStore) {
        this.#redis = store.redis;
        this.#users = users;
        this.#sessions = sessions;
        this.#change = store.script(lua('change-password'));
        this.#addResetToken = store.script(lua('add-reset-token'));
    }

    /** Changes a password on those terms; how many sessions ended, or null where the terms are not met. */
    async change(place: UserPlace, passwordHash: string, terms: PasswordTerms): Promise<number | null> {
        const { verified = '', digest = '', keepSession = '', outbox, ended } = terms;
        const keys = [
            this.#users.key(place.tenantId, place.userId),
            ...this.#sessions.keysOf(place),
            resetKey(place),
            ...outboxKeys(place.tenantId),
        ];
        const change = JSON.stringify({ sessions: endedSessions(place, ended), ...outboxLists(outbox) });
        const count = (await this.#change(keys, [verified, digest, passwordHash, keepSession, change])) as number;
        return count < 0 ? null : count;
    }

    /** Keeps a reset token; when it expires in milliseconds since the epoch, or null when there are `most` already. */
    async addResetToken(
        place: UserPlace,
        { digest, lifetimeMs, most = 0 }: { digest: string; lifetimeMs: number; most?: number },
        outbox: Outbox,
    ): Promise<number | null> {
        const keys = [resetKey(place), ...outboxKeys(place.tenantId)];
        const lists = JSON.stringify(outboxLists(outbox));
        const expiry = (await this.#addResetToken(keys, [digest, lifetimeMs, most, lists])) as number;
        return expiry === 0 ? null : expiry;
    }

    /** @throws TENANT_RESTORING */
    async hasResetToken(place: UserPlace, digest: string): Promise<boolean> {
        await refuseWhileRestoring(this.#redis, place.tenantId);
        return (await this.#redis.zscore(resetKey(place), digest)) !== null;
    }

    /** Removes the reset tokens of a user. */
    async purge(tenantId: string, userId: string): Promise<void> {
        await this.#redis.unlink(resetKey({ tenantId, userId }));
    }
}

const resetKey = ({ tenantId, userId }: UserPlace): string => tenantKey(tenantId, 'user', userId, 'resets');

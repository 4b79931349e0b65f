import type { RecordBase } from '../../src/redis/codec.ts';
import type { Actor } from '../../src/types/actor.ts';

/** One login of a user, alive as long as its record. */
export interface Session extends RecordBase {
    userId: string;
    /** How often it was refreshed: the refresh token that is good now carries this number. */
    counter: number;
    refreshedAt: string | null;
    ipAddress: string;
    userAgent: string;
    expiresAt: string;
    /** Not more exact than a minute; null until the first request. */
    lastSeenAt: string | null;
}

/** Lets somebody choose a password anew, once. */
export interface ResetToken {
    token: string;
    expiresAt: string;
}

/** The port of the auth feature. */
export interface AuthPort {
    /** A token by which a user of the actor's tenant resets the password, to be handed over. @throws USER_NOT_FOUND */
    createResetToken(actor: Actor, userId: string): Promise<ResetToken>;
    /**
     * For what only the user in person may do: the password once more.
     *
     * @throws INVALID_CREDENTIALS, ACCOUNT_DELAYED, SERVER_BUSY
     */
    checkPassword(actor: Actor, password: string): Promise<void>;
}

declare module '@hapi/hapi' {
    interface PluginProperties {
        auth: AuthPort;
    }
}

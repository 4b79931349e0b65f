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
}

/** The port of the auth feature. */
export interface AuthPort {
    /** For what only the user in person may do: the password once more. @throws INVALID_CREDENTIALS, SERVER_BUSY */
    checkPassword(actor: Actor, password: string): Promise<void>;
}

declare module '@hapi/hapi' {
    interface PluginProperties {
        auth: AuthPort;
    }
}

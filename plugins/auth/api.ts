import type { RecordBase } from '../../src/redis/codec.ts';

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

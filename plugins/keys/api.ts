import type { BackedUp } from '../../src/redis/aggregate.ts';
import type { RecordBase } from '../../src/redis/codec.ts';

/** A service API key as it is stored: of its text only the digest. */
export interface ApiKey extends RecordBase {
    /** Whose key it is. */
    userId: string;
    name: string;
    /** Permissions; a request has those that the user's role permits at that moment as well. */
    scopes: string[];
    /** Besides the user's own limit; null: that alone. */
    requestsPerMinute: number | null;
    /** The key is refused from then on. It is not deleted: its user should see why. */
    validUntil: string | null;
    lastUsedAt: string | null;
    hash: string;
    /** The digest from before the last rotation, and how long it is taken still. */
    previousHash: string | null;
    previousUntil: string | null;
}

declare module '@hapi/hapi' {
    interface PluginProperties {
        keys: BackedUp;
    }
}

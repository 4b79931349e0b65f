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

/** What a pass is judged by, for a script that includes `admission.lua` as `admit-key.lua` does. */
export interface PassJudgement {
    /**
     * Tenant, what the keys of users begin with, the tenant's quota of the month, violations, and what the keys of
     * users' rates begin with; then what the keys of users' rates on the route begin with, if it has a limit.
     */
    keys: string[];
    /** Tiers, route, limit and window of the route, digest of the pass, 1 for a route that the quota leaves out. */
    args: (string | number)[];
}

/** A well-formed pass, of which nobody knows yet whether it is good. */
export interface Pass {
    tenantId: string;
    id: string;
    digest: string;
    /**
     * Runs the script that judges it, and uses it if it is admitted.
     *
     * @returns What `admission` does, code 0 for a pass that opens nothing; of one that is admitted, after {code, role,
     *   tier, rate}: whose it is by id and by name, and when it expires in epoch milliseconds
     */
    judge(judgement: PassJudgement): Promise<unknown>;
}

/**
 * Tokens of another feature, with which anybody may do some of what their user may, on routes of a strategy of the
 * scheme `credential` that has them as its option `passes`.
 */
export interface Passes {
    /** What their texts begin with. */
    prefix: string;
    /** What they permit, of what their user is permitted. */
    permissions: string[];
    /** Reads one; null: it has another form, or is not for what is asked. */
    open(text: string, params: Record<string, string>): Pass | null;
}

/** The options of the scheme `credential`. */
export interface CredentialOptions {
    passes?: Passes;
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
    /**
     * Whether what an actor was admitted with still is: for what goes on long after its request. Nothing is counted.
     *
     * @returns A mark that is another one when the actor may do something else than before, or by another secret; null
     *   when session, key, user or tenant are out of standing
     */
    standing(actor: Actor): Promise<string | null>;
}

declare module '@hapi/hapi' {
    interface PluginProperties {
        auth: AuthPort;
    }
}

import { Collection } from '../../src/redis/collection.ts';
import { PLATFORM, tenantKey } from '../../src/redis/keys.ts';
import { outboxKeys, outboxLists, type Outbox } from '../../src/redis/outbox.ts';
import { requestsPerMinute, type TenantService } from '../tenants/api.ts';

import type { Session } from './api.ts';
import type { RateLimit, RateState } from '../../src/http/rate-limit.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';
import type { AccessClaims } from '../../src/security/access-tokens.ts';
import type { RefreshClaims } from '../../src/security/refresh-tokens.ts';
import type { Vault } from '../../src/security/vault.ts';
import type { UserService } from '../users/api.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);
const LIMITS_BY_TIER = JSON.stringify(requestsPerMinute);

/** Limit, remaining, reset (epoch s), window (s), wait (ms) */
type RateReply = [number, number, number, number, number];

export interface Verdict {
    code: number;
    role: string;
    tier: string;
    /** Names of the providers that the user has an API key of. */
    providerKeys: string[];
    rate: RateState | undefined;
    /** Milliseconds to wait, when over a limit. */
    wait: number;
}

/** A session to be ended, with the access token to be revoked where one is at hand. */
export interface EndedSession {
    tenantId: string;
    userId: string;
    sessionId: string;
    tokenId?: string;
    tokenExpiresAt?: string;
}

export interface RefreshTerms {
    /** How long a token that was used gives its successor again. */
    graceMs: number;
    /** How long a session lives from now on. */
    lifetimeMs: number;
    /** What is written when the refresh succeeds. */
    refreshed: Outbox;
    /** What is written when it shows that a token was used twice. */
    reused: Outbox;
}

/** Sessions, revoked tokens and rates, in the tenant's slot; the rates of IP addresses in the platform's. */
export class AuthStore {
    readonly sessions: Collection<Session>;
    readonly #tenants: TenantService;
    readonly #users: UserService;
    readonly #admit: RunScript;
    readonly #limit: RunScript;
    readonly #refresh: RunScript;
    readonly #end: RunScript;

    constructor(store: Datastore, vault: Vault, tenants: TenantService, users: UserService) {
        this.#tenants = tenants;
        this.#users = users;
        this.sessions = new Collection<Session>(store, vault, {
            name: 'session',
            owner: 'userId',
            fields: {
                userId: 'text',
                counter: 'number',
                refreshedAt: 'time',
                ipAddress: 'text',
                userAgent: 'text',
                expiresAt: 'time',
            },
            orders: { expiry: { by: 'expiresAt', index: (userId) => ['user', userId, 'sessions'] } },
            notFound: 'SESSION_ENDED',
        });
        this.#admit = store.script(lua('admit'));
        this.#limit = store.script(lua('limit'));
        this.#refresh = store.script(lua('refresh-session'));
        this.#end = store.script(lua('end-session'));
    }

    /** Decides about a request with a verified token; `own` is the limit of its route, counted under `bucket`. */
    async admit({ tid, sub, sid, jti }: AccessClaims, bucket: string, own?: RateLimit): Promise<Verdict> {
        const keys = [
            tenantKey(tid, 'revoked', jti),
            this.sessions.key(tid, sid),
            this.#tenants.key(tid),
            this.#users.key(tid, sub),
            tenantKey(tid, 'rate', 'user', sub),
            ...(own ? [tenantKey(tid, 'rate', bucket, sub)] : []),
        ];
        const reply = await this.#admit(keys, [sub, LIMITS_BY_TIER, own?.limit ?? 0, own?.window ?? 0]);
        const [code, role = '', tier = '', rate, names = ''] = reply as [number, string?, string?, RateReply?, string?];
        const providerKeys = names.split(',').filter((name) => name !== '');
        return { code, role, tier, providerKeys, rate: rate && rateState(rate), wait: rate?.[4] ?? 0 };
    }

    /** Counts a request of an IP address. */
    async limit(bucket: string, ipAddress: string, { limit, window }: RateLimit) {
        const reply = await this.#limit([tenantKey(PLATFORM, 'rate', bucket, ipAddress)], [limit, window]);
        const [within, rate] = reply as [number, RateReply];
        return { isWithin: within === 1, rate: rateState(rate), wait: rate[4] };
    }

    /** Takes the next step of a session's refresh counter; the codes are the script's. */
    async refresh(claims: RefreshClaims, { graceMs, lifetimeMs, refreshed, reused }: RefreshTerms) {
        const { tenantId, userId, sessionId, counter } = claims;
        const keys = [
            this.sessions.key(tenantId, sessionId),
            this.#tenants.key(tenantId),
            this.#users.key(tenantId, userId),
            this.sessions.orderKey({ tenantId, ownerId: userId }, 'expiry'),
            ...outboxKeys(tenantId),
        ];
        const lists = JSON.stringify({ refreshed: outboxLists(refreshed), reused: outboxLists(reused) });
        const reply = await this.#refresh(keys, [sessionId, userId, counter, graceMs, lifetimeMs, lists]);
        const [code, next = 0, user = [], tenant = []] = reply as [number, number?, string[]?, string[]?];
        return { code, counter: next, user, tenant };
    }

    /** Ends a session, which may have ended before. */
    async end({ tenantId, userId, sessionId, tokenId, tokenExpiresAt }: EndedSession, outbox: Outbox): Promise<void> {
        const keys = [
            this.sessions.key(tenantId, sessionId),
            this.sessions.orderKey({ tenantId, ownerId: userId }, 'expiry'),
            ...outboxKeys(tenantId),
            ...(tokenId === undefined ? [] : [tenantKey(tenantId, 'revoked', tokenId)]),
        ];
        const expiry = tokenExpiresAt === undefined ? 0 : Date.parse(tokenExpiresAt);
        await this.#end(keys, [sessionId, expiry, JSON.stringify(outboxLists(outbox))]);
    }
}

const rateState = ([limit, remaining, reset, window]: RateReply): RateState => ({ limit, remaining, reset, window });

import { quotaMonth, type QuotaMonth } from '../../src/quota-month.ts';
import { Collection } from '../../src/redis/collection.ts';
import { PLATFORM, tenantKey } from '../../src/redis/keys.ts';
import { outboxKeys, outboxLists, type Outbox } from '../../src/redis/outbox.ts';
import { figuresByTier, type TenantService } from '../tenants/api.ts';

import type { Session } from './api.ts';
import type { Clock } from '../../src/clock.ts';
import type { RateLimit, RateState } from '../../src/http/rate-limit.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';
import type { AccessClaims } from '../../src/security/access-tokens.ts';
import type { ApiKeyText } from '../../src/security/api-keys.ts';
import type { RefreshClaims } from '../../src/security/refresh-tokens.ts';
import type { Vault } from '../../src/security/vault.ts';
import type { UserService } from '../users/api.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);
const LIMITS_BY_TIER = figuresByTier('requestsPerMinute', 'requestsPerMonth');

/** Limit, remaining, reset (epoch s), window (s), wait (ms) */
type RateReply = [number, number, number, number, number];

/** What the two admission scripts answer with; the last two are used and limit of the quota. */
type AdmitReply = [code: number, role?: string, tier?: string, rate?: RateReply, used?: unknown, limit?: unknown];
type KeyReply = [
    code: number,
    role: string,
    tier: string,
    rate: RateReply,
    userId: string,
    username: string,
    scopes: string,
    expiry: string,
];

export interface Verdict {
    code: number;
    role: string;
    tier: string;
    rate: RateState | undefined;
    /** Milliseconds to wait, when over a limit or the quota. */
    wait: number;
    /** Of the month, when over the quota. */
    quota?: { used: number; limit: number; resetsAt: number };
}

/** What admits a request besides its credential. */
export interface RouteUse {
    /** What the route is counted under. */
    bucket: string;
    /** The limit of the route itself. */
    own?: RateLimit | undefined;
}

/** Whose key it is that was admitted, and what it may do. */
export interface KeyHolder {
    userId: string;
    username: string;
    scopes: string[];
    expiresAt: number | null;
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
    readonly #clock: Clock;
    readonly #admit: RunScript;
    readonly #admitKey: RunScript;
    readonly #limit: RunScript;
    readonly #refresh: RunScript;
    readonly #end: RunScript;

    constructor(store: Datastore, vault: Vault, tenants: TenantService, users: UserService, clock: Clock) {
        this.#tenants = tenants;
        this.#users = users;
        this.#clock = clock;
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
        this.#admitKey = store.script(lua('admit-key'));
        this.#limit = store.script(lua('limit'));
        this.#refresh = store.script(lua('refresh-session'));
        this.#end = store.script(lua('end-session'));
    }

    /** Decides about a request with a verified token. */
    async admit({ tid, sub, sid, jti }: AccessClaims, { bucket, own }: RouteUse): Promise<Verdict> {
        const month = quotaMonth(this.#clock());
        const keys = [
            this.#tenants.key(tid),
            this.#users.key(tid, sub),
            tenantKey(tid, 'quota', month.name),
            tenantKey(tid, 'violations'),
            tenantKey(tid, 'rate', 'user', sub),
            tenantKey(tid, 'revoked', jti),
            this.sessions.key(tid, sid),
            ...(own ? [tenantKey(tid, 'rate', bucket, sub)] : []),
        ];
        const reply = await this.#admit(keys, [LIMITS_BY_TIER, bucket, own?.limit ?? 0, own?.window ?? 0, sub]);
        return this.#verdict(reply as AdmitReply, month);
    }

    /** Decides about a request with a service API key. */
    async admitKey({ tenantId, keyId, digest }: ApiKeyText, { bucket, own }: RouteUse) {
        const month = quotaMonth(this.#clock());
        const keys = [
            this.#tenants.key(tenantId),
            this.#users.key(tenantId, ''),
            tenantKey(tenantId, 'quota', month.name),
            tenantKey(tenantId, 'violations'),
            `${tenantKey(tenantId, 'rate', 'user')}:`,
            tenantKey(tenantId, 'key', keyId),
            tenantKey(tenantId, 'rate', 'key', keyId),
            ...(own ? [`${tenantKey(tenantId, 'rate', bucket)}:`] : []),
        ];
        const args = [LIMITS_BY_TIER, bucket, own?.limit ?? 0, own?.window ?? 0, digest];
        const reply = await this.#admitKey(keys, args);
        const verdict = this.#verdict(reply as AdmitReply, month);
        if (verdict.code !== 1) return { verdict };
        const [, , , , userId, username, scopes, expiry] = reply as KeyReply;
        const holder: KeyHolder = {
            userId,
            username,
            scopes: JSON.parse(scopes) as string[],
            expiresAt: expiry === '' ? null : Number(expiry),
        };
        return { verdict, holder };
    }

    #verdict([code, role = '', tier = '', rate, used, limit]: AdmitReply, { endsAt }: QuotaMonth): Verdict {
        const verdict = { code, role, tier, rate: rate && rateState(rate), wait: rate?.[4] ?? 0 };
        if (code !== -4) return verdict;
        const quota = { used: Number(used), limit: Number(limit), resetsAt: endsAt };
        return { ...verdict, wait: endsAt - this.#clock(), quota };
    }

    /** Counts a request of an IP address. */
    async limit(bucket: string, ipAddress: string, { limit, window }: RateLimit) {
        const keys = [tenantKey(PLATFORM, 'rate', bucket, ipAddress), tenantKey(PLATFORM, 'violations')];
        const reply = await this.#limit(keys, [limit, window, bucket, ipAddress]);
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

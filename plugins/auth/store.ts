import {
    namesIn,
    rateState,
    type AdmitReply,
    type KeyReply,
    type RateReply,
    type TokenReply,
    type Verdict,
} from './verdict.ts';
import { quotaMonth, type QuotaMonth } from '../../src/quota-month.ts';
import { Collection } from '../../src/redis/collection.ts';
import { PLATFORM, tenantKey } from '../../src/redis/keys.ts';
import { outboxKeys, outboxLists, type AuditEntry, type Outbox } from '../../src/redis/outbox.ts';
import { figuresByTier, type TenantService } from '../tenants/api.ts';

import type { Session } from './api.ts';
import type { Clock } from '../../src/clock.ts';
import type { RateLimit } from '../../src/http/rate-limit.ts';
import type { RecordBase } from '../../src/redis/codec.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';
import type { AccessClaims } from '../../src/security/access-tokens.ts';
import type { ApiKeyText } from '../../src/security/api-keys.ts';
import type { RefreshClaims } from '../../src/security/refresh-tokens.ts';
import type { Vault } from '../../src/security/vault.ts';
import type { User, UserService } from '../users/api.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);
const LIMITS_BY_TIER = figuresByTier('requestsPerMinute', 'requestsPerMonth');

const PURGE_BATCH = 100;

/** What admits a request besides its credential. */
export interface RouteUse {
    /** What the route is counted under. */
    bucket: string;
    /** The limit of the route itself. */
    own?: RateLimit | undefined;
    /** It does not count against the quota of the month. */
    isQuotaFree: boolean;
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

/** Where a user is. */
export interface UserPlace {
    tenantId: string;
    userId: string;
}

export type NewSession = Omit<Session, keyof RecordBase> & { id: string };

/** Whose password somebody tries, and from where; `account` is an opaque name. */
export interface Attempt {
    account: string;
    ipAddress: string;
}

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
    readonly #start: RunScript;
    readonly #list: RunScript;
    readonly #endSome: RunScript;
    readonly #changePassword: RunScript;
    readonly #addResetToken: RunScript;
    readonly #takeAttempt: RunScript;
    readonly #returnAttempt: RunScript;
    readonly #redis: Datastore['redis'];

    constructor(store: Datastore, vault: Vault, tenants: TenantService, users: UserService, clock: Clock) {
        this.#redis = store.redis;
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
                lastSeenAt: 'time',
            },
            orders: { expiry: { by: 'expiresAt', index: (userId) => ['user', userId, 'sessions'] } },
            notFound: 'SESSION_ENDED',
        });
        this.#admit = store.script(lua('admit'));
        this.#admitKey = store.script(lua('admit-key'));
        this.#limit = store.script(lua('limit'));
        this.#refresh = store.script(lua('refresh-session'));
        this.#end = store.script(lua('end-session'));
        this.#start = store.script(lua('start-session'));
        this.#list = store.script(lua('list-sessions'));
        this.#endSome = store.script(lua('end-sessions'));
        this.#changePassword = store.script(lua('change-password'));
        this.#addResetToken = store.script(lua('add-reset-token'));
        this.#takeAttempt = store.script(lua('take-attempt'));
        this.#returnAttempt = store.script(lua('return-attempt'));
    }

    /** Decides about a request with a verified token. */
    async admit({ tid, sub, sid, jti }: AccessClaims, { bucket, own, isQuotaFree }: RouteUse): Promise<Verdict> {
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
        const args = [LIMITS_BY_TIER, bucket, own?.limit ?? 0, own?.window ?? 0, sub, isQuotaFree ? 1 : 0];
        const reply = await this.#admit(keys, args);
        const verdict = this.#verdict(reply as AdmitReply, month);
        if (verdict.code !== 1) return verdict;
        const [, , , , providerKeys] = reply as TokenReply;
        return { ...verdict, providerKeys: namesIn(providerKeys) };
    }

    /** Decides about a request with a service API key. */
    async admitKey({ tenantId, keyId, digest }: ApiKeyText, { bucket, own, isQuotaFree }: RouteUse) {
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
        const args = [LIMITS_BY_TIER, bucket, own?.limit ?? 0, own?.window ?? 0, digest, isQuotaFree ? 1 : 0];
        const reply = await this.#admitKey(keys, args);
        const verdict = this.#verdict(reply as AdmitReply, month);
        if (verdict.code !== 1) return { verdict };
        const [, , , , userId, username, scopes, expiry, providerKeys] = reply as KeyReply;
        const holder: KeyHolder = {
            userId,
            username,
            scopes: JSON.parse(scopes) as string[],
            expiresAt: expiry === '' ? null : Number(expiry),
        };
        return { verdict: { ...verdict, providerKeys: namesIn(providerKeys) }, holder };
    }

    #verdict([code, role = '', tier = '', rate, used, limit]: AdmitReply, { endsAt }: QuotaMonth): Verdict {
        const verdict = { code, role, tier, providerKeys: [], rate: rate && rateState(rate), wait: rate?.[4] ?? 0 };
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

    /** Begins a session; whether the user still has the hash that was verified. `rehashed` takes its place. */
    async start(
        tenantId: string,
        session: NewSession,
        { verified, rehashed }: { verified: string; rehashed: string | null },
        outbox: Outbox,
    ): Promise<boolean> {
        const { userId, id, expiresAt } = session;
        const keys = [
            this.sessions.key(tenantId, id),
            this.#users.key(tenantId, userId),
            this.sessions.orderKey({ tenantId, ownerId: userId }, 'expiry'),
            ...outboxKeys(tenantId),
        ];
        const { fields } = this.sessions.draft(tenantId, session).change;
        const change = JSON.stringify({ fields, ...outboxLists(outbox) });
        return (await this.#start(keys, [id, verified, rehashed ?? '', Date.parse(expiresAt), change])) === 1;
    }

    /** The sessions of a user that are alive. */
    async list({ tenantId, userId }: UserPlace, limit: number): Promise<Session[]> {
        const keys = [
            ...this.#sessionKeys({ tenantId, userId }),
            this.#tenants.key(tenantId),
            this.#users.key(tenantId, userId),
        ];
        const found = (await this.#list(keys, [limit])) as string[][];
        return found.map((flat) => this.sessions.decode(flat));
    }

    /** Ends one session of a user, or all but one; how many there were. */
    async endSome(place: UserPlace, which: { only?: string; except?: string }, entry: AuditEntry): Promise<number> {
        const keys = [...this.#sessionKeys(place), ...outboxKeys(place.tenantId)];
        const ended = JSON.stringify(endedSessions(place, entry));
        return (await this.#endSome(keys, [which.only ?? '', which.except ?? '', ended])) as number;
    }

    /** A user with the password hash, or null. */
    async findUser({ tenantId, userId }: UserPlace): Promise<User | null> {
        const hash = await this.#redis.hgetall(this.#users.key(tenantId, userId));
        return Object.keys(hash).length === 0 ? null : this.#users.decode(Object.entries(hash).flat());
    }

    /** Changes a password on those terms; how many sessions ended, or null where the terms are not met. */
    async changePassword(place: UserPlace, passwordHash: string, terms: PasswordTerms): Promise<number | null> {
        const { verified = '', digest = '', keepSession = '', outbox, ended } = terms;
        const keys = [
            this.#users.key(place.tenantId, place.userId),
            ...this.#sessionKeys(place),
            this.#resetKey(place),
            ...outboxKeys(place.tenantId),
        ];
        const change = JSON.stringify({ sessions: endedSessions(place, ended), ...outboxLists(outbox) });
        const count = (await this.#changePassword(keys, [
            verified,
            digest,
            passwordHash,
            keepSession,
            change,
        ])) as number;
        return count < 0 ? null : count;
    }

    /** Keeps a reset token; when it expires in milliseconds since the epoch, or null when there are `most` already. */
    async addResetToken(
        place: UserPlace,
        { digest, lifetimeMs, most = 0 }: { digest: string; lifetimeMs: number; most?: number },
        outbox: Outbox,
    ): Promise<number | null> {
        const keys = [this.#resetKey(place), ...outboxKeys(place.tenantId)];
        const lists = JSON.stringify(outboxLists(outbox));
        const expiry = (await this.#addResetToken(keys, [digest, lifetimeMs, most, lists])) as number;
        return expiry === 0 ? null : expiry;
    }

    async hasResetToken(place: UserPlace, digest: string): Promise<boolean> {
        return (await this.#redis.zscore(this.#resetKey(place), digest)) !== null;
    }

    /** Takes an attempt at a password; milliseconds to wait where there is none to be had. */
    async takeAttempt({ account, ipAddress }: Attempt, most: { account: number; address: number }): Promise<number> {
        const keys = [failureKey('account', account), failureKey('address', ipAddress)];
        return (await this.#takeAttempt(keys, [most.account, most.address])) as number;
    }

    /** Gives an attempt back that did not fail; after a right password the account begins anew. */
    async returnAttempt({ account, ipAddress }: Attempt, wasRight: boolean): Promise<void> {
        const keys = [failureKey('account', account), failureKey('address', ipAddress)];
        await this.#returnAttempt(keys, [wasRight ? 1 : 0]);
    }

    async forgetFailures(account: string): Promise<void> {
        await this.#redis.unlink(failureKey('account', account));
    }

    #sessionKeys({ tenantId, userId }: UserPlace): [order: string, prefix: string] {
        return [this.sessions.orderKey({ tenantId, ownerId: userId }, 'expiry'), `${tenantKey(tenantId, 'session')}:`];
    }

    #resetKey({ tenantId, userId }: UserPlace): string {
        return tenantKey(tenantId, 'user', userId, 'resets');
    }

    /** Removes the sessions of a user; the list of them goes last, so that it can be done again. */
    async purge(tenantId: string, userId: string): Promise<void> {
        const list = this.sessions.orderKey({ tenantId, ownerId: userId }, 'expiry');
        for (;;) {
            const ids = await this.#redis.zrange(list, 0, String(PURGE_BATCH - 1));
            if (ids.length === 0) break;
            await this.#redis.unlink(ids.map((id) => this.sessions.key(tenantId, id)));
            await this.#redis.zrem(list, ids);
        }
        // Those of single routes have expired long ago.
        await this.#redis.unlink(tenantKey(tenantId, 'rate', 'user', userId), this.#resetKey({ tenantId, userId }));
    }
}

const failureKey = (of: 'account' | 'address', id: string): string => tenantKey(PLATFORM, 'failures', of, id);

/** What `end-sessions.lua` tells of each session. */
const endedSessions = ({ userId }: UserPlace, entry: AuditEntry) => ({
    userId,
    audit: outboxLists({ audit: [entry] }).audit[0],
});

import {
    namesIn,
    rateState,
    type AdmitReply,
    type KeyReply,
    type PassReply,
    type RateReply,
    type TokenReply,
    type Verdict,
} from './verdict.ts';
import { quotaMonth, type QuotaMonth } from '../../src/quota-month.ts';
import { PLATFORM, tenantKey } from '../../src/redis/keys.ts';

import type { Pass } from './api.ts';
import type { SessionStore } from './session-store.ts';
import type { Clock } from '../../src/clock.ts';
import type { RateLimit } from '../../src/http/rate-limit.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';
import type { AccessClaims } from '../../src/security/access-tokens.ts';
import type { ApiKeyText } from '../../src/security/api-keys.ts';
import type { Actor } from '../../src/types/actor.ts';
import type { TenantService } from '../tenants/api.ts';
import type { UserService } from '../users/api.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);

/** What admits a request besides its credential. */
export interface RouteUse {
    /** What the route is counted under. */
    bucket: string;
    /** The limit of the route itself. */
    own?: RateLimit | undefined;
    /** It does not count against the quota of the month. */
    isQuotaFree: boolean;
    /** It is admitted while the tenant is being restored; never with a pass. */
    whileRestoring: boolean;
}

/** Whose key it is that was admitted, and what it may do. */
export interface KeyHolder {
    userId: string;
    username: string;
    scopes: string[];
    expiresAt: number | null;
}

/** Whose records decide about a request. */
export interface AdmissionParts {
    tenants: TenantService;
    users: UserService;
    sessions: SessionStore;
    clock: Clock;
}

/** Admission of requests, and their rates: of users in the tenant's slot, of IP addresses in the platform's. */
export class AdmissionStore {
    readonly #parts: AdmissionParts;
    readonly #redis: Datastore['redis'];
    readonly #admit: RunScript;
    readonly #admitKey: RunScript;
    readonly #limit: RunScript;
    readonly #standing: RunScript;

    constructor(store: Datastore, parts: AdmissionParts) {
        this.#redis = store.redis;
        this.#parts = parts;
        this.#admit = store.script(lua('admit'));
        this.#admitKey = store.script(lua('admit-key'));
        this.#limit = store.script(lua('limit'));
        this.#standing = store.script(lua('standing'));
    }

    /** Decides about a request with a verified token. */
    async admit({ tid, sub, sid, jti }: AccessClaims, use: RouteUse): Promise<Verdict> {
        const { bucket, own } = use;
        const { sessions } = this.#parts;
        const month = quotaMonth(this.#parts.clock());
        const keys = [
            ...this.#keys(tid, sub, month),
            sessions.revokedKey(tid, jti),
            sessions.records.key(tid, sid),
            ...(own ? [tenantKey(tid, 'rate', bucket, sub)] : []),
        ];
        const reply = await this.#admit(keys, [...this.#args(use, sub), Number(use.whileRestoring)]);
        const verdict = this.#verdict(reply as AdmitReply, month);
        if (verdict.code !== 1) return verdict;
        const [, , , , providerKeys] = reply as TokenReply;
        return { ...verdict, providerKeys: namesIn(providerKeys) };
    }

    /** Decides about a request with a service API key. */
    async admitKey({ tenantId, keyId, digest }: ApiKeyText, use: RouteUse) {
        const { bucket, own } = use;
        const month = quotaMonth(this.#parts.clock());
        const keys = [
            ...this.#keys(tenantId, '', month),
            tenantKey(tenantId, 'key', keyId),
            tenantKey(tenantId, 'rate', 'key', keyId),
            ...(own ? [`${tenantKey(tenantId, 'rate', bucket)}:`] : []),
        ];
        const reply = await this.#admitKey(keys, [...this.#args(use, digest), Number(use.whileRestoring)]);
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

    /** Decides about a request with a pass of another feature. */
    async admitPass(pass: Pass, use: RouteUse) {
        const { tenantId, digest } = pass;
        const { bucket, own } = use;
        const month = quotaMonth(this.#parts.clock());
        const keys = [...this.#keys(tenantId, '', month), ...(own ? [`${tenantKey(tenantId, 'rate', bucket)}:`] : [])];
        const reply = await pass.judge({ keys, args: this.#args(use, digest) });
        const verdict = this.#verdict(reply as AdmitReply, month);
        if (verdict.code !== 1) return { verdict };
        const [, , , , userId, username, expiry] = reply as PassReply;
        return { verdict, holder: { userId, username, expiresAt: Number(expiry) } };
    }

    /** What an actor is judged by from now on, or null when it is over; see the port. */
    async standing({ tenantId, userId, sessionId, tokenId, keyId }: Actor): Promise<string | null> {
        const { tenants, users, sessions } = this.#parts;
        const credential =
            keyId === undefined
                ? [sessions.records.key(tenantId, sessionId), sessions.revokedKey(tenantId, tokenId)]
                : [tenantKey(tenantId, 'key', keyId)];
        const keys = [tenants.key(tenantId), users.key(tenantId, userId), ...credential];
        return (await this.#standing(keys, [userId])) as string | null;
    }

    /** Counts a request of an IP address. */
    async limit(bucket: string, ipAddress: string, { limit, window }: RateLimit) {
        const keys = [tenantKey(PLATFORM, 'rate', bucket, ipAddress), tenantKey(PLATFORM, 'violations')];
        const reply = await this.#limit(keys, [limit, window, bucket, ipAddress]);
        const [within, rate] = reply as [number, RateReply];
        return { isWithin: within === 1, rate: rateState(rate), wait: rate[4] };
    }

    /** Removes the rate of a user; those of single routes have expired long before. */
    async purge(tenantId: string, userId: string): Promise<void> {
        await this.#redis.unlink(userRateKey(tenantId, userId));
    }

    /** What both kinds of credentials are judged by. @param userId `''` gives what the users' keys begin with */
    #keys(tenantId: string, userId: string, month: QuotaMonth): string[] {
        const { tenants, users } = this.#parts;
        return [
            tenants.key(tenantId),
            users.key(tenantId, userId),
            tenantKey(tenantId, 'quota', month.name),
            tenantKey(tenantId, 'violations'),
            userRateKey(tenantId, userId),
        ];
    }

    /** @param who The user of a token, or the digest of a key */
    #args({ bucket, own, isQuotaFree }: RouteUse, who: string): (string | number)[] {
        const { tiers } = this.#parts.tenants;
        const limits = tiers.figuresByTier('requestsPerMinute', 'requestsPerMonth');
        return [limits, bucket, own?.limit ?? 0, own?.window ?? 0, who, isQuotaFree ? 1 : 0];
    }

    #verdict([code, role = '', tier = '', rate, used, limit]: AdmitReply, { endsAt }: QuotaMonth): Verdict {
        const verdict = { code, role, tier, providerKeys: [], rate: rate && rateState(rate), wait: rate?.[4] ?? 0 };
        if (code !== -4) return verdict;
        const quota = { used: Number(used), limit: Number(limit), resetsAt: endsAt };
        return { ...verdict, wait: endsAt - this.#parts.clock(), quota };
    }
}

const userRateKey = (tenantId: string, userId: string): string => `${tenantKey(tenantId, 'rate', 'user')}:${userId}`;

import Jwt from '@hapi/jwt';
import Joi from 'joi';
import { LRUCache } from 'lru-cache';

import { apiError } from '../http/errors.ts';

import type { Keyring } from './keyring.ts';
import type { Clock } from '../clock.ts';

/** What an access token says (RFC 7519); times in seconds since the epoch. */
export interface AccessClaims {
    /** User id */
    sub: string;
    /** Tenant id */
    tid: string;
    /** Session id */
    sid: string;
    jti: string;
    iat: number;
    exp: number;
    username: string;
    /** For the client to read; what is permitted is asked of the user's role on each request. */
    scope: string[];
}

const ISSUER = 'llm-api-layer';
const AUDIENCE = 'llm-api-layer';
const REMEMBERED_TOKENS = 10_000;

const claimsSchema = Joi.object<AccessClaims & { iss: string; aud: string }>({
    sub: Joi.string().required(),
    tid: Joi.string().required(),
    sid: Joi.string().required(),
    jti: Joi.string().required(),
    iat: Joi.number().required(),
    exp: Joi.number().required(),
    username: Joi.string().required(),
    scope: Joi.array().items(Joi.string()).required(),
    iss: Joi.valid(ISSUER).required(),
    aud: Joi.valid(AUDIENCE).required(),
});

/** Issues and verifies access tokens: JWT, HS256 only, each signed by the key that its `kid` names. */
export class AccessTokens {
    readonly #keyring: Keyring;
    readonly #ttl: number;
    readonly #clock: Clock;
    // A signature is checked once; that the token is still good is asked of Redis each time.
    readonly #verified = new LRUCache<string, AccessClaims>({ max: REMEMBERED_TOKENS });

    /** @param ttl Seconds */
    constructor(keyring: Keyring, ttl: number, clock: Clock) {
        this.#keyring = keyring;
        this.#ttl = ttl;
        this.#clock = clock;
    }

    issue(claims: Omit<AccessClaims, 'iat' | 'exp'>): string {
        const { id, secret } = this.#keyring.newest;
        return Jwt.token.generate(
            { ...claims, iss: ISSUER, aud: AUDIENCE },
            { key: secret, algorithm: 'HS256' },
            { header: { kid: id }, ttlSec: this.#ttl, now: this.#clock() },
        );
    }

    /** @throws UNAUTHENTICATED, TOKEN_EXPIRED */
    verify(token: string): AccessClaims {
        const claims = this.open(token);
        if (!claims) throw apiError('UNAUTHENTICATED');
        if (claims.exp * 1000 <= this.#clock()) throw apiError('TOKEN_EXPIRED');
        return claims;
    }

    /** What a token says that we signed, expired or not; null when it is not one of ours. */
    open(token: string): AccessClaims | null {
        const known = this.#verified.get(token);
        if (known) return known;
        const claims = this.#check(token);
        if (claims) this.#verified.set(token, claims);
        return claims;
    }

    #check(token: string): AccessClaims | null {
        try {
            const artifacts = Jwt.token.decode(token);
            const { kid } = artifacts.decoded.header as { kid?: unknown };
            const key = typeof kid === 'string' ? this.#keyring.find(kid) : undefined;
            if (!key) return null;
            Jwt.token.verifySignature(artifacts, { key: key.secret, algorithm: 'HS256' });
            return Joi.attempt(artifacts.decoded.payload, claimsSchema);
        } catch {
            // Not a token, not signed by that key, or not with these claims: that is the answer, not a failure.
            return null;
        }
    }
}

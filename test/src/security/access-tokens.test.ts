import { randomBytes } from 'node:crypto';

import { expect } from '@hapi/code';
import Jwt from '@hapi/jwt';
import Lab from '@hapi/lab';

import { isApiError } from '../../../src/http/errors.ts';
import { AccessTokens } from '../../../src/security/access-tokens.ts';
import { Keyring, type Key } from '../../../src/security/keyring.ts';
import { altered } from '../../helpers/altered.ts';

export const lab = Lab.script();
const { describe, it, beforeEach } = lab;

const TTL = 900;
const NOON = Date.parse('2026-11-20T12:00:00.000Z');
const key = (id: string): Key => ({ id, secret: randomBytes(48) });
const first = key('first');
const second = key('second');
const claims = { sub: 'user_1', tid: 'tenant_1', sid: 'sess_1', jti: 'jti_1', username: 'ada', scope: ['thread:read'] };
const whole = { ...claims, iss: 'llm-api-layer', aud: 'llm-api-layer' };

let time = NOON;
let tokens: AccessTokens;

/** The code that a token is refused with; null when it is good. */
function refusalOf(token: string, by = tokens): string | null {
    try {
        by.verify(token);
        return null;
    } catch (error) {
        if (!isApiError(error)) throw error;
        return error.data?.code ?? '';
    }
}

const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token of our own secret that says what `AccessTokens` never says. */
function sign(payload: object, header: object = {}, { secret }: Key = first, algorithm: 'HS256' | 'HS512' = 'HS256') {
    const options = { header: { kid: 'first', ...header }, ttlSec: TTL, now: NOON };
    return Jwt.token.generate(payload, { key: secret, algorithm }, options);
}

describe('AccessTokens', () => {
    beforeEach(() => {
        time = NOON;
        tokens = new AccessTokens(new Keyring([first]), TTL, () => time);
    });

    it('verifies what it issued', () => {
        const seconds = NOON / 1000;
        expect(tokens.verify(tokens.issue(claims))).to.equal({ ...whole, iat: seconds, exp: seconds + TTL } as never);
    });

    it('takes a token of the right form from the same secret', () => {
        expect(refusalOf(sign(whole))).to.be.null();
    });

    it('refuses alg none, whatever its case, with or without a signature', () => {
        const [, payload, signature] = tokens.issue(claims).split('.');
        for (const alg of ['none', 'None', 'NONE', 'nOnE']) {
            const header = base64url({ alg, typ: 'JWT', kid: 'first' });
            expect(refusalOf(`${header}.${payload}.`), alg).to.equal('UNAUTHENTICATED');
            expect(refusalOf(`${header}.${payload}.${signature}`), alg).to.equal('UNAUTHENTICATED');
            expect(refusalOf(`${header}.${payload}`), alg).to.equal('UNAUTHENTICATED');
        }
    });

    it('refuses another algorithm with the right secret', () => {
        expect(refusalOf(sign(whole, {}, first, 'HS512'))).to.equal('UNAUTHENTICATED');
    });

    it('refuses another key under a known name, and a name that is not known, missing or not a text', () => {
        expect(refusalOf(sign(whole, {}, second))).to.equal('UNAUTHENTICATED');
        for (const kid of ['second', '', '__proto__', null, 1, ['first'], { first: 1 }]) {
            expect(refusalOf(sign(whole, { kid })), JSON.stringify(kid)).to.equal('UNAUTHENTICATED');
        }
    });

    it('refuses an altered payload', () => {
        const [header, , signature] = tokens.issue(claims).split('.');
        const payload = base64url({ ...whole, sub: 'user_2', iat: NOON / 1000, exp: NOON / 1000 + TTL });
        expect(refusalOf(`${header}.${payload}.${signature}`)).to.equal('UNAUTHENTICATED');
    });

    it('refuses a token that is altered at any position', () => {
        expect(altered(tokens.issue(claims)).filter((token) => refusalOf(token) !== 'UNAUTHENTICATED')).to.equal([]);
    });

    it('refuses what is no token at all', () => {
        for (const text of [
            '',
            '.',
            '..',
            'a.b.c',
            'a.b.c.d',
            `${base64url([])}.${base64url({})}.`,
            'null.null.null',
        ]) {
            expect(refusalOf(text), text).to.equal('UNAUTHENTICATED');
        }
    });

    it('refuses a signed token that lacks a claim, has one too many or one of the wrong kind', () => {
        for (const name of Object.keys(whole)) {
            const { [name as keyof typeof whole]: _missing, ...rest } = whole;
            expect(refusalOf(sign(rest)), name).to.equal('UNAUTHENTICATED');
        }
        expect(refusalOf(sign({ ...whole, admin: true }))).to.equal('UNAUTHENTICATED');
        expect(refusalOf(sign({ ...whole, sub: 1 }))).to.equal('UNAUTHENTICATED');
        expect(refusalOf(sign({ ...whole, iss: 'somebody' }))).to.equal('UNAUTHENTICATED');
        expect(refusalOf(sign({ ...whole, aud: 'somebody' }))).to.equal('UNAUTHENTICATED');
        expect(refusalOf(sign({ ...whole, exp: 'never' }))).to.equal('UNAUTHENTICATED');
        const withoutTimes = Jwt.token.generate(whole, first.secret, { header: { kid: 'first' }, iat: false });
        expect(refusalOf(withoutTimes)).to.equal('UNAUTHENTICATED');
    });

    it('expires by its clock, to the millisecond', () => {
        const token = tokens.issue(claims);
        const fresh = () => new AccessTokens(new Keyring([first]), TTL, () => time);
        time = NOON + TTL * 1000 - 1;
        expect(refusalOf(token, fresh())).to.be.null();
        time += 1;
        expect(refusalOf(token, fresh())).to.equal('TOKEN_EXPIRED');
    });

    it('lets a token expire that it has verified before', () => {
        const token = tokens.issue(claims);
        expect(refusalOf(token)).to.be.null();
        time = NOON + TTL * 1000;
        expect(refusalOf(token)).to.equal('TOKEN_EXPIRED');
    });

    it('does not say that a token has expired before it knows that the token is ours', () => {
        const token = sign(whole, {}, second);
        time = NOON + TTL * 1000;
        expect(refusalOf(token)).to.equal('UNAUTHENTICATED');
    });

    it('verifies what older keys signed, signs with the newest, and refuses what retired ones signed', () => {
        const rotated = new AccessTokens(new Keyring([second, first]), TTL, () => time);
        expect(refusalOf(tokens.issue(claims), rotated)).to.be.null();
        expect(Jwt.token.decode(rotated.issue(claims)).decoded.header).to.include({ alg: 'HS256', kid: 'second' });
        expect(refusalOf(rotated.issue(claims))).to.equal('UNAUTHENTICATED');
    });
});

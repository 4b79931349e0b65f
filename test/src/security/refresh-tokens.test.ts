import { createHmac, randomBytes } from 'node:crypto';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { Keyring, type Key } from '../../../src/security/keyring.ts';
import { RefreshTokens } from '../../../src/security/refresh-tokens.ts';
import { altered } from '../../helpers/altered.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const key = (id: string): Key => ({ id, secret: randomBytes(48) });
const first = key('first');
const second = key('second');
const tokens = new RefreshTokens(new Keyring([first]));
const claims = { tenantId: 'tenant_1', userId: 'user_1', sessionId: 'sess_1', counter: 7 };

describe('RefreshTokens', () => {
    it('opens what it issued', () => {
        expect(tokens.open(tokens.issue(claims))).to.equal(claims);
    });

    it('gives the same counter the same token, and another one another', () => {
        expect(tokens.issue({ ...claims })).to.equal(tokens.issue(claims));
        expect(tokens.issue({ ...claims, counter: 8 })).to.not.equal(tokens.issue(claims));
        expect(tokens.issue({ ...claims, sessionId: 'sess_2' })).to.not.equal(tokens.issue(claims));
    });

    it('gives null for a token that is altered at any position', () => {
        expect(altered(tokens.issue(claims)).filter((token) => tokens.open(token) !== null)).to.equal([]);
    });

    it('gives null for a token that is cut or longer', () => {
        const token = tokens.issue(claims);
        for (let end = 0; end < token.length; end++) expect(tokens.open(token.slice(0, end))).to.be.null();
        for (const more of ['A', '=', '.', '.x']) expect(tokens.open(token + more)).to.be.null();
    });

    it('opens what older keys signed, signs with the newest, and gives null when the key is retired', () => {
        const rotated = new RefreshTokens(new Keyring([second, first]));
        expect(rotated.open(tokens.issue(claims))).to.equal(claims);
        expect(rotated.issue(claims)).to.startWith('rt1.second.');
        expect(tokens.open(rotated.issue(claims))).to.be.null();
        expect(new RefreshTokens(new Keyring([key('first')])).open(tokens.issue(claims))).to.be.null();
    });

    it('does not take a signature that the same secret made for something else', () => {
        const signed = 'rt1.first.tenant_1.user_1.sess_1.7';
        const foreign = createHmac('sha256', first.secret).update(signed).digest('base64url');
        expect(tokens.open(`${signed}.${foreign}`)).to.be.null();
    });
});

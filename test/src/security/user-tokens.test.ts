import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { newId } from '../../../src/ids.ts';
import { PLATFORM } from '../../../src/redis/keys.ts';
import { newUserToken, openUserToken } from '../../../src/security/user-tokens.ts';

export const lab = Lab.script();
const { describe, it } = lab;

describe('openUserToken', () => {
    it('reads what newUserToken made, of the platform too', () => {
        for (const tenantId of [newId('tenant'), PLATFORM]) {
            const userId = newId('user');
            const { token, digest } = newUserToken('pr1', tenantId, userId);
            expect(digest).to.match(/^[0-9a-f]{64}$/);
            expect(openUserToken('pr1', token)).to.equal({ tenantId, userId, digest });
        }
    });

    it('takes no token of another kind', () => {
        const { token } = newUserToken('it1', PLATFORM, newId('user'));
        expect(openUserToken('pr1', token)).to.be.null();
        expect(openUserToken('it', token)).to.be.null();
    });

    it('takes nothing of another form', () => {
        const { token } = newUserToken('pr1', PLATFORM, newId('user'));
        const others = ['', 'pr1', token.slice(0, -1), `${token}0`, ` ${token}`, token.replace('user_', 'key_')];
        expect(others.filter((text) => openUserToken('pr1', text) !== null)).to.equal([]);
    });

    it('gives another digest for another secret', () => {
        const userId = newId('user');
        const digests = Array.from({ length: 100 }, () => newUserToken('pr1', PLATFORM, userId).digest);
        expect(new Set(digests).size).to.equal(100);
    });
});

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { PLATFORM, tenantKey } from '../../../src/redis/keys.ts';

export const lab = Lab.script();
const { describe, it } = lab;

describe('tenantKey', () => {
    it('names a key of the tenant', () => {
        expect(tenantKey('tenant_1', 'user', 'user_1')).to.equal('tenant:{tenant_1}:user:user_1');
        expect(tenantKey(PLATFORM, 'tenants')).to.equal('tenant:{platform}:tenants');
    });

    it('makes the tenant id the hash tag, whatever the parts are', () => {
        // What Redis Cluster takes for the slot: the text between the first brace and the next closing one.
        const tagOf = (key: string) => key.slice(key.indexOf('{') + 1, key.indexOf('}'));
        for (const parts of [['users'], ['domain', '{other}'], ['a}b', 'c{d']]) {
            expect(tagOf(tenantKey('tenant_1', ...parts))).to.equal('tenant_1');
        }
    });

    it('refuses a tenant id that could break out of the hash tag', () => {
        for (const id of ['', '}', '{x}', 'a}:{b', 'a:b', 'a b', 'a\n', 'tenant_1\n', '*', 'é']) {
            expect(() => tenantKey(id, 'users'), id).to.throw(RangeError, 'Not a tenant id');
        }
    });

    it('refuses no parts and empty parts', () => {
        for (const parts of [[], [''], ['user', ''], ['', 'user']]) {
            expect(() => tenantKey('tenant_1', ...parts)).to.throw(RangeError, 'A key needs non-empty parts');
        }
    });
});

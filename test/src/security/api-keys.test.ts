import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { newId } from '../../../src/ids.ts';
import { PLATFORM } from '../../../src/redis/keys.ts';
import { makeApiKey, openApiKey } from '../../../src/security/api-keys.ts';
import { altered } from '../../helpers/altered.ts';

export const lab = Lab.script();
const { describe, it } = lab;

describe('openApiKey', () => {
    it('reads what makeApiKey made, of the platform too', () => {
        for (const tenantId of [newId('tenant'), PLATFORM]) {
            const keyId = newId('key');
            const { text, digest } = makeApiKey(tenantId, keyId);
            expect(openApiKey(text)).to.equal({ tenantId, keyId, digest });
        }
    });

    it('knows a key with one character mistyped, left out or added for what it is', () => {
        const { text } = makeApiKey(newId('tenant'), newId('key'));
        for (const wrong of altered(text)) expect(openApiKey(wrong), wrong).to.be.null();
        for (let at = 0; at < text.length; at++) {
            expect(openApiKey(text.slice(0, at) + text.slice(at + 1))).to.be.null();
        }
        expect(openApiKey(`${text}0`)).to.be.null();
        expect(openApiKey('')).to.be.null();
    });

    it('never sees the same key twice', () => {
        const [tenantId, keyId] = [newId('tenant'), newId('key')];
        const texts = Array.from({ length: 1_000 }, () => makeApiKey(tenantId, keyId).text);
        expect(new Set(texts).size).to.equal(1_000);
    });
});

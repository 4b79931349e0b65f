import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { parseKeyring } from '../../../src/security/keyring.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const parse = (text: string) => parseKeyring(text, 'utf8', (bytes) => bytes >= 8);

describe('parseKeyring', () => {
    it('reads the keys, the first being the newest', () => {
        const keyring = parse('new:secret:with:colons, old_1-A:another secret');
        expect(keyring.newest).to.equal({ id: 'new', secret: Buffer.from('secret:with:colons') });
        expect(keyring.find('new')).to.shallow.equal(keyring.newest);
        expect(keyring.find('old_1-A')?.secret).to.equal(Buffer.from('another secret'));
        expect(keyring.find('retired')).to.be.undefined();
        expect(keyring.find('__proto__')).to.be.undefined();
    });

    it('reads base64', () => {
        const keyring = parseKeyring(`k:${Buffer.from([0, 255]).toString('base64')}`, 'base64', (bytes) => bytes === 2);
        expect(keyring.newest.secret).to.equal(Buffer.from([0, 255]));
    });

    it('refuses what has not the form name:secret', () => {
        const long = 'x'.repeat(33);
        const wrong = ['', 'k1', 'k1:', ':long enough', 'k 1:long enough', `${long}:long enough`, 'k1:long enough,'];
        for (const text of wrong) expect(() => parse(text)).to.throw('needs the form name:secret,name:secret');
    });

    it('refuses a secret of the wrong length by its name, without the secret', () => {
        const message = 'has a secret of the wrong length under the name old';
        expect(() => parse('new:long enough,old:hunter2')).to.throw(message);
    });

    it('refuses a name that is given twice', () => {
        expect(() => parse('k1:long enough,k1:long enough too')).to.throw('has a name twice');
    });
});

import { randomBytes } from 'node:crypto';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { Keyring, type Key } from '../../../src/security/keyring.ts';
import { Vault } from '../../../src/security/vault.ts';
import { altered } from '../../helpers/altered.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const key = (id: string): Key => ({ id, secret: randomBytes(32) });
const first = key('first');
const second = key('second');
const vault = new Vault(new Keyring([first]));
const PURPOSE = 'provider key user_1';

describe('Vault', () => {
    it('opens what it sealed, whatever the text', () => {
        for (const text of ['', 'sk-key', 'ключ 🔑 \u0000', 'x'.repeat(100_000)]) {
            expect(vault.open(vault.seal(text, PURPOSE), PURPOSE)).to.equal(text);
        }
    });

    it('knows what its newest master key sealed', () => {
        const rotated = new Vault(new Keyring([second, first]));
        expect(rotated.isCurrent(rotated.seal('sk-key', PURPOSE))).to.be.true();
        expect(rotated.isCurrent(vault.seal('sk-key', PURPOSE))).to.be.false();
        expect(new Vault(new Keyring([key('fir'), first])).isCurrent(vault.seal('x', PURPOSE))).to.be.false();
    });

    it('seals the same text differently each time, and shows neither text nor key', () => {
        const tokens = [vault.seal('sk-key', PURPOSE), vault.seal('sk-key', PURPOSE)];
        expect(tokens[0]).to.not.equal(tokens[1]);
        expect(tokens[0]).to.match(/^v1\.first\.[\w-]+$/);
        expect(Buffer.from(String(tokens[0]?.split('.')[2]), 'base64url').includes('sk-key')).to.be.false();
    });

    it('gives null for a token that is altered at any position', () => {
        expect(altered(vault.seal('a key', PURPOSE)).filter((token) => vault.open(token, PURPOSE) !== null)).to.equal(
            [],
        );
    });

    it('gives null when any bit of what it sealed is turned', () => {
        const [version, id, encoded = ''] = vault.seal('a key', PURPOSE).split('.');
        const sealed = Buffer.from(encoded, 'base64url');
        for (let bit = 0; bit < sealed.length * 8; bit++) {
            const turned = Buffer.from(sealed);
            turned.writeUInt8(turned.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
            expect(vault.open(`${version}.${id}.${turned.toString('base64url')}`, PURPOSE)).to.be.null();
        }
    });

    it('gives null for a token that is cut or longer', () => {
        const token = vault.seal('a key', PURPOSE);
        for (let end = 0; end < token.length; end++) expect(vault.open(token.slice(0, end), PURPOSE)).to.be.null();
        for (const more of ['A', '=', '.', '.x', '\n']) expect(vault.open(token + more, PURPOSE)).to.be.null();
    });

    it('gives null for another purpose', () => {
        const token = vault.seal('a key', PURPOSE);
        expect(vault.open(token, 'provider key user_2')).to.be.null();
        expect(vault.open(token, '')).to.be.null();
    });

    it('opens what older keys sealed and seals with the newest', () => {
        const rotated = new Vault(new Keyring([second, first]));
        expect(rotated.open(vault.seal('a key', PURPOSE), PURPOSE)).to.equal('a key');
        expect(rotated.seal('a key', PURPOSE)).to.startWith('v1.second.');
        expect(vault.open(rotated.seal('a key', PURPOSE), PURPOSE)).to.be.null();
    });

    it('gives null when the key is retired, or another has its name', () => {
        const token = vault.seal('a key', PURPOSE);
        expect(new Vault(new Keyring([second])).open(token, PURPOSE)).to.be.null();
        expect(new Vault(new Keyring([key('first')])).open(token, PURPOSE)).to.be.null();
    });

    it('does not let the name of the key be changed to another with the same secret', () => {
        const twins = new Vault(new Keyring([first, { id: 'twin', secret: first.secret }]));
        expect(twins.open(twins.seal('a key', PURPOSE).replace('.first.', '.twin.'), PURPOSE)).to.be.null();
    });
});

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { weaknessOf } from '../../../src/security/password-strength.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const OWN = ['ada.lovelace@analytical-engines.example', 'Countess of Lovelace', 'analytical-engines.example'];

describe('weaknessOf', () => {
    it('finds nothing wrong with what is hard to guess', async () => {
        for (const password of [
            'correct horse battery staple',
            'tr0ub4dor&3 is old',
            'vK8#qZ!2mP',
            '龍門飛甲電影院線上',
        ]) {
            expect(await weaknessOf(password, OWN), password).to.be.null();
        }
    });

    it('names what is easy to guess', async () => {
        const easy = ['password', '12345678', 'qwertyuiop', 'P4ssw0rd', 'aaaaaaaaaaaa', 'abcabcabcabc', 'changeme1'];
        for (const password of easy) expect(await weaknessOf(password, OWN), password).to.be.a.string();
        expect(await weaknessOf('password', [])).to.equal('This is a heavily used password.');
    });

    it('takes nothing that is known of the user, however long it is', async () => {
        const own = [...OWN, `${'x1Y$'.repeat(30)}@long.example`];
        for (const password of own) {
            expect(await weaknessOf(password.toUpperCase(), own), password).to.be.a.string();
            expect(await weaknessOf(` ${password}`, own), password).to.be.a.string();
        }
        expect(await weaknessOf('lovelace1', ['lovelace'])).to.be.a.string();
        expect(await weaknessOf('lovelace1', ['ada'])).to.not.equal(await weaknessOf('lovelace1', ['lovelace']));
    });

    it('looks at the beginning of long ones only', async () => {
        expect(await weaknessOf(`${'a'.repeat(64)}vK8#qZ!2mP`, [])).to.be.a.string();
        expect(await weaknessOf(`${'a'.repeat(20)}vK8#qZ!2mP`, [])).to.be.null();
    });
});

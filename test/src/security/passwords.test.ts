import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { Passwords } from '../../../src/security/passwords.ts';
import { codeOf } from '../../helpers/store.ts';

export const lab = Lab.script();
const { describe, it } = lab;

// Below what a configuration may say, to be quick.
const passwords = new Passwords(4);

describe('Passwords', () => {
    it('verifies the password that it hashed and no other', async () => {
        const hash = await passwords.hash('correct horse');
        expect(await passwords.verify('correct horse', hash)).to.be.true();
        for (const wrong of ['Correct horse', 'correct horse ', 'correct hors', '']) {
            expect(await passwords.verify(wrong, hash), wrong).to.be.false();
        }
    });

    it('hashes with a salt and the given cost', async () => {
        const hash = await passwords.hash('correct horse');
        expect(hash).to.match(/^\$2b\$04\$/);
        expect(await passwords.hash('correct horse')).to.not.equal(hash);
    });

    it('tells long passwords apart that differ past 72 bytes', async () => {
        const long = 'x'.repeat(255);
        const hash = await passwords.hash(`${long}a`);
        expect(await passwords.verify(`${long}a`, hash)).to.be.true();
        expect(await passwords.verify(`${long}b`, hash)).to.be.false();
        expect(await passwords.verify('x'.repeat(72), hash)).to.be.false();
    });

    it('does not stop at a NUL', async () => {
        expect(await passwords.verify('a\u0000b', await passwords.hash('a\u0000c'))).to.be.false();
    });

    it('says no for an account that does not exist, after the work of one that does', async () => {
        const slow = new Passwords(10);
        const hash = await slow.hash('correct horse');
        const timeOf = async (stored: string | null) => {
            const began = process.hrtime.bigint();
            expect(await slow.verify('correct horse', stored)).to.equal(stored !== null);
            return Number(process.hrtime.bigint() - began);
        };
        await slow.verify('', null);
        const known = [await timeOf(hash), await timeOf(hash), await timeOf(hash)];
        expect(await timeOf(null)).to.be.above(Math.min(...known) / 10);
    });

    it('refuses with SERVER_BUSY what comes when 64 are waiting, and goes on afterwards', async () => {
        const answers = await Promise.allSettled(
            Array.from({ length: 80 }, async (_, number) => {
                if (number % 2 === 0) return passwords.hash('correct horse');
                return passwords.verify('correct horse', null);
            }),
        );
        const refused = answers.filter(({ status }) => status === 'rejected');
        expect(answers.map(({ status }) => status).lastIndexOf('fulfilled')).to.equal(63);
        expect(refused.length).to.equal(80 - 64);
        const { reason } = refused[0] as PromiseRejectedResult;
        expect(await codeOf(Promise.reject(reason))).to.equal('SERVER_BUSY');
        expect(reason.output.headers['retry-after']).to.equal(5);
        expect(await passwords.verify('', null)).to.be.false();
    });
});

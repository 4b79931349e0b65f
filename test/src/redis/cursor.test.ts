import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { openCursor, sealCursor } from '../../../src/redis/cursor.ts';
import { altered } from '../../helpers/altered.ts';
import { codeOf, testVault } from '../../helpers/store.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const vault = testVault();
const LIST = 'tenant:{tenant_1}:threads:asc';
const position = { score: '1795694400000', id: 'thread_1' };

/** The code that a cursor is refused with, or null. */
const refusalOf = (list: string, cursor: string) =>
    codeOf((async () => openCursor(vault, list, cursor))()).catch(() => null);

describe('openCursor', () => {
    it('opens what was sealed for the list', () => {
        expect(openCursor(vault, LIST, sealCursor(vault, LIST, position))).to.equal(position);
    });

    it('refuses a cursor of another list, tenant or direction', async () => {
        const cursor = sealCursor(vault, LIST, position);
        for (const list of [
            'tenant:{tenant_1}:users:asc',
            'tenant:{tenant_2}:threads:asc',
            LIST.replace('asc', 'desc'),
        ]) {
            expect(await refusalOf(list, cursor), list).to.equal('INVALID_CURSOR');
        }
        expect(await refusalOf(LIST, cursor)).to.be.null();
    });

    it('refuses an altered cursor', async () => {
        const cursors = ['', 'x', ...altered(sealCursor(vault, LIST, position))];
        const refusals = await Promise.all(cursors.map((cursor) => refusalOf(LIST, cursor)));
        expect(new Set(refusals)).to.equal(new Set(['INVALID_CURSOR']));
    });

    it('refuses what the vault has sealed for something else', async () => {
        expect(await refusalOf(LIST, vault.seal('1 thread_1', 'provider key user_1'))).to.equal('INVALID_CURSOR');
        expect(await refusalOf(LIST, vault.seal('nothing', `cursor ${LIST}`))).to.equal('INVALID_CURSOR');
    });
});

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { DueTenants } from '../../../src/redis/due-tenants.ts';
import { newTenantId, openStore, type TestStore } from '../../helpers/store.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const EVERY_MS = 10_000;

describe('DueTenants', () => {
    let test: TestStore;
    let due: DueTenants;
    let tenantId: string;
    let now = 1_000_000;

    before(async () => {
        test = await openStore();
    });

    beforeEach(async () => {
        tenantId = newTenantId();
        now += 10_000_000;
        await test.setTime(now);
        due = new DueTenants(test.store, `test-${tenantId}`, EVERY_MS);
    });

    after(() => test.close());

    const pass = (milliseconds: number) => test.setTime((now += milliseconds));

    it('gives a tenant to one of many that ask at once, and again when it is due', async () => {
        await due.note(tenantId);
        const taken = await Promise.all(Array.from({ length: 10 }, () => due.take()));
        expect(taken.flat()).to.equal([tenantId]);
        await pass(EVERY_MS - 1);
        expect(await due.take()).to.equal([]);
        await pass(1);
        expect(await due.take()).to.equal([tenantId]);
    });

    it('forgets one that was not noted lately', async () => {
        await due.note(tenantId);
        expect(await due.forget(tenantId)).to.be.false();
        await pass(119_999);
        expect(await due.forget(tenantId)).to.be.false();
        await pass(1);
        expect(await due.forget(tenantId)).to.be.true();
        expect(await due.take()).to.equal([]);
    });

    it('notes what happens often once a minute', async () => {
        const first = now;
        await due.noteOften(tenantId, first);
        await pass(59_999);
        await due.noteOften(tenantId, first + 59_999);
        await pass(60_001);
        // As if it had been noted the first time only.
        expect(await due.forget(tenantId)).to.be.true();
        await due.noteOften(tenantId, now);
        expect(await due.take()).to.equal([tenantId]);
    });
});

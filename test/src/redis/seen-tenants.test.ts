import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { SeenTenants } from '../../../src/redis/seen-tenants.ts';
import { silentLogger } from '../../helpers/store.ts';

export const lab = Lab.script();
const { describe, it } = lab;

describe('SeenTenants', () => {
    it('notes each tenant once, and again when it was seen again', async () => {
        const noted: string[] = [];
        const seen = new SeenTenants({ note: async (id) => void noted.push(id) }, silentLogger, 'audit');
        for (const id of ['a', 'b', 'a']) seen.add(id);
        expect(noted).to.equal([]);
        await seen.flush();
        await seen.flush();
        expect(noted).to.equal(['a', 'b']);
        seen.add('a');
        await seen.flush();
        expect(noted).to.equal(['a', 'b', 'a']);
    });

    it('notes later what could not be noted', async () => {
        const noted: string[] = [];
        let isAway = true;
        const note = async (id: string) => {
            if (isAway) throw new Error('Redis is away');
            noted.push(id);
        };
        const seen = new SeenTenants({ note }, silentLogger, 'audit');
        seen.add('a');
        await seen.flush();
        isAway = false;
        await seen.flush();
        expect(noted).to.equal(['a']);
    });
});

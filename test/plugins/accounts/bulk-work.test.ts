import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { PutOff } from '../../../src/jobs/put-off.ts';
import { PLATFORM, tenantKey } from '../../../src/redis/keys.ts';
import { startApp, startReplicas, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { openQueue, type TestQueue } from '../../helpers/jobs.ts';
import { addManyTenants } from '../../helpers/many-tenants.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { platformToken } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const USERS = 60;
const NOBODY = 'user_0000000000000000000000000';

describe('the work on a change of many users', () => {
    let redis: TestRedis;
    let apps: TestApp[];
    let app: TestApp;
    let other: TestApp;
    let token: string;
    let tenantId: string;

    before(async () => {
        redis = await startRedis();
        // Nobody does jobs but the test.
        apps = await startReplicas({ redisPath: redis.path });
        [app, other] = apps as [TestApp, TestApp];
        token = await platformToken(app);
    });

    after(async () => {
        await Promise.all(apps.map((one) => one.stop()));
        await redis.stop();
    });

    const runBy = ({ server }: TestApp, id: string, askedAt = Date.now()) =>
        server.plugins.accounts.runBulk(id, askedAt);
    const suspendAll = async () => {
        const { tenantIds } = await addManyTenants(app, 1, USERS);
        [tenantId = ''] = tenantIds;
        const ids: string[] = [];
        for await (const some of app.server.plugins.users.ids(tenantId)) ids.push(...some);
        // Of nobody, first and last: a result that is counted twice, or left out, shows.
        const all = [`${NOBODY}0`, ...ids, `${NOBODY}1`];
        const payload = { action: 'suspend', users: all.map((userId) => ({ tenantId, userId })) };
        const { body } = await app.call('POST', '/api/admin/users/bulk', { token, payload });
        return String(body.data.bulk.id);
    };
    const read = async (id: string) => {
        const { body } = await app.call('GET', `/api/admin/bulk/${id}`, { token });
        return body.data;
    };
    /** All but the one admin, who is the first, or was when it came to him. */
    const expectAllDone = async (id: string) => {
        const { bulk, failures } = await read(id);
        expect(bulk).to.include({ state: 'completed', total: USERS + 2, done: USERS - 1, failed: 3 });
        const codes = failures.map(({ code }: { code: string }) => code);
        expect(codes).to.equal(['USER_NOT_FOUND', 'LAST_ADMIN', 'USER_NOT_FOUND']);
        const { users } = (await app.call('GET', `/api/admin/users?tenantId=${tenantId}&limit=100`, { token })).body
            .data;
        const active = users.filter(({ isActive }: { isActive: boolean }) => isActive);
        expect(active.map(({ role }: { role: string }) => role)).to.equal(['admin']);
    };
    const timesChanged = async (): Promise<number> =>
        (await readAudit(app, tenantId)).filter(({ action }) => action === 'user.update').length;

    it('goes on where a process that died has left it, and counts nothing twice', async () => {
        const id = await suspendAll();
        const key = tenantKey(PLATFORM, 'bulk', id);
        for (const cut of [7, 23, 48]) {
            const { JWT_KEYS, VAULT_KEYS } = app.config;
            const dying = await startApp({ redisPath: redis.path, config: { JWT_KEYS, VAULT_KEYS } });
            apps.push(dying);
            const running = runBy(dying, id).then(
                () => 'ended',
                () => 'died',
            );
            while (Number(await app.redis.hget(key, 'next')) < cut);
            dying.redis.disconnect();
            expect(await running).to.equal('died');
            const { bulk } = await read(id);
            expect(bulk.state).to.equal('running');
            expect(Number(bulk.done + bulk.failed)).to.be.within(cut, USERS + 1);
        }
        await runBy(other, id);
        await expectAllDone(id);
        // Of the one that each of them had in hand there may be no second entry, for it was as it should be.
        expect(await timesChanged()).to.equal(USERS - 1);
        await runBy(other, id);
        await expectAllDone(id);
    });

    it('counts each once though several do it at the same time', async () => {
        const id = await suspendAll();
        await Promise.all([runBy(app, id), runBy(other, id), runBy(app, id), runBy(other, id)]);
        await expectAllDone(id);
        const deletion = { action: 'delete', users: (await suspended()).map((userId) => ({ tenantId, userId })) };
        const { body } = await app.call('POST', '/api/admin/users/bulk', { token, payload: deletion });
        const again = String(body.data.bulk.id);
        await Promise.all([runBy(app, again), runBy(other, again), runBy(other, again)]);
        expect((await read(again)).bulk).to.include({ state: 'completed', done: USERS - 1, failed: 0 });
        const deletions = (await readAudit(app, tenantId)).filter(({ action }) => action === 'user.delete');
        expect(deletions).to.have.length(USERS - 1);
    });

    const suspended = async (): Promise<string[]> => {
        const { users } = (await app.call('GET', `/api/admin/users?tenantId=${tenantId}&limit=100`, { token })).body
            .data;
        return users.filter(({ role }: { role: string }) => role === 'user').map(({ id }: { id: string }) => id);
    };

    it('is left to another process when this one stops', async () => {
        const id = await suspendAll();
        const stopping = await startApp({ redisPath: redis.path });
        apps.push(stopping);
        stopping.drain.begin();
        const error = await runBy(stopping, id).catch((reason: unknown) => reason);
        expect(error).to.be.instanceof(PutOff);
        expect((await read(id)).bulk).to.include({ state: 'running', done: 0, failed: 0 });
        await runBy(other, id);
        await expectAllDone(id);
    });

    it('waits for one that is not there yet, and not for one that never comes', async () => {
        const id = 'bulk_00000000000000000000000000';
        const error = await runBy(app, id).catch((reason: unknown) => reason);
        expect(error).to.be.instanceof(PutOff);
        await runBy(app, id, Date.now() - 120_000);
    });

    it('was asked for before it is there, so that no crash between the two loses it', async () => {
        const jobs: TestQueue = await openQueue(redis.path);
        try {
            const id = await suspendAll();
            const job = (await jobs.queue.getWaiting()).find(({ data }) => data.bulkId === id);
            expect(job?.name).to.equal('run-bulk');
            const { createdAt } = (await read(id)).bulk;
            expect(Number(job?.data.askedAt)).to.be.most(Date.parse(createdAt));
        } finally {
            await jobs.close();
        }
    });
});

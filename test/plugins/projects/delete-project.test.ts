import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { DAYS } from '../../helpers/jobs.ts';
import { setLimits } from '../../helpers/limits.ts';
import { platformToken, type TestTenant } from '../../helpers/tenant.ts';
import { newUser } from '../../helpers/user.ts';
import {
    eventsOf,
    MemoryDriver,
    newPayingTenant,
    newProject,
    newRunningVm,
    newVm,
    tracesOf,
    vmPayload,
} from '../../helpers/vm.ts';
import { startWithWorker, type AppWithWorker } from '../../helpers/with-worker.ts';

import type { TestApp } from '../../helpers/app.ts';

export const lab = Lab.script();
const { describe, it, beforeEach, afterEach } = lab;

let world: AppWithWorker;
let app: TestApp;
let driver: MemoryDriver;
let ada: TestTenant;
let projectId: string;

beforeEach(async () => {
    world = await startWithWorker();
    ({ app } = world);
    driver = new MemoryDriver();
    // Nothing is done before a test says that it is due.
    driver.delay = DAYS;
    app.server.plugins.vms.runOn(driver);
    ada = await newPayingTenant(app);
    projectId = await newProject(ada);
});

afterEach(() => world.stop());

/** Until nothing is left to be done, also of what was asked for by what was done. */
const allDue = async () => {
    for (let times = 0; times < 3; times++) await world.due();
};
const remove = () => ada.call('DELETE', `/api/projects/${projectId}`);
const project = () => ada.call('GET', `/api/projects/${projectId}`);

describe('DELETE /api/projects/{projectId} with VMs', () => {
    it('terminates the VMs first, and leaves no key behind', async () => {
        const ids = [await newVm(ada, projectId, { name: 'creating' })];
        for (const name of ['one', 'two']) ids.push(await newRunningVm(app, ada, projectId, { name }));
        await ada.call('POST', `/api/vms/${ids[2]}/stop`);
        const { status, body } = await remove();
        expect([status, body.data]).to.equal([200, { project: { id: projectId, status: 'deleting' } }]);
        expect((await project()).body.data.project).to.include({ status: 'deleting', revision: 2 });
        await allDue();
        expectError(await project(), 'PROJECT_NOT_FOUND');
        for (const id of ids) expectError(await ada.call('GET', `/api/vms/${id}`), 'VM_NOT_FOUND');
        expect(driver.vms.size).to.equal(0);
        expect(await tracesOf(app, ada.tenantId, [...ids, projectId, 'web-shop'])).to.equal([]);
        expect(await app.redis.exists(tenantKey(ada.tenantId, 'vms'))).to.equal(0);
        const events = (await eventsOf(app, ada.tenantId, '')).map(({ type }) => type);
        expect(events.filter((type) => type === 'vm.deleted')).to.have.length(3);
        expect(events.at(-1)).to.equal('project.deleted');
        const actions = (await readAudit(app, ada.tenantId)).map(({ action }) => action);
        expect(actions.filter((action) => action?.startsWith('project.'))).to.equal([
            'project.create',
            'project.delete',
            'project.remove',
        ]);
    });

    it('takes no VM, no change and no other name for the project from then on', async () => {
        await newVm(ada, projectId);
        await remove();
        const payload = vmPayload(projectId, { name: 'late' });
        expectError(await ada.call('POST', '/api/vms', { payload }), 'PROJECT_DELETING');
        const change = { payload: { name: 'other' } };
        expectError(await ada.call('PATCH', `/api/projects/${projectId}`, change), 'PROJECT_DELETING');
        expectError(await ada.call('POST', '/api/projects', { payload: { name: 'web-shop' } }), 'NAME_TAKEN');
        expect((await remove()).body.data.project.status).to.equal('deleting');
        await allDue();
        expect(await newProject(ada)).to.be.a.string();
    });

    it('leaves nothing of VMs that are asked for at the same time', async () => {
        await setLimits(app, ada.tenantId, { vms: 100 });
        const creations = Array.from({ length: 15 }, (_, n) =>
            ada.call('POST', '/api/vms', { payload: vmPayload(projectId, { name: `vm-${n}` }) }),
        );
        const [{ status, body }, ...answers] = await Promise.all([remove(), ...creations]);
        expect([status, ['deleted', 'deleting'].includes(body.data.project.status)]).to.equal([200, true]);
        for (const answer of answers.filter(({ status: made }) => made !== 201)) {
            expect(['PROJECT_DELETING', 'PROJECT_NOT_FOUND']).to.include(answer.body.error.code);
        }
        await allDue();
        expectError(await project(), 'PROJECT_NOT_FOUND');
        expect(driver.vms.size).to.equal(0);
        expect(await tracesOf(app, ada.tenantId, [projectId])).to.equal([]);
        expect((await ada.call('GET', '/api/vms')).body.data.vms).to.equal([]);
    });

    it('goes on where it was interrupted, however often it is repeated', async () => {
        const ids = [];
        for (const name of ['one', 'two', 'three']) ids.push(await newRunningVm(app, ada, projectId, { name }));
        await remove();
        const { projects } = app.server.plugins;
        driver.failing.add('remove');
        await Promise.all([projects.resume(ada.tenantId, projectId), projects.resume(ada.tenantId, projectId)]);
        await allDue();
        expect((await project()).body.data.statistics.vmCount).to.equal(3);
        driver.failing.clear();
        await projects.resume(ada.tenantId, projectId);
        await allDue();
        expectError(await project(), 'PROJECT_NOT_FOUND');
        await projects.resume(ada.tenantId, projectId);
        expect(await projects.finish(ada.tenantId, projectId)).to.be.true();
        const deleted = (await eventsOf(app, ada.tenantId, '')).filter(({ type }) => type.endsWith('.deleted'));
        expect(deleted).to.have.length(4);
    });

    it('is done all the same when the queue is away', async () => {
        await newRunningVm(app, ada, projectId);
        const id = tenantKey('platform', 'jobs', 'maintenance', 'wait');
        await app.redis.del(id);
        await app.redis.set(id, 'in the way');
        expect((await remove()).body.data.project.status).to.equal('deleting');
        await app.redis.del(id);
        expect(app.logs.filter(({ msg }) => msg === 'A removal could not be asked for')).to.have.length(1);
        driver.delay = 0;
        await app.advance(60_000);
        await app.server.plugins.vms.reconcile();
        await allDue();
        expectError(await project(), 'PROJECT_NOT_FOUND');
    });
});

describe('the purge of a user', () => {
    it('removes the projects with their VMs, also at the driver, and leaves those of others', async () => {
        const bob = await newUser(app, ada.tenantId, 'user');
        const own = [await newProject(bob, 'one'), await newProject(bob, 'two')];
        const vms = [await newVm(bob, own[0] ?? ''), await newVm(bob, own[0] ?? '', { name: 'two' })];
        const kept = await newRunningVm(app, ada, projectId);
        for (const id of vms) driver.vms.set(id, { state: 'running', ipAddress: null });
        await ada.call('DELETE', `/api/users/${bob.userId}`);
        await app.advance(31 * DAYS);
        driver.failing.add('remove');
        const { users } = app.server.plugins;
        await expect(users.purge(ada.tenantId, bob.userId)).to.reject();
        expect((await ada.call('GET', `/api/users/${bob.userId}`)).status).to.equal(200);
        driver.failing.clear();
        await users.purge(ada.tenantId, bob.userId);
        await users.purge(ada.tenantId, bob.userId);
        expectError(await ada.call('GET', `/api/users/${bob.userId}`), 'USER_NOT_FOUND');
        expect(await tracesOf(app, ada.tenantId, [...own, ...vms])).to.equal([]);
        expect([...driver.vms.keys()]).to.equal([kept]);
        expect((await project()).body.data.statistics.vmCount).to.equal(1);
    });
});

describe('the purge of a tenant', () => {
    it('removes its VMs at the driver too, and goes on where that failed', async () => {
        const id = await newRunningVm(app, ada, projectId);
        const other = await newPayingTenant(app);
        const kept = await newRunningVm(app, other, await newProject(other));
        const token = await platformToken(app);
        await app.call('DELETE', `/api/admin/tenants/${ada.tenantId}`, { token });
        await app.advance(31 * DAYS);
        driver.failing.add('remove');
        const { tenants } = app.server.plugins;
        await expect(tenants.purge(ada.tenantId)).to.reject();
        expect([...driver.vms.keys()]).to.equal([id, kept]);
        driver.failing.clear();
        await tenants.purge(ada.tenantId);
        expect([...driver.vms.keys()]).to.equal([kept]);
        expect(await app.redis.keys(tenantKey(ada.tenantId, '*'))).to.equal([]);
    });
});

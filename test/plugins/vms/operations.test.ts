import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type Answer, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectSound } from '../../helpers/billing.ts';
import { expectError } from '../../helpers/expect-error.ts';
import {
    eventsOf,
    giveCredit,
    jobOf,
    MemoryDriver,
    newPayingTenant,
    newProject,
    newRunningVm,
    newVm,
    settle,
    storedVm,
    tracesOf,
} from '../../helpers/vm.ts';

import type { TestTenant } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

let app: TestApp;
let driver: MemoryDriver;
let ada: TestTenant;
let projectId: string;

before(async () => {
    app = await startApp();
});

beforeEach(async () => {
    driver = new MemoryDriver();
    app.server.plugins.vms.runOn(driver);
    ada = await newPayingTenant(app);
    projectId = await newProject(ada);
});

after(() => app.stop());

const read = async (id: string) => (await ada.call('GET', `/api/vms/${id}`)).body.data.vm;
const ask = (id: string, operation: string) => ada.call('POST', `/api/vms/${id}/${operation}`);
const remove = (id: string, headers = {}) => ada.call('DELETE', `/api/vms/${id}`, { headers });
const finish = (id: string) => settle(app, ada.tenantId, id);
const done = async (id: string, operation: string) => {
    await ask(id, operation);
    await finish(id);
};
const stoppedVm = async () => {
    const id = await newRunningVm(app, ada, projectId);
    await done(id, 'stop');
    return id;
};
/** The changes of status, as `running>stopped`. */
const changesOf = async (vmId: string) => {
    const events = await eventsOf(app, ada.tenantId, 'vm.status_changed');
    return events.filter(({ data }) => data.vmId === vmId).map(({ data }) => `${data.from}>${data.to}`);
};
/** Until the driver has failed for good. */
const failForGood = async (id: string) => {
    const job = await jobOf(app, ada.tenantId, id);
    for (let tries = 1; tries < 5; tries++) await expect(app.server.plugins.vms.operate(job)).to.reject();
    await app.server.plugins.vms.operate(job);
};
const splitByStatus = (answers: Answer[], status: number) => [
    answers.filter((answer) => answer.status === status),
    answers.filter((answer) => answer.status !== status),
];

describe('POST /api/vms/{vmId}/stop', () => {
    it('stops a VM that runs, when its driver has done it', async () => {
        const id = await newRunningVm(app, ada, projectId);
        const { status, body, headers } = await ask(id, 'stop');
        expect([status, headers.etag]).to.equal([200, '"3"']);
        expect(body.data.vm).to.include({ status: 'running' });
        expect(body.data.vm.pending).to.include({ operation: 'stop' });
        await finish(id);
        expect(await read(id)).to.include({ status: 'stopped', pending: null, startedAt: null, uptimeSeconds: 0 });
        expect(await changesOf(id)).to.equal(['creating>running', 'running>stopped']);
        const actions = (await readAudit(app, ada.tenantId)).map(({ action, details }) => [action, details].join(' '));
        expect(actions.slice(-2)).to.equal(['vm.stop ', 'vm.operate {"operation":"stop"}']);
    });

    it('refuses one that is stopped or being created, and says so', async () => {
        const id = await stoppedVm();
        const error = expectError(await ask(id, 'stop'), 'INVALID_STATE');
        expect(error.details).to.equal({ from: 'stopped', to: 'stopped' });
        const creating = await newVm(ada, projectId, { name: 'creating' });
        const refused = expectError(await ask(creating, 'stop'), 'INVALID_STATE');
        expect(refused.details).to.equal({ from: 'creating', to: 'stopped', pending: 'create' });
    });
});

describe('POST /api/vms/{vmId}/start', () => {
    it('starts a VM that is stopped, for nothing but the minutes that it runs', async () => {
        const id = await stoppedVm();
        expect((await ask(id, 'start')).body.data.vm.pending.operation).to.equal('start');
        await finish(id);
        const vm = await read(id);
        expect(vm).to.include({ status: 'running', pending: null });
        expect(vm.startedAt).to.be.a.string();
        // It has run before in this minute.
        expect(await expectSound(app.redis, ada.tenantId)).to.equal(9_950_000n - 833n);
        expectError(await ask(id, 'start'), 'INVALID_STATE');
    });

    it('takes one of 20 at once, on two replicas, and moves the VM once', async () => {
        const { JWT_KEYS, VAULT_KEYS } = app.config;
        const replica = await startApp({ config: { JWT_KEYS, VAULT_KEYS } });
        replica.server.plugins.vms.runOn(driver);
        const id = await stoppedVm();
        const start = (n: number) =>
            (n % 2 ? app : replica).call('POST', `/api/vms/${id}/start`, { token: ada.accessToken });
        const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => start(n)));
        const [taken = [], refused = []] = splitByStatus(answers, 200);
        expect(taken).to.have.length(1);
        for (const answer of refused) {
            const { details } = expectError(answer, 'INVALID_STATE');
            expect(details).to.equal({ from: 'stopped', to: 'running', pending: 'start' });
        }
        await Promise.all([finish(id), finish(id), finish(id)]);
        expect((await changesOf(id)).filter((change) => change === 'stopped>running')).to.have.length(1);
        expect(await read(id)).to.include({ status: 'running', pending: null });
        await replica.stop();
    });

    it('needs an hour of credit, which it does not take', async () => {
        const id = await newRunningVm(app, ada, projectId, { instanceType: 'large' });
        await done(id, 'stop');
        // The creation has cost 50,000, and the minute that it ran 3,333.
        await giveCredit(app, ada.tenantId, -9_746_668n);
        const error = expectError(await ask(id, 'start'), 'INSUFFICIENT_CREDITS');
        expect(error.details).to.equal({ availableMicros: 199_999 });
        expect(await read(id)).to.include({ status: 'stopped', pending: null });
        await giveCredit(app, ada.tenantId, 1n);
        expect((await ask(id, 'start')).status).to.equal(200);
        expect(await expectSound(app.redis, ada.tenantId)).to.equal(200_000n);
    });
});

describe('POST /api/vms/{vmId}/start, stop and restart with an Idempotency-Key', () => {
    for (const operation of ['stop', 'restart', 'start'] as const) {
        it(`answer a repeat of a ${operation} as the first time, and do it once`, async () => {
            const id = operation === 'start' ? await stoppedVm() : await newRunningVm(app, ada, projectId);
            const headers = { 'idempotency-key': `${operation} once` };
            const ask = () => ada.call('POST', `/api/vms/${id}/${operation}`, { headers });
            const first = await ask();
            expect(first.body.data.vm.pending).to.include({ operation });
            await finish(id);
            const repeat = await ask();
            expect(repeat.headers['idempotent-replayed']).to.equal('true');
            expect([repeat.status, repeat.body.data]).to.equal([200, first.body.data]);
            expect(await read(id)).to.include({ pending: null });
        });
    }
});

describe('POST /api/vms/{vmId}/restart', () => {
    it('passes through stopped', async () => {
        const id = await newRunningVm(app, ada, projectId);
        const { startedAt } = await read(id);
        await app.advance(60_000);
        await done(id, 'restart');
        const vm = await read(id);
        expect(vm).to.include({ status: 'running', pending: null });
        expect(vm.startedAt > startedAt).to.be.true();
        expect(await changesOf(id)).to.equal(['creating>running', 'running>stopped', 'stopped>running']);
        expect(driver.calls.at(-1)).to.equal(`restart ${id}`);
    });

    it('refuses one that is stopped', async () => {
        const error = expectError(await ask(await stoppedVm(), 'restart'), 'INVALID_STATE');
        expect(error.details).to.equal({ from: 'stopped', to: 'stopped' });
    });

    it('is refused while another operation is pending, as every other one', async () => {
        const id = await newRunningVm(app, ada, projectId);
        await ask(id, 'restart');
        for (const operation of ['start', 'stop', 'restart']) {
            const { details } = expectError(await ask(id, operation), 'INVALID_STATE');
            expect(details).to.include({ from: 'running', pending: 'restart' });
        }
    });
});

describe('DELETE /api/vms/{vmId}', () => {
    it('terminates a VM and leaves no key, and the ledger tells of it', async () => {
        const id = await newRunningVm(app, ada, projectId, { name: 'to-go' });
        await app.redis.xadd(`tenant:{${ada.tenantId}}:vm:${id}:metrics`, '*', 'cpu', '1');
        const { status, body } = await remove(id);
        expect(status).to.equal(200);
        expect(body.data.vm.pending.operation).to.equal('remove');
        expect((await tracesOf(app, ada.tenantId, [id])).length).to.be.above(4);
        await finish(id);
        expectError(await ada.call('GET', `/api/vms/${id}`), 'VM_NOT_FOUND');
        expectError(await remove(id), 'VM_NOT_FOUND');
        expect(await tracesOf(app, ada.tenantId, [id, 'to-go'])).to.equal([]);
        expect(driver.vms.has(id)).to.be.false();
        expect(await changesOf(id)).to.equal(['creating>running', 'running>terminated']);
        const [event] = await eventsOf(app, ada.tenantId, 'vm.deleted');
        expect(event?.data).to.equal({ vmId: id, projectId, userId: ada.userId });
        const ledger = await app.redis.xrange(`tenant:{${ada.tenantId}}:credits:ledger`, '-', '+');
        expect(JSON.stringify(ledger)).to.contain(id);
        expect(await newVm(ada, projectId, { name: 'to-go' })).to.be.a.string();
    });

    it('is taken in every state, and changes only the revision that If-Match names', async () => {
        const creating = await newVm(ada, projectId, { name: 'creating' });
        expectError(await remove(creating, { 'if-match': '"5"' }), 'REVISION_MISMATCH');
        for (const id of [await stoppedVm(), creating]) {
            expect((await remove(id, id === creating ? { 'if-match': '"1"' } : {})).status).to.equal(200);
            await finish(id);
            expectError(await ada.call('GET', `/api/vms/${id}`), 'VM_NOT_FOUND');
        }
    });

    it('stays one removal when it is asked for again, and refuses all else', async () => {
        const id = await newRunningVm(app, ada, projectId);
        const answers = await Promise.all(Array.from({ length: 10 }, () => remove(id)));
        expect(answers.map(({ status }) => status)).to.equal(Array<number>(10).fill(200));
        expect(new Set(answers.map(({ body }) => body.data.vm.pending.id)).size).to.equal(1);
        expectError(await ask(id, 'stop'), 'INVALID_STATE');
        await Promise.all([finish(id), finish(id)]);
        expect(await eventsOf(app, ada.tenantId, 'vm.deleted')).to.have.length(1);
        const entries = (await readAudit(app, ada.tenantId)).filter(({ action }) => action === 'vm.delete');
        expect(entries).to.have.length(1);
    });

    it('supersedes a start, whose result changes nothing any more', async () => {
        const id = await stoppedVm();
        await ask(id, 'start');
        const start = await jobOf(app, ada.tenantId, id);
        const { body } = await remove(id);
        expect(body.data.vm.pending.operation).to.equal('remove');
        await app.server.plugins.vms.operate(start);
        expect(await read(id)).to.include({ status: 'stopped' });
        await finish(id);
        expectError(await ada.call('GET', `/api/vms/${id}`), 'VM_NOT_FOUND');
        await app.server.plugins.vms.operate(start);
        expect(driver.vms.has(id)).to.be.false();
    });

    it('leaves nothing at a driver that was making the VM meanwhile', async () => {
        const id = await newVm(ada, projectId);
        // The removal is asked for and done while the driver makes it.
        driver.during = async (operation) => {
            if (operation !== 'create') return;
            await remove(id);
            await finish(id);
        };
        await finish(id);
        expect(driver.calls).to.equal([`create ${id}`, `remove ${id}`, `remove ${id}`]);
        expect(driver.vms.size).to.equal(0);
        expectError(await ada.call('GET', `/api/vms/${id}`), 'VM_NOT_FOUND');
    });

    it('leaves nothing there either when only asked for meanwhile', async () => {
        const id = await newVm(ada, projectId);
        driver.during = async (operation) => {
            if (operation === 'create') await remove(id);
        };
        await finish(id);
        expect(driver.vms.size).to.equal(0);
        expect((await read(id)).pending.operation).to.equal('remove');
    });
});

describe('an operation whose process dies', () => {
    it('is done again when the driver has done it and nobody has written that down', async () => {
        const id = await stoppedVm();
        await ask(id, 'start');
        await driver.start({ tenantId: ada.tenantId, vmId: id });
        expect(await read(id)).to.include({ status: 'stopped' });
        await finish(id);
        expect(await read(id)).to.include({ status: 'running', pending: null });
        expect(await changesOf(id)).to.equal(['creating>running', 'running>stopped', 'stopped>running']);
    });

    it('removes at the driver what was made for a VM that is gone', async () => {
        const id = await newVm(ada, projectId);
        const job = await jobOf(app, ada.tenantId, id);
        await remove(id);
        await finish(id);
        driver.vms.set(id, { state: 'running', ipAddress: null });
        await app.server.plugins.vms.operate(job);
        expect(driver.vms.size).to.equal(0);
    });
});

describe('a driver that fails', () => {
    it('is asked five times, and then the VM is in error, with nothing told of the inside', async () => {
        driver.failing.add('create');
        const id = await newVm(ada, projectId);
        await failForGood(id);
        const vm = await read(id);
        expect(vm).to.include({ status: 'error', pending: null, errorReason: 'The VM could not be created.' });
        expect(driver.calls).to.equal(Array<string>(5).fill(`create ${id}`));
        const told = await eventsOf(app, ada.tenantId, 'vm.');
        expect(told.map(({ type }) => type)).to.equal(['vm.created', 'vm.operation_failed', 'vm.status_changed']);
        expect(told[1]?.data).to.include({ vmId: id, operation: 'create' });
        const audit = (await readAudit(app, ada.tenantId)).find(({ action }) => action === 'vm.operate');
        expect(audit).to.include({ resourceId: id, result: 'INTERNAL_ERROR' });
        const stored = JSON.stringify([await storedVm(app, ada.tenantId, id), told, audit]);
        expect(stored).to.not.contain('10.9.8.7');
        expect(JSON.stringify(app.logs)).to.contain('10.9.8.7');
    });

    it('may come to itself before that', async () => {
        driver.failing.add('create');
        const id = await newVm(ada, projectId);
        await expect(finish(id)).to.reject();
        await expect(finish(id)).to.reject();
        driver.failing.clear();
        await finish(id);
        expect(await read(id)).to.include({ status: 'running', errorReason: null });
        driver.failing.add('stop');
        await ask(id, 'stop');
        // The tries are those of one operation.
        for (let tries = 1; tries < 5; tries++) await expect(finish(id)).to.reject();
        expect(await read(id)).to.include({ status: 'running' });
    });

    it('leaves a VM in error that can be started, stopped and removed', async () => {
        const id = await newRunningVm(app, ada, projectId);
        driver.failing.add('restart');
        await ask(id, 'restart');
        await failForGood(id);
        expect(await read(id)).to.include({ status: 'error', startedAt: null });
        await done(id, 'start');
        expect(await read(id)).to.include({ status: 'running', errorReason: null });
        await ask(id, 'restart');
        await failForGood(id);
        await done(id, 'stop');
        expect(await read(id)).to.include({ status: 'stopped', errorReason: null });
        await remove(id);
        await finish(id);
        expectError(await ada.call('GET', `/api/vms/${id}`), 'VM_NOT_FOUND');
    });

    it('leaves a stopped VM that it cannot start stopped, and says why', async () => {
        const id = await stoppedVm();
        driver.vms.delete(id);
        await ask(id, 'start');
        await failForGood(id);
        const vm = await read(id);
        expect(vm).to.include({ status: 'stopped', pending: null, errorReason: 'The VM could not be started.' });
        const [event] = await eventsOf(app, ada.tenantId, 'vm.operation_failed');
        expect(event?.data).to.equal({ vmId: id, projectId, userId: ada.userId, operation: 'start' });
    });

    it('is asked for a removal as long as it takes, and tells of it once', async () => {
        const id = await newRunningVm(app, ada, projectId);
        driver.failing.add('remove');
        await remove(id);
        await failForGood(id);
        await failForGood(id);
        expect(await read(id)).to.include({ status: 'error', errorReason: 'The VM could not be removed.' });
        expect((await read(id)).pending.operation).to.equal('remove');
        expect(await eventsOf(app, ada.tenantId, 'vm.operation_failed')).to.have.length(1);
        driver.failing.clear();
        await finish(id);
        expectError(await ada.call('GET', `/api/vms/${id}`), 'VM_NOT_FOUND');
    });

    it('is asked five times for a removal too that took the place of what failed', async () => {
        const id = await newVm(ada, projectId);
        driver.failing.add('create').add('remove');
        await expect(finish(id)).to.reject();
        await expect(finish(id)).to.reject();
        await remove(id);
        await failForGood(id);
        expect(driver.calls.filter((call) => call.startsWith('remove'))).to.have.length(5);
        expect(await read(id)).to.include({ status: 'error' });
    });

    it('is not believed when a VM is in another state than was asked for', async () => {
        const id = await newRunningVm(app, ada, projectId);
        const { stop } = driver;
        driver.stop = driver.start;
        await ask(id, 'stop');
        await expect(finish(id)).to.reject();
        driver.stop = stop;
        await finish(id);
        expect(await read(id)).to.include({ status: 'stopped' });
    });
});

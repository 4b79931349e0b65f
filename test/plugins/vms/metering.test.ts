import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { dollars, type Micros } from '../../../src/money.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectSound } from '../../helpers/billing.ts';
import { DAYS } from '../../helpers/jobs.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { newTenant, platformToken, type TestTenant } from '../../helpers/tenant.ts';
import { newUser } from '../../helpers/user.ts';
import {
    eventsOf,
    giveCredit,
    MemoryDriver,
    newProject,
    newRunningVm,
    newVm,
    settle,
    storedVm,
    tracesOf,
} from '../../helpers/vm.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** What making a VM costs, and an hour of a small one: a minute is 833⅓ micro-dollars. */
const CREATION = 50_000n;
const HOURLY = 50_000n;

interface Entry {
    type: string;
    amount: Micros;
    minutes: number;
}

describe('the metering of running VMs', () => {
    let redis: TestRedis;
    let app: TestApp;
    let other: TestApp;
    let ada: TestTenant;
    let projectId: string;

    before(async () => {
        redis = await startRedis();
        const config = { ACCESS_TOKEN_TTL: DAYS / 1000, WELCOME_CREDITS: 0 };
        app = await startApp({ redisPath: redis.path, config });
        other = await startApp({ redisPath: redis.path, config: app.config });
        const driver = new MemoryDriver();
        for (const { server } of [app, other]) server.plugins.vms.runOn(driver);
    });

    after(async () => {
        await other.stop();
        await app.stop();
        await redis.stop();
    });

    beforeEach(async () => {
        ada = await newTenant(app);
        projectId = await newProject(ada);
    });

    const advance = (milliseconds: number) => Promise.all([app, other].map((one) => one.advance(milliseconds)));
    const look = () => app.server.plugins.vms.reconcile();
    const newVmFor = async (credit: Micros, more = {}) => {
        await giveCredit(app, ada.tenantId, credit);
        return newRunningVm(app, ada, projectId, more);
    };
    const ask = (id: string, operation: string) => ada.call('POST', `/api/vms/${id}/${operation}`);
    const finish = (id: string) => settle(app, ada.tenantId, id);
    /** What was charged for running. */
    const charges = async (): Promise<Entry[]> => {
        const entries = await app.redis.xrange(`${tenantKey(ada.tenantId, 'credits')}:ledger`, '-', '+');
        const field = (fields: string[], name: string) => fields[fields.indexOf(name) + 1] ?? '';
        const all = entries.map(([, fields]) => ({
            type: field(fields, 'type'),
            amount: BigInt(field(fields, 'amount')),
            minutes: Number(field(fields, 'minutes')),
        }));
        return all.filter(({ type }) => type === 'vm_running' || type === 'vm_delete');
    };
    const minutes = async () => (await charges()).reduce((sum, entry) => sum + entry.minutes, 0);
    const spent = async () => (await charges()).reduce((sum, { amount }) => sum - amount, 0n);
    const balance = () => expectSound(app.redis, ada.tenantId);

    it('charges the first minute when the VM begins to run, and each one when it begins', async () => {
        const id = await newVmFor(dollars(1));
        expect(await charges()).to.equal([{ type: 'vm_running', amount: -833n, minutes: 1 }]);
        await advance(MINUTE - 10_000);
        await look();
        expect(await minutes()).to.equal(1);
        // It is looked at again when 50 seconds have passed.
        await advance(MINUTE - 10_000);
        await look();
        expect(await minutes()).to.equal(2);
        // 833, then 1,666 - 833: a third of a micro-dollar is never lost for long.
        expect(await spent()).to.equal(1_666n);
        expect(await balance()).to.equal(dollars(1) - CREATION - 1_666n);
        expect((await ada.call('GET', `/api/vms/${id}`)).body.data.vm.costMicros).to.equal(51_666);
    });

    it('charges an hour with exactly what it is priced at', async () => {
        await newVmFor(dollars(1));
        for (let minute = 1; minute < 60; minute++) {
            await advance(MINUTE);
            await look();
        }
        expect(await minutes()).to.equal(60);
        expect(await spent()).to.equal(HOURLY);
    });

    it('charges each minute once, however many processes look, also after all were away', async () => {
        await newVmFor(dollars(5));
        await newRunningVm(app, ada, projectId, { name: 'second', instanceType: 'xlarge' });
        await advance(3 * HOUR - MINUTE);
        const due = tenantKey('platform', 'vm-tenants');
        for (let round = 0; round < 5; round++) {
            // As if each of them were due for both.
            await app.redis.zadd(due, 0, ada.tenantId);
            await Promise.all([look(), other.server.plugins.vms.reconcile()]);
        }
        expect(await minutes()).to.equal(2 * 180);
        expect(await spent()).to.equal(3n * HOURLY + 3n * 400_000n);
        await balance();
    });

    it('charges once for twenty starts at once', async () => {
        const id = await newVmFor(dollars(1));
        await ask(id, 'stop');
        await finish(id);
        await advance(10 * MINUTE);
        expect(await minutes()).to.equal(1);
        const answers = await Promise.all(Array.from({ length: 20 }, () => ask(id, 'start')));
        expect(answers.filter(({ status }) => status === 200)).to.have.length(1);
        expect(answers.filter(({ status }) => status === 409)).to.have.length(19);
        await Promise.all([finish(id), finish(id), settle(other, ada.tenantId, id)]);
        expect(await minutes()).to.equal(2);
    });

    it('charges nothing while the VM does not run, nor twice for a minute in which it ran before', async () => {
        const id = await newVmFor(dollars(1));
        for (let times = 0; times < 3; times++) {
            await ask(id, 'restart');
            await finish(id);
        }
        await ask(id, 'stop');
        await finish(id);
        await advance(2 * HOUR);
        await look();
        expect(await minutes()).to.equal(1);
    });

    it('charges the last minutes of a VM that is removed, and leaves no key behind', async () => {
        const id = await newVmFor(dollars(1));
        await advance(2 * MINUTE + 1_000);
        await ada.call('DELETE', `/api/vms/${id}`);
        await finish(id);
        expect(await charges()).to.equal([
            { type: 'vm_running', amount: -833n, minutes: 1 },
            { type: 'vm_delete', amount: -1_667n, minutes: 2 },
        ]);
        expect(await tracesOf(app, ada.tenantId, [id])).to.equal([]);
        await advance(HOUR);
        await look();
        expect(await minutes()).to.equal(3);
    });

    it('charges the last minutes of all VMs of a project that is deleted', async () => {
        const ids = [await newVmFor(dollars(1)), await newRunningVm(app, ada, projectId, { name: 'second' })];
        await advance(MINUTE + 1_000);
        expect((await ada.call('DELETE', `/api/projects/${projectId}`)).status).to.equal(200);
        // As the job of the deletion does.
        await app.server.plugins.projects.resume(ada.tenantId, projectId);
        for (const id of ids) await finish(id);
        const last = { type: 'vm_delete', amount: -833n, minutes: 1 };
        expect((await charges()).slice(2)).to.equal([last, last]);
        expect(await tracesOf(app, ada.tenantId, [...ids, projectId])).to.equal([]);
        expect(await balance()).to.equal(dollars(1) - 2n * CREATION - 4n * 833n);
    });

    it('tells when the credit is out, and stops the VM ten minutes later', async () => {
        // After the creation, 100 minutes and a bit: 100,000 - 50,000 + 34,000 = 84,000 is 100.8 minutes.
        const id = await newVmFor(134_000n);
        await advance(100 * MINUTE);
        await look();
        expect(await minutes()).to.equal(100);
        expect(await balance()).to.equal(84_000n - 83_333n);
        const [event, ...more] = await eventsOf(app, ada.tenantId, 'vm.credits_out');
        expect(more).to.equal([]);
        expect(event?.data).to.include({ vmId: id, projectId, userId: ada.userId });
        await advance(9 * MINUTE);
        await look();
        expect(await storedVm(app, ada.tenantId, id)).to.include({ status: 'running' });
        expect(await storedVm(app, ada.tenantId, id)).to.not.include('operation');
        await advance(MINUTE);
        await look();
        expect(await storedVm(app, ada.tenantId, id)).to.include({ status: 'running', operation: 'stop' });
        await finish(id);
        expect(await storedVm(app, ada.tenantId, id)).to.include({ status: 'stopped' });
        expect(await eventsOf(app, ada.tenantId, 'vm.credits_out')).to.have.length(1);
        expect(await balance()).to.equal(667n);
        expect((await ask(id, 'start')).body.error.code).to.equal('INSUFFICIENT_CREDITS');
    });

    it('goes on when credit comes within the grace, and charges the minutes between', async () => {
        const id = await newVmFor(134_000n);
        await advance(105 * MINUTE);
        await look();
        expect(await minutes()).to.equal(100);
        await giveCredit(app, ada.tenantId, dollars(1));
        await advance(MINUTE);
        await look();
        expect(await minutes()).to.equal(107);
        await advance(20 * MINUTE);
        await look();
        expect(await storedVm(app, ada.tenantId, id)).to.include({ status: 'running' });
        expect(await storedVm(app, ada.tenantId, id)).to.not.include(['operation', 'creditsOutAt']);
        expect(await minutes()).to.equal(127);
    });

    it('stops the VMs of a user who was deleted, and charges no more', async () => {
        await giveCredit(app, ada.tenantId, dollars(1));
        const bob = await newUser(app, ada.tenantId, 'user');
        const id = await newVm(bob, await newProject(bob));
        await finish(id);
        expect((await ada.call('DELETE', `/api/users/${bob.userId}`)).status).to.equal(200);
        await advance(MINUTE);
        await look();
        expect(await storedVm(app, ada.tenantId, id)).to.include({ operation: 'stop' });
        await finish(id);
        const before = await minutes();
        await advance(HOUR);
        await look();
        expect(await minutes()).to.equal(before);
    });

    it('stops the VMs of a tenant that was suspended', async () => {
        const id = await newVmFor(dollars(1));
        const token = await platformToken(app);
        const payload = { reason: 'A test' };
        await app.call('POST', `/api/admin/tenants/${ada.tenantId}/suspend`, { token, payload });
        await advance(MINUTE);
        await look();
        await finish(id);
        expect(await storedVm(app, ada.tenantId, id)).to.include({ status: 'stopped' });
        const [entry] = (await readAudit(app, ada.tenantId)).filter(({ action }) => action === 'vm.unowned');
        expect(entry).to.include({ resourceId: id, result: 'success' });
    });

    it('charges more VMs than one script takes, each once', async () => {
        const copies = 130;
        await giveCredit(app, ada.tenantId, dollars(100));
        const first = await newRunningVm(app, ada, projectId);
        const running = `${tenantKey(ada.tenantId, 'vms')}:running`;
        // Copies of one record: what is charged is all that matters here.
        const record = await storedVm(app, ada.tenantId, first);
        for (let n = 0; n < copies; n++) {
            const id = `vm_copy${n}`;
            await app.redis.hset(tenantKey(ada.tenantId, 'vm', id), { ...record, id });
            await app.redis.zadd(running, record.paidUntil ?? '', id);
        }
        await advance(MINUTE);
        await look();
        expect(await minutes()).to.equal(1 + 1 + copies);
        await balance();
    });
});

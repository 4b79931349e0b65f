import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { newKey } from '../../helpers/api-key.ts';
import { startApp, startReplicas, type Answer, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectSound } from '../../helpers/billing.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { setLimits } from '../../helpers/limits.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newUser } from '../../helpers/user.ts';
import {
    eventsOf,
    giveCredit,
    MemoryDriver,
    newPayingTenant,
    newProject,
    newRunningVm,
    newVm,
    settle,
    vmPayload,
} from '../../helpers/vm.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const NOBODYS = 'vm_00000000000000000000000000';
const statusesOf = (answers: Answer[]) => answers.map(({ status }) => status).toSorted((a, b) => a - b);
const idsOf = ({ body }: Answer) => body.data.vms.map(({ id }: { id: string }) => id);

let app: TestApp;
let driver: MemoryDriver;
let ada: TestTenant;
let projectId: string;

before(async () => {
    app = await startApp();
    driver = new MemoryDriver();
    app.server.plugins.vms.runOn(driver);
});

beforeEach(async () => {
    ada = await newPayingTenant(app);
    projectId = await newProject(ada);
});

after(() => app.stop());

const create = (more: object = {}) => ada.call('POST', '/api/vms', { payload: vmPayload(projectId, more) });

describe('GET /api/vms/pricing', () => {
    it('tells anybody what there is and what it costs', async () => {
        const { status, body } = await app.call('GET', '/api/vms/pricing');
        expect(status).to.equal(200);
        const { instanceTypes, images, ...rest } = body.data.pricing;
        expect(rest).to.equal({ currency: 'USD', creationMicros: 50_000, creation: '0.050000' });
        expect(images).to.equal(['ubuntu-22.04', 'ubuntu-24.04', 'debian-12', 'debian-13', 'fedora-42']);
        const rows = instanceTypes.map(({ name, specs, hourlyMicros, hourly }: (typeof instanceTypes)[0]) =>
            [name, specs.vcpus, specs.memoryGb, specs.diskGb, hourlyMicros, hourly].join(' '),
        );
        expect(rows).to.equal([
            'small 1 1 20 50000 0.050000',
            'medium 2 4 40 100000 0.100000',
            'large 4 8 80 200000 0.200000',
            'xlarge 8 16 160 400000 0.400000',
        ]);
    });
});

describe('POST /api/vms', () => {
    it('creates a VM, which runs when its driver has made it', async () => {
        const { status, body, headers } = await create({ instanceType: 'medium' });
        expect([status, headers.etag]).to.equal([201, '"1"']);
        const { vm } = body.data;
        expect(vm).to.include({ name: 'database', projectId, userId: ada.userId, image: 'debian-13' });
        expect(vm).to.include({ status: 'creating', driver: 'memory', isSimulated: false, ipAddress: null });
        expect(vm).to.include({ hourlyMicros: 100_000, hourly: '0.100000', costMicros: 50_000, cost: '0.050000' });
        expect(vm.specs).to.equal({ vcpus: 2, memoryGb: 4, diskGb: 40 });
        expect(vm.pending).to.include({ operation: 'create', since: vm.createdAt });
        await settle(app, ada.tenantId, vm.id);
        const made = (await ada.call('GET', `/api/vms/${vm.id}`)).body.data.vm;
        expect(made).to.include({ status: 'running', pending: null, ipAddress: '10.1.2.3', uptimeSeconds: 0 });
        expect(made).to.include({ errorReason: null, revision: 2 });
        expect(made.startedAt).to.be.a.string();
        await app.advance(90_000);
        const { uptimeSeconds } = (await ada.call('GET', `/api/vms/${vm.id}`)).body.data.vm;
        expect(uptimeSeconds >= 90 && uptimeSeconds < 120, String(uptimeSeconds)).to.be.true();
    });

    it('tells of it in events and audit, and charges for it once', async () => {
        const id = await newRunningVm(app, ada, projectId);
        const data = { vmId: id, projectId, userId: ada.userId };
        expect(await eventsOf(app, ada.tenantId, 'vm.')).to.equal([
            { type: 'vm.created', data },
            { type: 'vm.status_changed', data: { ...data, from: 'creating', to: 'running' } },
        ]);
        const audit = (await readAudit(app, ada.tenantId)).filter(({ resource }) => resource === 'vm');
        expect(audit.map(({ action, result }) => `${action} ${result}`)).to.equal([
            'vm.create success',
            'vm.operate success',
        ]);
        expect(audit[0]).to.include({ userId: ada.userId, resourceId: id });
        // And for the first minute, of which an hour has sixty.
        expect(await expectSound(app.redis, ada.tenantId)).to.equal(9_950_000n - 833n);
        const ledger = await app.redis.xrange(tenantKey(ada.tenantId, 'credits', 'ledger'), '-', '+');
        const [, fields = []] = ledger.at(-2) ?? [];
        expect(fields).to.include(['vm_create', '-50000', id, projectId, ada.userId]);
    });

    for (const [what, more, fields] of [
        ['no name', { name: undefined }, ['name']],
        ['a reserved name', { name: 'Root' }, ['name']],
        ['a name of other letters', { name: 'data base' }, ['name']],
        ['a type that is none', { instanceType: 'huge' }, ['instanceType']],
        ['an image that is none', { image: 'windows' }, ['image']],
        ['a project id of another form', { projectId: 'vm_1' }, ['projectId']],
        ['an unknown field', { status: 'running' }, ['status']],
    ] as const) {
        it(`refuses ${what}`, async () => {
            expectFaults(await create(more), [...fields]);
        });
    }

    it('takes the images of the setting', async () => {
        const own = await startApp({ config: { VM_IMAGES: ['alpine-3.22'] } });
        const tenant = await newPayingTenant(own);
        const project = await newProject(tenant);
        const make = (image: string) => tenant.call('POST', '/api/vms', { payload: vmPayload(project, { image }) });
        expectFaults(await make('debian-13'), ['image']);
        const { vm } = (await make('alpine-3.22')).body.data;
        // The driver that runs VMs unless a test says otherwise.
        expect(vm).to.include({ image: 'alpine-3.22', driver: 'simulator', isSimulated: true });
        await own.stop();
    });

    it('gives a name once in a project, also when it is asked for at once', async () => {
        await setLimits(app, ada.tenantId, { vms: 100 });
        const answers = await Promise.all(['db', 'DB', 'Db', 'db', 'dB', 'db'].map((name) => create({ name })));
        expect(statusesOf(answers)).to.equal([201, ...Array<number>(5).fill(409)]);
        for (const answer of answers.filter(({ status }) => status === 409)) expectError(answer, 'NAME_TAKEN');
        expect((await create({ name: 'db', projectId: await newProject(ada, 'other') })).status).to.equal(201);
        expect(await expectSound(app.redis, ada.tenantId)).to.equal(9_900_000n);
    });

    it('makes no more VMs than the tier allows, on two replicas at once, and charges for those it makes', async () => {
        const [one, two] = await startReplicas();
        const tenant = await newPayingTenant(one);
        const project = await newProject(tenant);
        await setLimits(one, tenant.tenantId, { vms: 3 });
        const make = (n: number) => {
            const options = { token: tenant.accessToken, payload: vmPayload(project, { name: `vm-${n}` }) };
            return (n % 2 ? one : two).call('POST', '/api/vms', options);
        };
        const answers = await Promise.all(Array.from({ length: 12 }, (_, n) => make(n)));
        expect(statusesOf(answers)).to.equal([201, 201, 201, ...Array<number>(9).fill(429)]);
        const error = expectError(await make(12), 'QUOTA_EXCEEDED');
        expect(error.details).to.equal({ quota: 'vms', used: 3, limit: 3, resetsAt: null });
        expect(await expectSound(one.redis, tenant.tenantId)).to.equal(9_850_000n);
        await one.stop();
        await two.stop();
    });

    it('refuses what cannot be paid, and makes nothing', async () => {
        const poor = await newTenant(app);
        const project = await newProject(poor);
        const make = (instanceType: string) =>
            poor.call('POST', '/api/vms', { payload: vmPayload(project, { instanceType }) });
        expectError(await make('small'), 'INSUFFICIENT_CREDITS');
        await giveCredit(app, poor.tenantId, 99_999n);
        const error = expectError(await make('small'), 'INSUFFICIENT_CREDITS');
        expect(error.details).to.equal({ availableMicros: 99_999 });
        expect((await poor.call('GET', '/api/vms')).body.data.vms).to.equal([]);
        await giveCredit(app, poor.tenantId, 300_000n);
        expectError(await make('xlarge'), 'INSUFFICIENT_CREDITS');
        await giveCredit(app, poor.tenantId, 1n);
        expect((await make('xlarge')).status).to.equal(201);
        expect(await expectSound(app.redis, poor.tenantId)).to.equal(350_000n);
    });

    it('makes as many as can be paid when they are asked for at once', async () => {
        const poor = await newTenant(app);
        const project = await newProject(poor);
        // The third one leaves 50,000, which is less than has to be there.
        await giveCredit(app, poor.tenantId, 200_000n);
        const make = (n: number) => poor.call('POST', '/api/vms', { payload: vmPayload(project, { name: `vm-${n}` }) });
        const answers = await Promise.all(Array.from({ length: 5 }, (_, n) => make(n)));
        expect(statusesOf(answers)).to.equal([201, 201, 201, 402, 402]);
        expect(await expectSound(app.redis, poor.tenantId)).to.equal(50_000n);
    });

    it('finds neither a project that does not exist nor one of somebody else', async () => {
        const colleague = await newUser(app, ada.tenantId, 'admin');
        const stranger = await newPayingTenant(app);
        for (const { call } of [colleague, stranger]) {
            const options = { payload: vmPayload(projectId) };
            expectError(await call('POST', '/api/vms', options), 'PROJECT_NOT_FOUND');
        }
        expectError(await create({ projectId: 'project_00000000000000000000000000' }), 'PROJECT_NOT_FOUND');
        expect(await expectSound(app.redis, ada.tenantId)).to.equal(10_000_000n);
    });

    it('takes the permission vm:write', async () => {
        const { secret: token } = await newKey(ada, { scopes: ['vm:read', 'project:write'] });
        expectError(await app.call('POST', '/api/vms', { token, payload: vmPayload(projectId) }), 'FORBIDDEN');
        expect((await app.call('GET', '/api/vms', { token })).status).to.equal(200);
    });

    it('is told that the queue is away by nothing but the log: the VM is there', async () => {
        const own = await startApp();
        const tenant = await newPayingTenant(own);
        const project = await newProject(tenant);
        const jobs = tenantKey('platform', 'jobs', 'maintenance', 'delayed');
        const delayed = await own.redis.dumpBuffer(jobs);
        await own.redis.del(jobs);
        await own.redis.set(jobs, 'in the way');
        const { status } = await tenant.call('POST', '/api/vms', { payload: vmPayload(project) });
        await own.redis.del(jobs);
        if (delayed) await own.redis.restore(jobs, 0, delayed);
        expect(status).to.equal(201);
        expect(own.logs.filter(({ msg }) => msg === 'A job of a VM could not be added')).to.have.length(1);
        await own.stop();
    });
});

describe('GET /api/vms', () => {
    it('lists the user’s own VMs, newest first or oldest first, page by page', async () => {
        const ids = [];
        for (const name of ['one', 'two', 'three']) ids.push(await newVm(ada, projectId, { name }));
        const colleague = await newUser(app, ada.tenantId, 'admin');
        await newVm(colleague, await newProject(colleague));
        const first = await ada.call('GET', '/api/vms?limit=2');
        const { cursor, ...rest } = first.body.pagination;
        expect(rest).to.equal({ limit: 2, hasMore: true, totalCount: 3 });
        const second = await ada.call('GET', `/api/vms?limit=2&cursor=${encodeURIComponent(cursor)}`);
        expect(second.body.pagination).to.include({ cursor: null, hasMore: false });
        expect([...idsOf(first), ...idsOf(second)]).to.equal(ids.toReversed());
        expect(idsOf(await ada.call('GET', '/api/vms?order=asc'))).to.equal(ids);
        expectError(await ada.call('GET', `/api/vms?status=running&cursor=${cursor}`), 'INVALID_CURSOR');
    });

    it('filters by project and by status', async () => {
        const other = await newProject(ada, 'other');
        const running = await newRunningVm(app, ada, projectId, { name: 'running' });
        const creating = await newVm(ada, projectId, { name: 'creating' });
        const elsewhere = await newVm(ada, other);
        expect(idsOf(await ada.call('GET', `/api/vms?projectId=${projectId}`))).to.equal([creating, running]);
        expect(idsOf(await ada.call('GET', '/api/vms?status=creating'))).to.equal([elsewhere, creating]);
        const both = await ada.call('GET', `/api/vms?status=running&projectId=${projectId}`);
        expect(idsOf(both)).to.equal([running]);
        expect(both.body.pagination).to.not.include('totalCount');
        expect(idsOf(await ada.call('GET', `/api/vms?status=error`))).to.equal([]);
        expectFaults(await ada.call('GET', '/api/vms?status=terminated'), ['status']);
        const stranger = await newTenant(app);
        expectError(await stranger.call('GET', `/api/vms?projectId=${projectId}`), 'PROJECT_NOT_FOUND');
    });

    it('goes on through a list of which most is filtered out', async () => {
        await setLimits(app, ada.tenantId, { vms: 100 });
        const ids = [];
        for (const name of ['a', 'b', 'c', 'd', 'e']) ids.push(await newVm(ada, projectId, { name }));
        for (const id of ids.slice(1, 4)) await settle(app, ada.tenantId, id);
        const first = await ada.call('GET', '/api/vms?status=creating&limit=1');
        expect(idsOf(first)).to.equal([ids[4]]);
        const { cursor } = first.body.pagination;
        const second = await ada.call('GET', `/api/vms?status=creating&limit=1&cursor=${encodeURIComponent(cursor)}`);
        expect(idsOf(second)).to.equal([ids[0]]);
    });
});

describe('PATCH /api/vms/{vmId}', () => {
    const rename = (id: string, name: string, headers = {}) =>
        ada.call('PATCH', `/api/vms/${id}`, { payload: { name }, headers });

    it('gives a VM another name, and frees the old one', async () => {
        const id = await newVm(ada, projectId, { name: 'Old' });
        const { status, body, headers } = await rename(id, 'New');
        expect([status, headers.etag]).to.equal([200, '"2"']);
        expect(body.data.vm).to.include({ id, name: 'New', status: 'creating' });
        expectError(await create({ name: 'new' }), 'NAME_TAKEN');
        const other = await newVm(ada, projectId, { name: 'old' });
        expectError(await rename(other, 'NEW'), 'NAME_TAKEN');
        expect((await rename(other, 'OLD')).status).to.equal(200);
        const events = await eventsOf(app, ada.tenantId, 'vm.updated');
        expect(events[0]?.data).to.equal({ vmId: id, projectId, userId: ada.userId });
    });

    it('changes only the revision that If-Match names, and no other field', async () => {
        const id = await newVm(ada, projectId);
        expectError(await rename(id, 'a', { 'if-match': '"7"' }), 'REVISION_MISMATCH');
        expect((await rename(id, 'a', { 'if-match': '"1"' })).status).to.equal(200);
        expectFaults(await rename(id, 'api'), ['name']);
        const payload = { name: 'b', status: 'running' };
        expectFaults(await ada.call('PATCH', `/api/vms/${id}`, { payload }), ['status']);
    });
});

describe('a VM of somebody else', () => {
    it('is not found, whether he is in the tenant or not', async () => {
        const vmId = await newRunningVm(app, ada, projectId);
        const others = [await newUser(app, ada.tenantId, 'admin'), await newTenant(app)];
        const called = driver.calls.length;
        for (const { call } of others) {
            for (const url of [`/api/vms/${vmId}`, `/api/vms/${NOBODYS}`]) {
                expectError(await call('GET', url), 'VM_NOT_FOUND');
                expectError(await call('PATCH', url, { payload: { name: 'mine' } }), 'VM_NOT_FOUND');
                expectError(await call('DELETE', url), 'VM_NOT_FOUND');
                for (const operation of ['start', 'stop', 'restart']) {
                    expectError(await call('POST', `${url}/${operation}`), 'VM_NOT_FOUND');
                }
            }
        }
        const { vm } = (await ada.call('GET', `/api/vms/${vmId}`)).body.data;
        expect([vm.status, vm.pending, vm.revision]).to.equal(['running', null, 2]);
        expect(driver.calls.length).to.equal(called);
    });
});

describe('GET /api/projects/{projectId} with VMs', () => {
    it('shows the VMs, newest first, and adds up what they cost', async () => {
        const one = await newRunningVm(app, ada, projectId, { name: 'one', instanceType: 'large' });
        const two = await newRunningVm(app, ada, projectId, { name: 'two' });
        const three = await newVm(ada, projectId, { name: 'three' });
        await ada.call('POST', `/api/vms/${two}/stop`);
        await settle(app, ada.tenantId, two);
        await newVm(ada, await newProject(ada, 'other'));
        const { body } = await ada.call('GET', `/api/projects/${projectId}`);
        expect(body.data.vms.map(({ id }: { id: string }) => id)).to.equal([three, two, one]);
        expect(body.data.vms[2]).to.include({
            name: 'one',
            status: 'running',
            hourlyMicros: 200_000,
            // With its first minute.
            cost: '0.053333',
        });
        expect(body.data.statistics).to.equal({
            vmCount: 3,
            running: 1,
            stopped: 1,
            error: 0,
            creating: 1,
            totalCostMicros: 53_333 + 50_833 + 50_000,
            totalCost: '0.154166',
            hourlyCostMicros: 200_000,
            hourlyCost: '0.200000',
        });
    });
});

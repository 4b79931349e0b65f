import { newTenant, type TestTenant } from './tenant.ts';
import { scriptEntry } from '../../plugins/billing/entry.ts';
import { BillingStore } from '../../plugins/billing/store.ts';
import { dollars, type Micros } from '../../src/money.ts';
import { tenantKey } from '../../src/redis/keys.ts';

import type { Answer, TestApp } from './app.ts';
import type { DriverMetrics, DriverVm, VmDriver, VmOperation, VmPlace } from '../../plugins/vms/drivers/driver.ts';

/** Runs VMs in the memory of the test, and fails when it is told to. */
export class MemoryDriver implements VmDriver {
    readonly name: string;
    readonly vms = new Map<string, DriverVm>();
    /** Each operation that was asked for, as `start vm_…`. */
    readonly calls: string[] = [];
    /** Operations that fail. */
    readonly failing = new Set<VmOperation | 'inspect'>();
    /** What is waited for in the middle of an operation. */
    during: (operation: VmOperation, place: VmPlace) => Promise<void> = async () => undefined;
    delay = 0;

    constructor(name = 'memory') {
        this.name = name;
    }

    delayMs = (): number => this.delay;
    create = (place: VmPlace) => this.#set('create', place, 'running');
    start = (place: VmPlace) => this.#set('start', place, 'running');
    stop = (place: VmPlace) => this.#set('stop', place, 'stopped');
    restart = (place: VmPlace) => this.#set('restart', place, 'running');
    metrics = async (): Promise<DriverMetrics | null> => null;

    remove = async (place: VmPlace): Promise<void> => {
        await this.#enter('remove', place);
        this.vms.delete(place.vmId);
    };

    inspect = async ({ vmId }: VmPlace): Promise<DriverVm | null> => {
        if (this.failing.has('inspect')) throw new Error('The hypervisor at 10.9.8.7 is away');
        return this.vms.get(vmId) ?? null;
    };

    async #set(operation: VmOperation, place: VmPlace, state: DriverVm['state']): Promise<DriverVm> {
        await this.#enter(operation, place);
        if (operation !== 'create' && !this.vms.has(place.vmId)) throw new Error('There is no such VM');
        const vm = { state, ipAddress: '10.1.2.3' };
        this.vms.set(place.vmId, vm);
        return vm;
    }

    async #enter(operation: VmOperation, place: VmPlace): Promise<void> {
        this.calls.push(`${operation} ${place.vmId}`);
        await this.during(operation, place);
        if (this.failing.has(operation)) throw new Error('The hypervisor at 10.9.8.7 is away');
    }
}

/** Gives a tenant credit. */
export async function giveCredit(app: TestApp, tenantId: string, amount: Micros): Promise<void> {
    const entry = scriptEntry({ type: 'credit_add', payer: null });
    await new BillingStore(app.store, Date.now).grant(tenantId, {
        id: entry.id,
        amount,
        most: dollars(10_000),
        entry,
        outbox: {},
    });
}

/** A fresh tenant with ten dollars. */
export async function newPayingTenant(app: TestApp): Promise<TestTenant> {
    const tenant = await newTenant(app);
    await giveCredit(app, tenant.tenantId, dollars(10));
    return tenant;
}

type Caller = Pick<TestTenant, 'call'>;

const created = (answer: Answer): Answer['body'] => {
    if (answer.status !== 201) throw new Error(`Not created: ${answer.text}`);
    return answer.body.data;
};

/** A new project of a user. */
export async function newProject(user: Caller, name = 'web-shop'): Promise<string> {
    return created(await user.call('POST', '/api/projects', { payload: { name } })).project.id;
}

export const vmPayload = (projectId: string, more: object = {}): object => ({
    name: 'database',
    projectId,
    instanceType: 'small',
    image: 'debian-13',
    ...more,
});

/** A new VM of a user, which is being created. */
export async function newVm(user: Caller, projectId: string, more: object = {}): Promise<string> {
    return created(await user.call('POST', '/api/vms', { payload: vmPayload(projectId, more) })).vm.id;
}

const vmKey = (tenantId: string, vmId: string): string => tenantKey(tenantId, 'vm', vmId);

/** What is stored of a VM. */
export const storedVm = (app: TestApp, tenantId: string, vmId: string): Promise<Record<string, string>> =>
    app.redis.hgetall(vmKey(tenantId, vmId));

/** The job of a VM's pending operation. */
export async function jobOf(app: TestApp, tenantId: string, vmId: string) {
    const { operationId = 'none' } = await storedVm(app, tenantId, vmId);
    return { tenantId, vmId, operationId };
}

/** Does what is pending of a VM. */
export async function settle(app: TestApp, tenantId: string, vmId: string): Promise<void> {
    await app.server.plugins.vms.operate(await jobOf(app, tenantId, vmId));
}

/** A new VM that runs. */
export async function newRunningVm(app: TestApp, tenant: TestTenant, projectId: string, more = {}): Promise<string> {
    const id = await newVm(tenant, projectId, more);
    await settle(app, tenant.tenantId, id);
    return id;
}

/** All keys of a tenant whose name has one of the ids, or whose value has, but for what tells of the past. */
export async function tracesOf(app: TestApp, tenantId: string, ids: string[]): Promise<string[]> {
    const past = /:(events|audit|credits.*|user:[^:]+:audit|vms:removed|idempotency:.*)$/;
    const keys = (await app.redis.keys(tenantKey(tenantId, '*'))).filter((key) => !past.test(key));
    const values = await Promise.all(keys.map((key) => valueOf(app, key)));
    return keys.filter((key, n) => ids.some((id) => key.includes(id) || values[n]?.includes(id)));
}

/** All that is in a key, as text: a dump may be compressed. */
async function valueOf({ redis }: TestApp, key: string): Promise<string> {
    const readers: Record<string, () => Promise<unknown>> = {
        string: () => redis.get(key),
        hash: () => redis.hgetall(key),
        set: () => redis.smembers(key),
        zset: () => redis.zrange(key, 0, '-1'),
        stream: () => redis.xrange(key, '-', '+'),
        list: () => redis.lrange(key, 0, -1),
    };
    const type = await redis.type(key);
    const read = readers[type];
    if (!read && type !== 'none') throw new Error(`Nobody has said how to read a ${type}`);
    return JSON.stringify(await read?.()) ?? '';
}

export interface TestEvent {
    type: string;
    // oxlint-disable-next-line typescript/no-explicit-any -- a test says what it expects of an event
    data: any;
}

/** The events of a tenant whose type begins so, oldest first. */
export async function eventsOf(app: TestApp, tenantId: string, begin: string): Promise<TestEvent[]> {
    const entries = await app.redis.xrange(tenantKey(tenantId, 'events'), '-', '+');
    return entries
        .map(([, [, type = '', , data = '{}']]) => ({ type, data: JSON.parse(data) }))
        .filter(({ type }) => type.startsWith(begin));
}

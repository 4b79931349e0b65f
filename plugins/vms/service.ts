import { CREATION_COST, instanceTypeOf, neededToCreate } from './instance-types.ts';
import { firstStatusOf, type Operations } from './operations.ts';
import { publicVm, type PublicVm } from './public-vm.ts';
import { apiError } from '../../src/http/errors.ts';
import { newId } from '../../src/ids.ts';
import { audited, type AuditEntry, type EventEntry } from '../../src/redis/outbox.ts';
import { scriptCharge, type BillingService } from '../billing/api.ts';

import type { Vm } from './api.ts';
import type { VmDriver, VmOperation } from './drivers/driver.ts';
import type { CreateVm } from './schemas.ts';
import type { NewVm, VmListQuery, VmPage, VmStore } from './store.ts';
import type { TenantStore } from './tenant-store.ts';
import type { Clock } from '../../src/clock.ts';
import type { Actor } from '../../src/types/actor.ts';
import type { ProjectService } from '../projects/api.ts';
import type { Tiers } from '../tenants/api.ts';

export interface VmParts {
    store: VmStore;
    tenants: TenantStore;
    operations: Operations;
    projects: Pick<ProjectService, 'get'>;
    billing: Pick<BillingService, 'refusal'>;
    driver: VmDriver;
    tiers: Tiers;
    clock: Clock;
}

/** A page of VMs as their user sees them. */
export interface PublicVmPage extends Omit<VmPage, 'items'> {
    items: PublicVm[];
}

export type VmService = ReturnType<typeof createVmService>;

/** VMs of a user; another user's are not found. */
export function createVmService(parts: VmParts) {
    const { store, projects, clock } = parts;
    const shown = (vm: Vm): PublicVm => publicVm(vm, clock());
    return {
        /**
         * @throws PROJECT_NOT_FOUND, PROJECT_DELETING, NAME_TAKEN, QUOTA_EXCEEDED, INSUFFICIENT_CREDITS,
         *   SPEND_LIMIT_REACHED
         */
        create: async (actor: Actor, details: CreateVm): Promise<PublicVm> =>
            shown(await create(parts, actor, details)),

        /** @throws INVALID_CURSOR, PROJECT_NOT_FOUND */
        async list(actor: Actor, query: VmListQuery): Promise<PublicVmPage> {
            if (query.projectId !== undefined) await projects.get(actor, query.projectId);
            const { items, pagination } = await store.list(placeOf(actor), query);
            return { items: items.map(shown), pagination };
        },

        /** @throws VM_NOT_FOUND */
        get: async (actor: Actor, id: string): Promise<PublicVm> => shown(await store.records.get(placeOf(actor), id)),

        /** For what is told of a VM elsewhere. @throws VM_NOT_FOUND */
        async find({ tenantId, userId }: Actor, id: string): Promise<Vm & { tenantId: string }> {
            return { tenantId, ...(await store.records.get({ tenantId, ownerId: userId }, id)) };
        },

        /** @throws VM_NOT_FOUND, REVISION_MISMATCH, NAME_TAKEN */
        async rename(actor: Actor, id: string, name: string, revision?: number): Promise<PublicVm> {
            const place = placeOf(actor);
            const vm = await store.records.get(place, id);
            const data = { vmId: id, projectId: vm.projectId, userId: vm.userId };
            const event: EventEntry = { type: 'vm.updated', data };
            const outbox = { events: [event], audit: [entryOf(actor, 'update', id)] };
            return shown(await store.rename(place, vm, name, { revision, outbox }));
        },

        /** @throws VM_NOT_FOUND, INVALID_STATE, INSUFFICIENT_CREDITS, SPEND_LIMIT_REACHED */
        operate: async (actor: Actor, id: string, operation: 'start' | 'stop' | 'restart'): Promise<PublicVm> =>
            shown(await operate(parts, actor, id, operation)),

        /** Asks for the removal of a VM, whatever it does. @throws VM_NOT_FOUND, REVISION_MISMATCH */
        async remove(actor: Actor, id: string, revision?: number): Promise<PublicVm> {
            const outbox = { audit: [entryOf(actor, 'delete', id)] };
            const beginning = { operation: 'remove', revision, outbox } as const;
            const begun = await parts.operations.begin(placeOf(actor), id, beginning);
            // A removal is taken in every state.
            if (!('vm' in begun)) throw apiError('VM_NOT_FOUND');
            return shown(begun.vm);
        },
    };
}

async function create(parts: VmParts, actor: Actor, details: CreateVm): Promise<Vm> {
    const { store, tenants, operations, billing, driver, tiers } = parts;
    const { tenantId } = actor;
    const vm = draftOf(actor, details, driver.name);
    const { id, projectId, instanceType } = vm;
    const event: EventEntry = { type: 'vm.created', data: { vmId: id, projectId, userId: actor.userId } };
    const about = `vm:${id}`;
    const entry = { fields: { vmId: id, projectId, instanceType }, sums: [about], index: [about] };
    const least = neededToCreate(instanceTypeOf(instanceType));
    // Whatever becomes of the creation, the tenant is looked at from now on.
    await tenants.note(tenantId);
    const creation = await store.create(tenantId, vm, {
        most: tiers.limitsOf(actor.tier, null).vms,
        charge: scriptCharge(`create-${id}`, actor, CREATION_COST, { type: 'vm_create', ...entry }, least),
        outbox: { events: [event], audit: [entryOf(actor, 'create', id, { projectId, instanceType })] },
    });
    if ('payment' in creation) throw billing.refusal(creation.payment);
    if ('most' in creation) {
        const limit = creation.most;
        throw apiError('QUOTA_EXCEEDED', { details: { quota: 'vms', used: limit, limit, resetsAt: null } });
    }
    await operations.schedule(tenantId, creation.vm, { requestId: actor.requestId });
    return creation.vm;
}

const draftOf = ({ userId }: Actor, details: CreateVm, driver: string): NewVm => ({
    id: newId('vm'),
    userId,
    ...details,
    status: 'creating',
    driver,
    ipAddress: null,
    operation: 'create',
    operationId: newId('op'),
    operationTries: null,
    operationTriedAt: null,
    startedAt: null,
    paidUntil: null,
    costMicros: String(CREATION_COST),
    creditsOutAt: null,
    errorReason: null,
});

async function operate(
    { store, operations, billing }: VmParts,
    actor: Actor,
    id: string,
    operation: 'start' | 'stop' | 'restart',
): Promise<Vm> {
    const to = firstStatusOf(operation);
    const begun = await operations.begin(placeOf(actor), id, {
        operation,
        to,
        ...(operation === 'start' && { needs: await needsOf(store, actor, id) }),
        outbox: { audit: [entryOf(actor, operation, id)] },
    });
    if ('vm' in begun) return begun.vm;
    if ('payment' in begun) throw billing.refusal(begun.payment);
    const { from, pending } = begun;
    throw apiError('INVALID_STATE', { details: { from, to, ...(pending !== null && { pending }) } });
}

/** An hour of its running. @throws VM_NOT_FOUND */
async function needsOf(store: VmStore, actor: Actor, id: string): Promise<{ least: string; who: string[] }> {
    const { hourly } = instanceTypeOf((await store.records.get(placeOf(actor), id)).instanceType);
    const { who } = scriptCharge(id, actor, hourly, { type: 'vm_running' });
    return { least: String(hourly), who };
}

const placeOf = ({ tenantId, userId }: Actor) => ({ tenantId, ownerId: userId });

function entryOf(
    actor: Actor,
    action: VmOperation | 'update' | 'delete',
    id: string,
    details?: Record<string, unknown>,
): AuditEntry {
    const entry = { action: `vm.${action}`, resource: 'vm', resourceId: id, result: 'success' };
    return audited(actor, { ...entry, ...(details && { details }) });
}

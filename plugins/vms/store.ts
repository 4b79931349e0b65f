import { namesKey, projectVmsKey, tenantVmsKey } from './keys-store.ts';
import { apiError, type ErrorCode } from '../../src/http/errors.ts';
import { isoTime, RecordCodec, type Fields } from '../../src/redis/codec.ts';
import { Collection, type ChangeOptions, type Place } from '../../src/redis/collection.ts';
import { openCursor, sealCursor } from '../../src/redis/cursor.ts';
import { outboxKeys, outboxLists, type Outbox } from '../../src/redis/outbox.ts';

import type { Vm, VmStatus } from './api.ts';
import type { VmOperation } from './drivers/driver.ts';
import type { Page, PageQuery } from '../../src/redis/collection.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';
import type { Vault } from '../../src/security/vault.ts';
import type { PaymentReply, ScriptCharge } from '../billing/api.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);
/** How many VMs a page of a list looks at. */
const MOST_LOOKED_AT = 2_000;
/** How many records are read in one go. */
const READ_BATCH = 200;

const FIELDS: Fields<Vm> = {
    userId: 'text',
    projectId: 'text',
    name: 'text',
    instanceType: 'text',
    image: 'text',
    status: 'text',
    driver: 'text',
    ipAddress: 'text',
    operation: 'text',
    operationId: 'text',
    operationAt: 'time',
    operationTries: 'number',
    operationTriedAt: 'time',
    startedAt: 'time',
    paidUntil: 'number',
    costMicros: 'text',
    creditsOutAt: 'time',
    errorReason: 'text',
};

/** A VM still to be created; the operation that makes it has the time of its creation. */
export type NewVm = Omit<Vm, 'revision' | 'createdAt' | 'updatedAt' | 'operationAt'>;
/** The VM, or how many its user may have and has, or why it is not paid. */
export type Creation = { vm: Vm } | { most: number } | { payment: PaymentReply };

/** An operation that is asked for. */
export interface Beginning {
    operation: VmOperation;
    operationId: string;
    /** The status it leads to, or first passes through. */
    to?: VmStatus;
    /** Whatever the status is. */
    isForced?: boolean;
    revision?: number | undefined;
    /** The credit that has to be there, by whose limits. */
    needs?: { least: string; who: string[] };
    outbox: Outbox;
}

/** The VM, or what it does instead, or why it is not paid. */
export type Begun = { vm: Vm } | { from: VmStatus; pending: VmOperation | null } | { payment: PaymentReply };

export interface VmListQuery extends Omit<PageQuery, 'order'> {
    projectId?: string | undefined;
    status?: VmStatus | undefined;
}

/** A page; what is filtered by status is not counted. */
export interface VmPage {
    items: Vm[];
    pagination: Omit<Page<never>['pagination'], 'totalCount'> & { totalCount?: number };
}

/** Where records of other features live that a VM's change looks at. */
export interface ForeignKeys {
    project: (tenantId: string, projectId: string) => string;
    tenant: (tenantId: string) => string;
    credits: (tenantId: string) => string;
}

type ScriptName = 'create-vm' | 'rename-vm' | 'begin-operation' | 'list-vms';

/** VMs of users in projects: `vm:<id>`, lists by user, project and tenant, and their names in a project. */
export class VmStore {
    readonly records: Collection<Vm>;
    readonly #store: Datastore;
    readonly #vault: Vault;
    readonly #foreign: ForeignKeys;
    readonly #codec = new RecordCodec<Vm>(FIELDS);
    readonly #run: Record<ScriptName, RunScript>;

    constructor(store: Datastore, vault: Vault, foreign: ForeignKeys) {
        this.#store = store;
        this.#vault = vault;
        this.#foreign = foreign;
        this.records = new Collection<Vm>(store, vault, {
            name: 'vm',
            owner: 'userId',
            fields: FIELDS,
            orders: { created: { by: 'createdAt', index: (userId) => ['user', userId, 'vms'] } },
            notFound: 'VM_NOT_FOUND',
        });
        this.#run = {
            'create-vm': store.script(lua('create-vm')),
            'rename-vm': store.script(lua('rename-vm')),
            'begin-operation': store.script(lua('begin-operation')),
            'list-vms': store.script(lua('list-vms')),
        };
    }

    /** @param most What the tier allows; null: no limit. @throws PROJECT_NOT_FOUND, PROJECT_DELETING, NAME_TAKEN */
    async create(
        tenantId: string,
        vm: NewVm,
        { most, charge, outbox }: { most: number | null; charge: ScriptCharge; outbox: Outbox },
    ): Promise<Creation> {
        const { id, ...values } = vm;
        const { name, userId: ownerId, projectId } = values;
        const keys = [
            this.records.key(tenantId, id),
            ...outboxKeys(tenantId),
            this.#foreign.project(tenantId, projectId),
            this.records.orderKey({ tenantId, ownerId }, 'created'),
            projectVmsKey(tenantId, projectId),
            namesKey(tenantId, projectId),
            tenantVmsKey(tenantId),
            this.#foreign.tenant(tenantId),
            this.#foreign.credits(tenantId),
        ];
        const { set: fields } = this.#codec.encode(values);
        const body = { id, ownerId, name, fields, most, charge, ...outboxLists(outbox) };
        const reply = (await this.#run['create-vm'](keys, [JSON.stringify(body)])) as [number, ...unknown[]];
        const [code, figure = 0] = reply as [number, number?];
        if (code === -3) return { most: figure };
        if (code === -4) return { payment: reply.slice(1) as PaymentReply };
        if (code !== 1) throw apiError(CREATE_REFUSALS[code] ?? 'PROJECT_NOT_FOUND');
        const time = isoTime(figure);
        return { vm: { ...vm, revision: 1, createdAt: time, updatedAt: time, operationAt: time } };
    }

    /** @throws VM_NOT_FOUND, REVISION_MISMATCH, NAME_TAKEN */
    async rename(place: Required<Place>, vm: Vm, name: string, { revision, outbox = {} }: ChangeOptions): Promise<Vm> {
        const { tenantId, ownerId } = place;
        const keys = [this.records.key(tenantId, vm.id), ...outboxKeys(tenantId), namesKey(tenantId, vm.projectId)];
        const change = { ...guardOf(vm.id, revision, ownerId), name, ...outboxLists(outbox) };
        const reply = await this.#run['rename-vm'](keys, [JSON.stringify(change)]);
        const [code, flat = []] = reply as [number, string[]?];
        if (code === -2) throw apiError('NAME_TAKEN');
        return this.#read(code, flat);
    }

    /**
     * Makes an operation the pending one; a removal that is pending stays the one it is.
     *
     * @throws VM_NOT_FOUND, REVISION_MISMATCH
     */
    async begin({ tenantId, ownerId }: Place, id: string, beginning: Beginning): Promise<Begun> {
        const { needs, outbox, revision, ...rest } = beginning;
        const keys = [this.records.key(tenantId, id), ...outboxKeys(tenantId), this.#foreign.credits(tenantId)];
        const change = { ...guardOf(id, revision, ownerId), ...rest, ...needs, ...outboxLists(outbox) };
        const reply = await this.#run['begin-operation'](keys, [JSON.stringify(change)]);
        const [code, first, second] = reply as [number, unknown, unknown];
        if (code === -2) return { from: first as VmStatus, pending: second === '' ? null : (second as VmOperation) };
        if (code === -3) return { payment: [first, second] as PaymentReply };
        return { vm: this.#read(code, first as string[]) };
    }

    /** @throws INVALID_CURSOR */
    async list(place: Required<Place>, { projectId, status, direction, limit, cursor }: VmListQuery): Promise<VmPage> {
        const { tenantId } = place;
        const all = this.records.orderKey(place, 'created');
        const order = projectId === undefined ? all : projectVmsKey(tenantId, projectId);
        const list = `${order}:${direction}:${status ?? ''}`;
        const from = cursor === undefined ? { score: '', id: '' } : openCursor(this.#vault, list, cursor);
        const [reply, totalCount] = await Promise.all([
            this.#run['list-vms'](
                [order, this.records.key(tenantId, '')],
                [direction, limit, from.score, from.id, MOST_LOOKED_AT, status ?? ''],
            ),
            status === undefined ? this.#store.redis.zcard(order) : undefined,
        ]);
        const [more, score, id, ...found] = reply as [number, string, string, ...string[][]];
        const next = more === 1 ? sealCursor(this.#vault, list, { score, id }) : null;
        return {
            items: found.map((flat) => this.records.decode(flat)),
            pagination: {
                cursor: next,
                limit,
                hasMore: next !== null,
                ...(totalCount !== undefined && { totalCount }),
            },
        };
    }

    /** The VMs of a project, newest first. */
    ofProject(tenantId: string, projectId: string): AsyncGenerator<Vm[]> {
        return this.#all(tenantId, projectVmsKey(tenantId, projectId));
    }

    /** The VMs of a tenant, newest first. */
    ofTenant(tenantId: string): AsyncGenerator<Vm[]> {
        return this.#all(tenantId, tenantVmsKey(tenantId));
    }

    /** A key that exists as long as there are VMs in a project. */
    contentsKey = (tenantId: string, projectId: string): string => projectVmsKey(tenantId, projectId);

    async *#all(tenantId: string, list: string): AsyncGenerator<Vm[]> {
        const ids = await this.#store.redis.zrevrange(list, 0, -1);
        for (let from = 0; from < ids.length; from += READ_BATCH) {
            const batch = ids.slice(from, from + READ_BATCH);
            const found = await Promise.all(batch.map((id) => this.records.find({ tenantId }, id)));
            yield found.filter((vm) => vm !== null);
        }
    }

    #read(code: number, flat: string[]): Vm {
        if (code === -1) throw apiError('REVISION_MISMATCH');
        if (code !== 1) throw apiError('VM_NOT_FOUND');
        return this.records.decode(flat);
    }
}

const CREATE_REFUSALS: Record<number, ErrorCode> = {
    0: 'PROJECT_NOT_FOUND',
    [-1]: 'PROJECT_DELETING',
    [-2]: 'NAME_TAKEN',
};

const guardOf = (id: string, revision: number | undefined, ownerId: string | undefined) => ({
    id,
    ...(ownerId !== undefined && { ownerField: 'userId', ownerId }),
    ...(revision !== undefined && { revision: String(revision) }),
});

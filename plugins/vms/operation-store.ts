import { namesKey, projectVmsKey, removedKey, runningKey, tenantVmsKey } from './keys-store.ts';
import { newMeter } from './meter.ts';
import { outboxKeys, outboxLists, type AuditEntry } from '../../src/redis/outbox.ts';

import type { Vm, VmStatus } from './api.ts';
import type { MetricsStore } from './metrics-store.ts';
import type { ForeignKeys, VmStore } from './store.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);

/** A restart ends one stretch of running, and begins another. */
const MOST_CHARGES = 2;

/** What has become of an operation. */
export interface Result {
    operationId: string;
    audit: AuditEntry[];
}

/** Where else a change of a VM leads. */
export interface OperationKeys extends Pick<ForeignKeys, 'credits'> {
    metrics: MetricsStore['key'];
}

type ScriptName = 'end' | 'fail' | 'remove' | 'mend' | 'take';

/** What operations come to, as workers write it down. */
export class OperationStore {
    readonly #store: Datastore;
    readonly #vms: VmStore;
    readonly #foreign: OperationKeys;
    readonly #run: Record<ScriptName, RunScript>;

    constructor(store: Datastore, vms: VmStore, foreign: OperationKeys) {
        this.#foreign = foreign;
        this.#store = store;
        this.#vms = vms;
        this.#run = {
            end: store.script(lua('end-operation')),
            fail: store.script(lua('fail-operation')),
            remove: store.script(lua('remove-vm')),
            mend: store.script(lua('mend-vm')),
            take: store.script(lua('take-operation')),
        };
    }

    /** Whether it was still pending, and is applied. */
    async end(tenantId: string, id: string, result: Result & { statuses: VmStatus[]; ipAddress: string | null }) {
        const { ipAddress, ...rest } = result;
        return (await this.#change('end', tenantId, id, { ...rest, ipAddress: ipAddress ?? undefined })) === 1;
    }

    /** @param failure With the most tries there are */
    async fail(tenantId: string, id: string, failure: Result & { most: number; reason: string }) {
        const code = await this.#change('fail', tenantId, id, failure);
        return code === 0 ? 'superseded' : code === 1 ? 'again' : 'given up';
    }

    /** Removes a VM that its driver has removed; whether that was still asked for. */
    async remove(tenantId: string, { id, userId, projectId }: Vm, result: Result): Promise<boolean> {
        const keys = [
            this.#vms.records.orderKey({ tenantId, ownerId: userId }, 'created'),
            projectVmsKey(tenantId, projectId),
            namesKey(tenantId, projectId),
            tenantVmsKey(tenantId),
            removedKey(tenantId),
            this.#foreign.metrics({ tenantId, vmId: id }),
        ];
        return (await this.#change('remove', tenantId, id, { id, ...result }, keys)) === 1;
    }

    /** Whether nothing has changed since that revision, and it has the other status now. */
    async mend(
        tenantId: string,
        { id, revision }: Vm,
        change: { to: VmStatus; reason?: string; audit: AuditEntry[] },
    ): Promise<boolean> {
        return (await this.#change('mend', tenantId, id, { revision: String(revision), ...change })) === 1;
    }

    /** When it was taken up by this call; 0 unless it is pending and nothing was heard of it for so long. */
    async take(tenantId: string, id: string, operationId: string, patienceMs: number): Promise<number> {
        return Number(await this.#run.take([this.#vms.records.key(tenantId, id)], [operationId, patienceMs]));
    }

    /** Ids of VMs that were removed in the time before; older ones are forgotten. */
    async removedSince(tenantId: string, time: number): Promise<string[]> {
        const key = removedKey(tenantId);
        await this.#store.redis.zremrangebyscore(key, '-inf', time);
        return this.#store.redis.zrange(key, 0, '-1');
    }

    async #change(script: ScriptName, tenantId: string, id: string, change: object, keys: string[] = []) {
        const { audit, ...rest } = change as { audit: AuditEntry[] };
        const all = [
            this.#vms.records.key(tenantId, id),
            ...outboxKeys(tenantId),
            this.#foreign.credits(tenantId),
            runningKey(tenantId),
            ...keys,
        ];
        const whole = { ...rest, meter: newMeter(MOST_CHARGES), audit: outboxLists({ audit }).audit };
        return Number(await this.#run[script](all, [JSON.stringify(whole)]));
    }
}

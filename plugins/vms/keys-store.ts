import { tenantKey } from '../../src/redis/keys.ts';

/** A project's VMs by creation: it exists as long as there is one. */
export const projectVmsKey = (tenantId: string, projectId: string): string =>
    tenantKey(tenantId, 'project', projectId, 'vms');
/** The same by name, in lower case. */
export const namesKey = (tenantId: string, projectId: string): string =>
    tenantKey(tenantId, 'project', projectId, 'vms', 'names');
/** All VMs of a tenant by creation. */
export const tenantVmsKey = (tenantId: string): string => tenantKey(tenantId, 'vms');
/** Those that were removed lately. */
export const removedKey = (tenantId: string): string => tenantKey(tenantId, 'vms', 'removed');
/** Those that run, by up to when they are paid. */
export const runningKey = (tenantId: string): string => tenantKey(tenantId, 'vms', 'running');

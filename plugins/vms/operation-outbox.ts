import type { Vm } from './api.ts';
import type { VmOperation } from './drivers/driver.ts';
import type { AuditEntry } from '../../src/redis/outbox.ts';

/** What nobody asked for at that moment: the end of an operation, or what a look at the driver or the credits has shown. */
export const auditOf = (
    action: 'operate' | 'mend' | 'unpaid' | 'unowned',
    { id }: Pick<Vm, 'id'>,
    result: 'success' | 'INTERNAL_ERROR',
    details: { operation: VmOperation } | { to: string },
): AuditEntry[] => [{ action: `vm.${action}`, resource: 'vm', resourceId: id, result, details }];

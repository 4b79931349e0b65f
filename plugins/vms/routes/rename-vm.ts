import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf, ifMatchHeaders, revisionOf } from '../../../src/http/if-match.ts';
import { renameVmPayload, vmAnswer, vmExample, vmParams, type RenameVm, type VmParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { VmService } from '../service.ts';

export const renameVm = (vms: VmService): ServerRoute<{ Params: VmParams; Payload: RenameVm }> => ({
    method: 'PATCH',
    path: '/api/vms/{vmId}',
    options: {
        ...describeRoute('Rename a VM', {
            tag: 'vms',
            answer: vmAnswer,
            example: { vm: { ...vmExample, name: 'database-2', revision: 3 } },
            errors: ['VM_NOT_FOUND', 'REVISION_MISMATCH', 'NAME_TAKEN'],
            rateLimit: { limit: 20, window: 60 },
        }),
        auth: { access: { scope: 'vm:write' } },
        validate: { params: vmParams, payload: renameVmPayload, headers: ifMatchHeaders },
    },
    handler: async ({ auth, params, payload, headers }, h) => {
        const vm = await vms.rename(auth.credentials.actor, params.vmId, payload.name, revisionOf(headers));
        return h.response({ vm }).etag(etagOf(vm));
    },
});

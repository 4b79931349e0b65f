import { describeRoute } from '../../../src/http/describe-route.ts';
import { ifMatchHeaders, revisionOf } from '../../../src/http/if-match.ts';
import { pendingExample, vmAnswer, vmParams, type VmParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { VmService } from '../service.ts';

const NOTES = `In every state, and in the place of an operation that is pending. When its driver has removed it, the VM is not
found any more; the event \`vm.deleted\` tells of that.`;

export const deleteVm = (vms: VmService): ServerRoute<{ Params: VmParams }> => ({
    method: 'DELETE',
    path: '/api/vms/{vmId}',
    options: {
        ...describeRoute('Terminate a VM', {
            tag: 'vms',
            notes: NOTES,
            answer: vmAnswer,
            example: { vm: pendingExample('remove') },
            errors: ['VM_NOT_FOUND', 'REVISION_MISMATCH'],
            rateLimit: { limit: 20, window: 60 },
        }),
        auth: { access: { scope: 'vm:write' } },
        validate: { params: vmParams, headers: ifMatchHeaders },
    },
    handler: async ({ auth, params, headers }) => ({
        vm: await vms.remove(auth.credentials.actor, params.vmId, revisionOf(headers)),
    }),
});

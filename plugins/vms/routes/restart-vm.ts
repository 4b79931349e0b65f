import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf } from '../../../src/http/if-match.ts';
import { pendingExample, vmAnswer, vmParams, type VmParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { VmService } from '../service.ts';

export const restartVm = (vms: VmService): ServerRoute<{ Params: VmParams }> => ({
    method: 'POST',
    path: '/api/vms/{vmId}/restart',
    options: {
        ...describeRoute('Restart a VM', {
            tag: 'vms',
            notes: 'Of one that runs or is in error. It passes through `stopped`.',
            answer: vmAnswer,
            example: { vm: pendingExample('restart') },
            errors: ['VM_NOT_FOUND', 'INVALID_STATE'],
            rateLimit: { limit: 20, window: 60 },
            idempotent: true,
        }),
        auth: { access: { scope: 'vm:write' } },
        validate: { params: vmParams },
    },
    handler: async ({ auth, params }, h) => {
        const vm = await vms.operate(auth.credentials.actor, params.vmId, 'restart');
        return h.response({ vm }).etag(etagOf(vm));
    },
});

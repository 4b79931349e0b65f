import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf } from '../../../src/http/if-match.ts';
import { pendingExample, vmAnswer, vmParams, type VmParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { VmService } from '../service.ts';

export const startVm = (vms: VmService): ServerRoute<{ Params: VmParams }> => ({
    method: 'POST',
    path: '/api/vms/{vmId}/start',
    options: {
        ...describeRoute('Start a VM', {
            tag: 'vms',
            notes: 'Of one that is stopped or in error. An hour of its running has to be there as credit.',
            answer: vmAnswer,
            example: { vm: pendingExample('start') },
            errors: ['VM_NOT_FOUND', 'INVALID_STATE', 'INSUFFICIENT_CREDITS', 'SPEND_LIMIT_REACHED'],
            rateLimit: { limit: 20, window: 60 },
            idempotent: true,
        }),
        auth: { access: { scope: 'vm:write' } },
        validate: { params: vmParams },
    },
    handler: async ({ auth, params }, h) => {
        const vm = await vms.operate(auth.credentials.actor, params.vmId, 'start');
        return h.response({ vm }).etag(etagOf(vm));
    },
});

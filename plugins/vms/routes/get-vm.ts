import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf } from '../../../src/http/if-match.ts';
import { vmAnswer, vmExample, vmParams, type VmParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { VmService } from '../service.ts';

export const getVm = (vms: VmService): ServerRoute<{ Params: VmParams }> => ({
    method: 'GET',
    path: '/api/vms/{vmId}',
    options: {
        ...describeRoute('Get a VM', {
            tag: 'vms',
            notes: 'One that is terminated is not found any more.',
            answer: vmAnswer,
            example: { vm: vmExample },
            errors: ['VM_NOT_FOUND'],
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'vm:read' } },
        validate: { params: vmParams },
    },
    handler: async ({ auth, params }, h) => {
        const vm = await vms.get(auth.credentials.actor, params.vmId);
        return h.response({ vm }).etag(etagOf(vm));
    },
});

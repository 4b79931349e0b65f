import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf } from '../../../src/http/if-match.ts';
import { createVmPayload, pendingExample, vmAnswer, type CreateVm } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { VmService } from '../service.ts';

const NOTES = `Costs what \`GET /api/vms/pricing\` says, at once; an hour of its running, $0.10 at least, has to be there as
credit. It is \`creating\` until its driver has made it, and \`running\` then.`;

export const createVm = (vms: VmService, images: string[]): ServerRoute<{ Payload: CreateVm }> => ({
    method: 'POST',
    path: '/api/vms',
    options: {
        ...describeRoute('Create a VM', {
            tag: 'vms',
            notes: NOTES,
            answer: vmAnswer,
            example: { vm: pendingExample('create') },
            status: 201,
            errors: [
                'PROJECT_NOT_FOUND',
                'PROJECT_DELETING',
                'NAME_TAKEN',
                'QUOTA_EXCEEDED',
                'INSUFFICIENT_CREDITS',
                'SPEND_LIMIT_REACHED',
            ],
            grows: true,
            rateLimit: { limit: 20, window: 60 },
            idempotent: true,
        }),
        auth: { access: { scope: 'vm:write' } },
        validate: { payload: createVmPayload(images) },
    },
    handler: async ({ auth, payload }, h) => {
        const vm = await vms.create(auth.credentials.actor, payload);
        return h.response({ vm }).etag(etagOf(vm));
    },
});

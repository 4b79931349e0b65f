import { describeRoute } from '../../../src/http/describe-route.ts';
import { vmExample, vmQuery, vmsAnswer, type VmQuery } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { VmService } from '../service.ts';

const NOTES = `With \`status\` without \`totalCount\`; a page looks at 2,000 VMs at most, and may be short, or empty, though
\`hasMore\` is true.`;

export const listVms = (vms: VmService): ServerRoute<{ Query: VmQuery }> => ({
    method: 'GET',
    path: '/api/vms',
    options: {
        ...describeRoute('List your VMs', {
            tag: 'vms',
            notes: NOTES,
            answer: vmsAnswer,
            example: { vms: [vmExample] },
            isPage: true,
            errors: ['INVALID_CURSOR', 'PROJECT_NOT_FOUND'],
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'vm:read' } },
        validate: { query: vmQuery },
    },
    handler: async ({ auth, query: { order: direction, ...query } }) => {
        const { items, pagination } = await vms.list(auth.credentials.actor, { ...query, direction });
        return { vms: items, pagination };
    },
});

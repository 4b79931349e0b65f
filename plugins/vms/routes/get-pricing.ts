import { describeRoute } from '../../../src/http/describe-route.ts';
import { pricingOf } from '../pricing.ts';
import { pricingAnswer } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';

export const getPricing = (images: string[]): ServerRoute => ({
    method: 'GET',
    path: '/api/vms/pricing',
    options: {
        ...describeRoute('Get what VMs there are and what they cost', {
            tag: 'vms',
            answer: pricingAnswer,
            example: { pricing: pricingOf(images) },
            isPublic: true,
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: false,
    },
    handler: () => ({ pricing: pricingOf(images) }),
});

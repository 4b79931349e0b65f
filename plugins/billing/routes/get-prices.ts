import { describeRoute } from '../../../src/http/describe-route.ts';
import { pricesAnswer, pricesData } from '../report-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { PriceService } from '../price-service.ts';

export const getPrices = (prices: PriceService): ServerRoute => ({
    method: 'GET',
    path: '/api/billing/prices',
    options: {
        ...describeRoute('Show the prices', {
            tag: 'billing',
            notes: 'Those in force, and those that are announced. A charge names the version that it goes by.',
            answer: pricesAnswer,
            example: pricesData,
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'model:read' } },
    },
    handler: () => ({ prices: prices.book() }),
});

import { describeRoute } from '../../../src/http/describe-route.ts';
import { invoicesAnswer, invoicesData, invoicesQuery } from '../report-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { PageParams } from '../../../src/http/pagination.ts';
import type { InvoiceService } from '../invoice-service.ts';

export const listInvoices = (invoices: InvoiceService): ServerRoute<{ Query: Omit<PageParams, 'order'> }> => ({
    method: 'GET',
    path: '/api/billing/invoices',
    options: {
        ...describeRoute('List the invoices', {
            tag: 'billing',
            notes: 'One for each month that is over and in which something moved, the newest first. They do not change.',
            answer: invoicesAnswer,
            example: invoicesData,
            isPage: true,
            errors: ['INVALID_CURSOR'],
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'billing:read' } },
        validate: { query: invoicesQuery },
    },
    handler: ({ auth, query }) => invoices.list(auth.credentials.actor.tenantId, query),
});

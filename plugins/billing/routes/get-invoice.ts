import { describeRoute } from '../../../src/http/describe-route.ts';
import { invoiceTable, type InvoiceService } from '../invoice-service.ts';
import { invoiceAnswer, invoiceData, invoiceParams, invoiceQuery } from '../report-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';

const NOTES = `The month that is not over has the status \`open\` and no number. Opening, with all lines, comes to closing;
the items say what the charges were for.`;

const CSV = 'text/csv';

export const getInvoice = (
    invoices: InvoiceService,
): ServerRoute<{ Params: { month: string }; Query: { format: 'json' | 'csv' } }> => ({
    method: 'GET',
    path: '/api/billing/invoices/{month}',
    options: {
        ...describeRoute('Show an invoice', {
            tag: 'billing',
            notes: NOTES,
            answer: invoiceAnswer,
            example: invoiceData,
            textExample: {
                type: CSV,
                text: 'invoice,month,status,tenant,line,name,…\r\n3,2026-10,closed,Acme,opening,,…\r\n',
            },
            errors: ['INVOICE_NOT_FOUND'],
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'billing:read' } },
        validate: { params: invoiceParams, query: invoiceQuery },
    },
    handler: async ({ auth, params: { month }, query: { format } }, h) => {
        const invoice = await invoices.get(auth.credentials.actor.tenantId, month);
        if (format === 'json') return { invoice };
        return h
            .response(invoiceTable(invoice))
            .type(CSV)
            .header('content-disposition', `attachment; filename="invoice-${month}.csv"`);
    },
});

import { describeRoute } from '../../../src/http/describe-route.ts';
import { operationOf } from '../../../src/http/idempotency-key.ts';
import { movedAnswer, refundData, refundPayload } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { CreditService, RefundOrder } from '../credit-service.ts';

const NOTES = `For the platform's superadmins and its finance. All refunds of a record together are never more than it has
charged. An Idempotency-Key is required: money moves once for it.`;

export const refundCharge = (credits: CreditService): ServerRoute<{ Payload: RefundOrder }> => ({
    method: 'POST',
    path: '/api/billing/refunds',
    options: {
        ...describeRoute('Refund a charge, or a part of it', {
            tag: 'billing',
            notes: NOTES,
            status: 201,
            answer: movedAnswer,
            example: refundData,
            errors: ['TENANT_NOT_FOUND', 'ALREADY_DELETED', 'BILLING_RECORD_NOT_FOUND', 'NOT_REFUNDABLE'],
            rateLimit: { limit: 60, window: 60 },
            idempotent: 'required',
        }),
        auth: { access: { scope: 'billing:refund' } },
        validate: { payload: refundPayload },
    },
    handler: (request) => credits.refund(request.auth.credentials.actor, operationOf(request), request.payload),
});

import { describeRoute } from '../../../src/http/describe-route.ts';
import { operationOf } from '../../../src/http/idempotency-key.ts';
import { grantData, grantPayload, movedAnswer } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { CreditChange, CreditService } from '../credit-service.ts';

const NOTES = `For the platform's superadmins and its finance. An Idempotency-Key is required: money moves once for it, even
when the answer is not remembered any more. It is told in the tenant's audit and in the platform's.`;

/** @param most What one grant may add or take, in dollars */
export const grantCredits = (credits: CreditService, most: number): ServerRoute<{ Payload: CreditChange }> => ({
    method: 'POST',
    path: '/api/billing/credits',
    options: {
        ...describeRoute('Add to the credits of a tenant, or take from them', {
            tag: 'billing',
            notes: NOTES,
            status: 201,
            answer: movedAnswer,
            example: grantData,
            errors: ['TENANT_NOT_FOUND', 'ALREADY_DELETED', 'INSUFFICIENT_CREDITS', 'BALANCE_LIMIT'],
            rateLimit: { limit: 60, window: 60 },
            idempotent: 'required',
        }),
        auth: { access: { scope: 'billing:credit' } },
        validate: { payload: grantPayload(most) },
    },
    handler: (request) => credits.grant(request.auth.credentials.actor, operationOf(request), request.payload),
});

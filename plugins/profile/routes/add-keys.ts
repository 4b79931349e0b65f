import { describeRoute } from '../../../src/http/describe-route.ts';
import { addKeysAnswer, addKeysExample, addKeysPayload, type AddKeys } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { ProviderKeyService } from '../../models/api.ts';

export const addKeys = (keys: ProviderKeyService): ServerRoute<{ Payload: AddKeys }> => ({
    method: 'POST',
    path: '/api/profile/api-keys',
    options: {
        ...describeRoute('Add or replace your API keys of model providers', {
            tag: 'profile',
            notes:
                'Each key is tried at its provider. A key that is refused is not stored; one that could not be tried ' +
                'is. Keys are sealed and never shown again. They go before those of the platform.',
            answer: addKeysAnswer,
            example: addKeysExample,
            errors: ['USER_NOT_FOUND'],
            grows: true,
            idempotent: true,
            rateLimit: { limit: 5, window: 60 },
        }),
        auth: { access: { scope: 'profile:write' } },
        validate: { payload: addKeysPayload },
    },
    handler: ({ auth, payload }) => keys.add(auth.credentials.actor, payload),
});

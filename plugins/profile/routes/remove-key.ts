import { describeRoute } from '../../../src/http/describe-route.ts';
import { keyParams, removeKeyAnswer, type KeyParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { ProviderKeyService } from '../../models/api.ts';

export const removeKey = (keys: ProviderKeyService): ServerRoute<{ Params: KeyParams }> => ({
    method: 'DELETE',
    path: '/api/profile/api-keys/{provider}',
    options: {
        ...describeRoute('Remove your API key of a model provider', {
            tag: 'profile',
            answer: removeKeyAnswer,
            example: { removed: 'claude' },
            errors: ['PROVIDER_KEY_NOT_FOUND'],
            rateLimit: { limit: 5, window: 60 },
        }),
        auth: { access: { scope: 'profile:write' } },
        validate: { params: keyParams },
    },
    handler: async ({ auth, params: { provider } }) => {
        await keys.remove(auth.credentials.actor, provider);
        return { removed: provider };
    },
});

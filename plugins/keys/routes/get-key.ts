import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf } from '../../../src/http/if-match.ts';
import { publicKey } from '../public-key.ts';
import { keyAnswer, keyExample, keyParams, type KeyParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { KeyService } from '../service.ts';

export const getKey = (keys: KeyService): ServerRoute<{ Params: KeyParams }> => ({
    method: 'GET',
    path: '/api/keys/{keyId}',
    options: {
        ...describeRoute('Get an API key, without its secret', {
            tag: 'keys',
            answer: keyAnswer,
            example: { key: keyExample },
            errors: ['KEY_NOT_FOUND'],
        }),
        validate: { params: keyParams },
    },
    handler: async ({ auth, params }, h) => {
        const key = await keys.get(auth.credentials.actor, params.keyId);
        return h.response({ key: publicKey(key) }).etag(etagOf(key));
    },
});

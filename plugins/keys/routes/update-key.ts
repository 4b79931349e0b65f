import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf, ifMatchHeaders, revisionOf } from '../../../src/http/if-match.ts';
import { publicKey } from '../public-key.ts';
import { keyAnswer, keyExample, keyParams, updateKeyPayload, type KeyParams, type UpdateKey } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { KeyService } from '../service.ts';

export const updateKey = (keys: KeyService): ServerRoute<{ Params: KeyParams; Payload: UpdateKey }> => ({
    method: 'PATCH',
    path: '/api/keys/{keyId}',
    options: {
        ...describeRoute('Change an API key', {
            tag: 'keys',
            notes: 'Takes effect on the next request with the key. Its secret stays the same.',
            answer: keyAnswer,
            example: { key: { ...keyExample, scopes: ['thread:read'], revision: 2 } },
            errors: ['KEY_NOT_FOUND', 'REVISION_MISMATCH', 'FORBIDDEN'],
        }),
        validate: { params: keyParams, payload: updateKeyPayload, headers: ifMatchHeaders },
    },
    handler: async ({ auth, params, payload, headers }, h) => {
        const key = await keys.update(auth.credentials.actor, params.keyId, payload, revisionOf(headers));
        return h.response({ key: publicKey(key) }).etag(etagOf(key));
    },
});

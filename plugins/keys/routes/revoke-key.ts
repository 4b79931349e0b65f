import { describeRoute } from '../../../src/http/describe-route.ts';
import { ifMatchHeaders, revisionOf } from '../../../src/http/if-match.ts';
import { keyParams, revokedAnswer, type KeyParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { KeyService } from '../service.ts';

const revoked = { revoked: true };

export const revokeKey = (keys: KeyService): ServerRoute<{ Params: KeyParams }> => ({
    method: 'DELETE',
    path: '/api/keys/{keyId}',
    options: {
        ...describeRoute('Revoke an API key', {
            tag: 'keys',
            notes: 'The next request with the key is refused.',
            answer: revokedAnswer,
            example: revoked,
            errors: ['KEY_NOT_FOUND', 'REVISION_MISMATCH'],
        }),
        validate: { params: keyParams, headers: ifMatchHeaders },
    },
    handler: async ({ auth, params, headers }) => {
        await keys.revoke(auth.credentials.actor, params.keyId, revisionOf(headers));
        return revoked;
    },
});

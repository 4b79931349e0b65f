import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf } from '../../../src/http/if-match.ts';
import { publicKey } from '../public-key.ts';
import {
    keyExample,
    keyParams,
    newKeyAnswer,
    rotateKeyPayload,
    secretExample,
    type KeyParams,
    type RotateKey,
} from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { KeyService } from '../service.ts';

const rotated = { ...keyExample, previousSecretExpiresAt: '2026-11-20T11:30:00.000Z', revision: 2 };

export const rotateKey = (keys: KeyService): ServerRoute<{ Params: KeyParams; Payload: RotateKey }> => ({
    method: 'POST',
    path: '/api/keys/{keyId}/rotate',
    options: {
        ...describeRoute('Give an API key a new secret', {
            tag: 'keys',
            notes: 'The new secret is shown only in this answer; the old one is taken for `graceSeconds` more.',
            answer: newKeyAnswer,
            example: { key: rotated, secret: secretExample },
            errors: ['KEY_NOT_FOUND', 'REVISION_MISMATCH'],
            idempotent: true,
        }),
        validate: { params: keyParams, payload: rotateKeyPayload },
    },
    handler: async ({ auth, params, payload }, h) => {
        const { key, secret } = await keys.rotate(auth.credentials.actor, params.keyId, payload.graceSeconds);
        return h.response({ key: publicKey(key), secret }).etag(etagOf(key));
    },
});

import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf } from '../../../src/http/if-match.ts';
import { publicKey } from '../public-key.ts';
import { createKeyPayload, keyExample, newKeyAnswer, secretExample, type CreateKey } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { KeyService } from '../service.ts';

const NOTES = `The key is shown as \`secret\`, only in this answer. It is sent as \`Authorization: Bearer lal_…\` or as
\`X-API-Key\`, and may call the routes of its scopes, as far as your role permits them at that time.`;

export const createKey = (keys: KeyService): ServerRoute<{ Payload: CreateKey }> => ({
    method: 'POST',
    path: '/api/keys',
    options: {
        ...describeRoute('Create a service API key', {
            tag: 'keys',
            notes: NOTES,
            answer: newKeyAnswer,
            example: { key: keyExample, secret: secretExample },
            status: 201,
            errors: ['FORBIDDEN', 'QUOTA_EXCEEDED'],
            grows: true,
            idempotent: true,
        }),
        validate: { payload: createKeyPayload },
    },
    handler: async ({ auth, payload }, h) => {
        const { key, secret } = await keys.create(auth.credentials.actor, payload);
        return h.response({ key: publicKey(key), secret }).etag(etagOf(key));
    },
});

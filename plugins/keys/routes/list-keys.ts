import { describeRoute } from '../../../src/http/describe-route.ts';
import { publicKey } from '../public-key.ts';
import { keyExample, keyQuery, keysAnswer } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { PageParams } from '../../../src/http/pagination.ts';
import type { KeyService } from '../service.ts';

export const listKeys = (keys: KeyService): ServerRoute<{ Query: PageParams }> => ({
    method: 'GET',
    path: '/api/keys',
    options: {
        ...describeRoute('List your API keys', {
            tag: 'keys',
            answer: keysAnswer,
            example: { keys: [keyExample] },
            isPage: true,
            errors: ['INVALID_CURSOR'],
        }),
        validate: { query: keyQuery },
    },
    handler: async ({ auth, query: { order: direction, ...query } }) => {
        const page = await keys.list(auth.credentials.actor, { ...query, direction, order: 'created' });
        return { keys: page.items.map(publicKey), pagination: page.pagination };
    },
});

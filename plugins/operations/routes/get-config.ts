import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf } from '../../../src/http/if-match.ts';
import { configAnswer, configExample } from '../config-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { ConfigRules } from '../api.ts';

export const getConfig = (config: ConfigRules): ServerRoute => ({
    method: 'GET',
    path: '/api/admin/config',
    options: {
        ...describeRoute('The platform’s configuration', {
            tag: 'admin',
            answer: configAnswer,
            example: configExample,
        }),
        auth: { access: { scope: 'platform:read' } },
    },
    handler: async ({ auth }, h) => {
        const found = await config.get(auth.credentials.actor);
        return h.response({ config: found }).etag(etagOf(found));
    },
});

import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf, ifMatchHeaders, revisionOf } from '../../../src/http/if-match.ts';
import { configAnswer, configExample, updateConfigPayload } from '../config-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { ConfigChanges, ConfigRules } from '../api.ts';

const NOTES = `What changes holds on every server when this is answered; a server that cannot be reached at that moment
follows within two seconds. Null gives a figure of a tier its default back. In maintenance everybody but the users of the
platform’s own tenant is refused with \`MAINTENANCE\`; what runs goes on.`;

export const updateConfig = (config: ConfigRules): ServerRoute<{ Payload: ConfigChanges }> => ({
    method: 'PATCH',
    path: '/api/admin/config',
    options: {
        ...describeRoute('Change the platform’s configuration', {
            tag: 'admin',
            notes: NOTES,
            answer: configAnswer,
            example: configExample,
            errors: ['REVISION_MISMATCH'],
        }),
        auth: { access: { scope: 'platform:configure' } },
        validate: { payload: updateConfigPayload, headers: ifMatchHeaders },
    },
    handler: async ({ auth, payload, headers }, h) => {
        const changed = await config.change(auth.credentials.actor, payload, revisionOf(headers));
        return h.response({ config: changed }).etag(etagOf(changed));
    },
});

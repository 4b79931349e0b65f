import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { eventTypes } from '../../../src/events/catalogue.ts';
import { newKey } from '../../helpers/api-key.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newUser } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const ROUTE = '/api/events/types';

describe(`GET ${ROUTE}`, () => {
    let app: TestApp;
    let ada: TestTenant;

    before(async () => {
        app = await startApp();
        ada = await newTenant(app);
    });

    after(() => app.stop());

    it('lists every type with an example, for everybody', async () => {
        const bob = await newUser(app, ada.tenantId, 'user');
        for (const user of [ada, bob]) {
            const { status, body } = await user.call('GET', ROUTE);
            expect(status).to.equal(200);
            expect(body.data.types).to.have.length(Object.keys(eventTypes).length);
            expect(body.data.types).to.include({ type: 'thread.created', ...eventTypes['thread.created'] });
        }
    });

    it('refuses who has no credential, or a key that is not for it', async () => {
        expectError(await app.call('GET', ROUTE), 'UNAUTHENTICATED');
        const { secret } = await newKey(ada, { scopes: ['thread:read'] });
        expectError(await app.call('GET', ROUTE, { token: secret }), 'FORBIDDEN');
    });

    it('takes 60 requests a minute of a user', async () => {
        const bob = await newUser(app, ada.tenantId, 'user');
        const answer = await bob.call('GET', ROUTE);
        expect(answer.headers['x-ratelimit-limit']).to.equal('60');
        expect(answer.headers['x-ratelimit-remaining']).to.equal('59');
    });

    it('is in the description of the document, type by type', async () => {
        const { body } = await app.call('GET', '/openapi.json');
        for (const [type, { description }] of Object.entries(eventTypes)) {
            expect(body.info.description).to.include(`- \`${type}\`: ${description}`);
        }
    });
});

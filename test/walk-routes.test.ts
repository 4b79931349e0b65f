import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from './helpers/app.ts';
import { expectError } from './helpers/expect-error.ts';

import type { RequestRoute } from '@hapi/hapi';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

/** Every route that may be called without a credential. What is not in this list must refuse. */
const PUBLIC = new Set([
    'POST /api/auth/register',
    'POST /api/auth/login',
    'POST /api/login',
    'POST /api/auth/refresh',
    'POST /api/auth/logout',
    'POST /api/logout',
    'GET /health',
    'GET /health/live',
    'GET /health/ready',
    'GET /api/health',
    'GET /api/status/health',
    'GET /api/errors',
    'GET /documentation',
    'GET /openapi.json',
]);
/** The files of the documentation's page. */
const PUBLIC_FILES = '/swaggerui/';

/** A well-formed value for each parameter of a path, of a record that is nobody's. */
const PARAMS: Record<string, string> = {
    tenantId: 'tenant_00000000000000000000000000',
    threadId: 'thread_00000000000000000000000000',
    messageId: 'msg_00000000000000000000000000',
};

const nameOf = ({ method, path }: RequestRoute) => `${method.toUpperCase()} ${path}`;
const isPublic = (route: RequestRoute) => PUBLIC.has(nameOf(route)) || route.path.startsWith(PUBLIC_FILES);
const urlOf = ({ path }: RequestRoute, params: Record<string, string>) =>
    path.replace(/\{(\w+)[?*]?\d*\}/g, (_all, name: string) => params[name] ?? 'x');

describe('every route of the table', () => {
    let app: TestApp;
    let routes: RequestRoute[];

    before(async () => {
        app = await startApp();
        routes = app.server.table();
    });

    after(() => app.stop());

    it('is there to be walked', () => {
        const names = routes.map(nameOf);
        expect(names).to.include(['GET /api/auth/me', 'POST /api/admin/tenants/{tenantId}/suspend']);
        expect(names.filter((name) => PUBLIC.has(name)).length).to.be.above(5);
    });

    it('refuses a request without a credential, unless it is public', async () => {
        const guarded = routes.filter((route) => !isPublic(route));
        for (const route of guarded) {
            const answer = await app.call(route.method, urlOf(route, PARAMS));
            expect(answer.body?.error?.code, nameOf(route)).to.equal('UNAUTHENTICATED');
            expectError(answer, 'UNAUTHENTICATED');
        }
    });

    it('refuses a forged credential, unless it is public', async () => {
        for (const route of routes.filter((candidate) => !isPublic(candidate))) {
            const answer = await app.call(route.method, urlOf(route, PARAMS), { token: 'a.forged.token' });
            expect(answer.body?.error?.code, nameOf(route)).to.equal('UNAUTHENTICATED');
        }
    });

    it('asks for a credential that may be left out only where the list says so', () => {
        // A route that says nothing of it has the default: required.
        const lax = routes.filter(({ settings }) => settings.auth !== undefined && settings.auth.mode !== 'required');
        expect(lax.filter((route) => !isPublic(route)).map(nameOf)).to.equal([]);
        expect(app.server.auth.settings.default).to.include({ mode: 'required', strategies: ['user'] });
    });

    // The walk with the credential of another tenant comes here: for every route with a `{…Id}` of a tenant's record,
    // make the record as one tenant (its ids in a map like PARAMS), call the route with the token of another, and
    // expect 404 with the record's own `…_NOT_FOUND`, and the record as it was.
});

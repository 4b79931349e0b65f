import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type Answer, type TestApp } from '../../helpers/app.ts';
import { PNG } from '../../helpers/images.ts';
import { servedDocument, type ServedDocument } from '../../helpers/openapi.ts';
import { newTenant, platformToken, type TestTenant } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const THREAD = '/api/threads/{threadId}';
const MESSAGES = '/api/threads/{threadId}/models/{modelId}/messages';

describe('The answers that clients get', { timeout: 20_000 }, () => {
    let app: TestApp;
    let served: ServedDocument;
    let tenant: TestTenant;
    let thread: string;
    /** The operations that a test has asked. */
    const asked = new Set<string>();

    before(async () => {
        app = await startApp({ config: { OPENAI_BASE_URL: 'http://127.0.0.1:1' } });
        served = await servedDocument(app);
        tenant = await newTenant(app);
        const { body } = await tenant.call('POST', '/api/threads', { payload: { title: 'Lisbon' } });
        thread = body.data.thread.id;
    });

    after(() => app.stop());

    /** Whether an answer has a documented status, form, code and headers. */
    const expectDocumented = (method: string, path: string, { status, headers, body }: Answer): void => {
        const name = `${method} ${path} ${status}`;
        asked.add(`${method} ${path}`);
        const response = served.document.paths[path][method].responses[status];
        expect(response, name).to.exist();
        const place = ['paths', path, method, 'responses', String(status), 'content', 'application/json', 'schema'];
        expect(served.faults(place, body), name).to.equal('');
        if (status >= 400) expect(response.content['application/json'].examples, name).to.include(body.error.code);
        for (const header of Object.keys(response.headers)) {
            if (header !== 'Retry-After') expect(headers, name).to.include(header.toLowerCase());
        }
    };

    it('of public routes are those of the document', async () => {
        for (const path of ['/health', '/health/live', '/health/ready', '/api/health', '/api/status/health']) {
            expectDocumented('get', path, await app.call('GET', path));
        }
        expectDocumented('get', '/api/errors', await app.call('GET', '/api/errors'));
    });

    it('of signing in and out are those of the document', async () => {
        const { email, password, domain } = tenant;
        const registration = { tenantName: 'Again', domain, email, password };
        const call = async (path: string, payload: object, headers = {}) =>
            expectDocumented('post', path, await app.call('POST', path, { payload, headers }));
        await call('/api/auth/register', registration);
        await call('/api/auth/register', { ...registration, domain: `new.${domain}`, email: `ada@new.${domain}` });
        await call('/api/auth/login', { email, password });
        await call('/api/login', { email, password });
        await call('/api/login', { email, password: 'not the password' });
        await call('/api/login', {});
        const { body } = await app.call('POST', '/api/login', { payload: { email, password } });
        await call('/api/auth/refresh', { refreshToken: body.data.refreshToken });
        await call('/api/auth/refresh', { refreshToken: 'none' });
        await call('/api/auth/logout', {});
        await call('/api/logout', {});
    });

    it('of a user are those of the document', async () => {
        for (const path of ['/api/auth/me', '/api/version', '/api/models', '/api/threads']) {
            expectDocumented('get', path, await tenant.call('GET', path));
            expectDocumented('get', path, await app.call('GET', path));
        }
        expectDocumented('get', '/api/threads', await tenant.call('GET', '/api/threads?cursor=foreign'));
        expectDocumented('get', '/api/threads', await tenant.call('GET', '/api/threads?limit=0'));
        const other = { headers: { 'x-tenant-id': 'tenant_other' } };
        expectDocumented('get', '/api/threads', await tenant.call('GET', '/api/threads', other));
    });

    it('about threads are those of the document', async () => {
        const created = await tenant.call('POST', '/api/threads', { payload: {} });
        expectDocumented('post', '/api/threads', created);
        const url = `/api/threads/${created.body.data.thread.id}`;
        const stale = { 'if-match': '"99"' };
        const rename = (payload: object, headers = {}) => tenant.call('PATCH', `${url}/title`, { payload, headers });
        expectDocumented('get', THREAD, await tenant.call('GET', url));
        expectDocumented('patch', `${THREAD}/title`, await rename({ title: 'Porto' }));
        expectDocumented('patch', `${THREAD}/title`, await rename({ title: 'Faro' }, stale));
        expectDocumented('patch', `${THREAD}/title`, await rename({}));
        expectDocumented('delete', THREAD, await tenant.call('DELETE', url, { headers: stale }));
        expectDocumented('delete', THREAD, await tenant.call('DELETE', url));
        expectDocumented('get', THREAD, await tenant.call('GET', url));
    });

    it('about messages are those of the document', async () => {
        const send = (model: string, payload: object | string, headers = {}) =>
            tenant.call('POST', `/api/threads/${thread}/models/${model}/messages`, { payload, headers });
        expectDocumented('post', MESSAGES, await send('sandbox', { content: 'Hello', temperature: 0.5 }));
        expectDocumented('post', MESSAGES, await send('none', { content: 'Hello' }));
        expectDocumented('post', MESSAGES, await send('sandbox', 'not JSON', { 'content-type': 'application/json' }));
        expectDocumented('post', MESSAGES, await send('sandbox', 'text', { 'content-type': 'text/plain' }));
        expectDocumented('post', MESSAGES, await send('sandbox', { content: 'a'.repeat(1_100_000) }));
        const url = `/api/threads/${thread}/models/sandbox/messages`;
        expectDocumented('get', MESSAGES, await tenant.call('GET', url));
        expectDocumented('get', THREAD, await tenant.call('GET', `/api/threads/${thread}`));
        expectDocumented('get', '/api/threads', await tenant.call('GET', '/api/threads'));
    });

    it('about the profile are those of the document', async () => {
        const path = '/api/profile';
        const keys = `${path}/api-keys`;
        const avatar = `${path}/avatar`;
        const ada = await newTenant(app);
        const patch = (payload: object, headers = {}) => ada.call('PATCH', path, { payload, headers });
        expectDocumented('get', path, await ada.call('GET', path));
        expectDocumented('patch', path, await patch({ preferences: { theme: 'dark' } }));
        expectDocumented('patch', path, await patch({ displayName: 'Late' }, { 'if-match': '"1"' }));
        expectDocumented('patch', path, await patch({ settings: { defaultModel: 'none' } }));
        expectDocumented('patch', path, await patch({}));
        expectDocumented('post', keys, await ada.call('POST', keys, { payload: { openai: 'a-key-of-ada' } }));
        expectDocumented('post', keys, await ada.call('POST', keys, { payload: {} }));
        expectDocumented('delete', `${keys}/{provider}`, await ada.call('DELETE', `${keys}/openai`));
        expectDocumented('delete', `${keys}/{provider}`, await ada.call('DELETE', `${keys}/openai`));
        const put = (payload: Buffer, type: string) =>
            ada.call('PUT', avatar, { payload, headers: { 'content-type': type } });
        expectDocumented('get', avatar, await ada.call('GET', avatar));
        expectDocumented('put', avatar, await put(PNG, 'image/png'));
        expectDocumented('put', avatar, await put(PNG, 'text/html'));
        expectDocumented('put', avatar, await put(Buffer.alloc(262_145), 'image/png'));
        expectDocumented('delete', avatar, await ada.call('DELETE', avatar));
        expectDocumented('delete', avatar, await ada.call('DELETE', avatar));
        const activity = `${path}/activity`;
        expectDocumented('get', activity, await ada.call('GET', activity));
        expectDocumented('get', activity, await ada.call('GET', `${activity}?cursor=foreign`));
        const leave = (password: string) => ada.call('DELETE', path, { payload: { password } });
        expectDocumented('delete', path, await leave('not the password'));
        expectDocumented('delete', path, await leave(ada.password));
        expectDocumented('get', path, await ada.call('GET', path));
    });

    it('of the administration are those of the document', async () => {
        const token = await platformToken(app);
        for (const action of ['suspend', 'activate']) {
            const path = `/api/admin/tenants/{tenantId}/${action}`;
            const payload = action === 'suspend' ? { payload: { reason: 'Overdue' } } : {};
            const call = (id: string, options: object) =>
                app.call('POST', `/api/admin/tenants/${id}/${action}`, { ...payload, ...options });
            expectDocumented('post', path, await call(tenant.tenantId, { token: tenant.accessToken }));
            expectDocumented('post', path, await call('tenant_01K9ZQ4V7N8M3T5R2W6X1Y0ABC', { token }));
            expectDocumented('post', path, await call(tenant.tenantId, { token }));
        }
    });

    it('have all been asked for', () => {
        const unasked = served.operations.map(({ name }) => name).filter((name) => !asked.has(name));
        expect(unasked).to.equal([]);
    });
});

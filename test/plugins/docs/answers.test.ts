import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type Answer, type TestApp } from '../../helpers/app.ts';
import { billingAnswers } from '../../helpers/billing-answers.ts';
import { documentedFeatures } from '../../helpers/documented.ts';
import { PNG } from '../../helpers/images.ts';
import { StandInOllama } from '../../helpers/ollama.ts';
import { follow, servedDocument, type ServedDocument } from '../../helpers/openapi.ts';
import { newTenant, platformToken, type TestTenant } from '../../helpers/tenant.ts';
import { newUser } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const THREAD = '/api/threads/{threadId}';
const MESSAGES = '/api/threads/{threadId}/models/{modelId}/messages';
/** Documented headers that an answer may be without. */
const SOMETIMES = new Set(['Retry-After', 'Idempotent-Replayed']);

describe('The answers that clients get', () => {
    let app: TestApp;
    let ollama: StandInOllama;
    let served: ServedDocument;
    let tenant: TestTenant;
    let thread: string;
    /** The operations that a test has asked. */
    const asked = new Set<string>();

    before(async () => {
        ollama = await StandInOllama.start();
        app = await startApp({ config: { OPENAI_BASE_URL: 'http://127.0.0.1:1', OLLAMA_URL: ollama.provider.url } });
        served = await servedDocument(app);
        tenant = await newTenant(app);
        const { body } = await tenant.call('POST', '/api/threads', { payload: { title: 'Lisbon' } });
        thread = body.data.thread.id;
    });

    after(async () => {
        await app.stop();
        await ollama.provider.stop();
    });

    /** Whether an answer has a documented status, form, code and headers. */
    const expectDocumented = (method: string, path: string, { status, headers, body, text }: Answer): void => {
        const name = `${method} ${path} ${status}`;
        asked.add(`${method} ${path}`);
        const response = served.document.paths[path][method].responses[status];
        expect(response, name).to.exist();
        const [type = ''] = String(headers['content-type']).split(';');
        expect(response.content, name).to.include(type);
        // Its answer is that of GET, without the body.
        if (method === 'head') return;
        const place = ['paths', path, method, 'responses', String(status), 'content', type, 'schema'];
        const isBinary = response.content[type].schema.format === 'binary';
        if (!isBinary) expect(served.faults(place, body ?? text), name).to.equal('');
        if (status >= 400) {
            const { examples } = response.content['application/json'] as { examples: Record<string, { $ref: string }> };
            const shown = Object.values(examples).map(({ $ref }) => follow(served.document, $ref));
            const codes = (shown as { value: Answer['body'] }[]).map(({ value }) => value.error.code);
            expect(codes, name).to.include(body.error.code);
        }
        for (const header of Object.keys(response.headers)) {
            if (!SOMETIMES.has(header)) expect(headers, name).to.include(header.toLowerCase());
        }
    };

    it('of public routes are those of the document', async () => {
        const health = ['/health', '/health/live', '/health/ready', '/api/health', '/api/status/health'];
        for (const path of [...health, '/api/errors']) expectDocumented('get', path, await app.call('GET', path));
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
        for (const path of ['/api/auth/me', '/api/version', '/api/models', '/api/threads', '/api/events/types']) {
            expectDocumented('get', path, await tenant.call('GET', path));
            expectDocumented('get', path, await app.call('GET', path));
        }
        expectDocumented('get', '/api/threads', await tenant.call('GET', '/api/threads?cursor=foreign'));
        expectDocumented('get', '/api/events/stream', await tenant.call('GET', '/api/events/stream?types=none'));
        expectDocumented('get', '/api/threads', await tenant.call('GET', '/api/threads?limit=0'));
        const other = { headers: { 'x-tenant-id': 'tenant_other' } };
        expectDocumented('get', '/api/threads', await tenant.call('GET', '/api/threads', other));
    });

    it('of sessions and passwords are those of the document', async () => {
        const own = await newTenant(app);
        const sessions = '/api/auth/sessions';
        const listed = await own.call('GET', sessions);
        expectDocumented('get', sessions, listed);
        const { id } = listed.body.data.sessions[0];
        const change = (currentPassword: string, newPassword: string) =>
            own.call('POST', '/api/auth/password', { payload: { currentPassword, newPassword } });
        expectDocumented('post', '/api/auth/password', await change(own.password, 'another password for a test'));
        expectDocumented('post', '/api/auth/password', await change(own.password, 'another password for a test'));
        expectDocumented('post', '/api/auth/password', await change('another password for a test', 'password'));
        const forgot = '/api/auth/password/forgot';
        expectDocumented('post', forgot, await app.call('POST', forgot, { payload: { email: own.email } }));
        const reset = `/api/users/{userId}/password-reset`;
        const made = await own.call('POST', reset.replace('{userId}', own.userId));
        expectDocumented('post', reset, made);
        expectDocumented('post', reset, await tenant.call('POST', reset.replace('{userId}', own.userId)));
        expectDocumented('delete', sessions, await own.call('DELETE', sessions));
        expectDocumented('delete', `${sessions}/{sessionId}`, await tenant.call('DELETE', `${sessions}/${id}`));
        expectDocumented('delete', `${sessions}/{sessionId}`, await own.call('DELETE', `${sessions}/${id}`));
        const payload = { token: made.body.data.token, newPassword: 'one more password for it' };
        for (let n = 0; n < 2; n++) {
            const path = '/api/auth/password/reset';
            expectDocumented('post', path, await app.call('POST', path, { payload }));
        }
    });

    it('about threads are those of the document', async () => {
        const created = await tenant.call('POST', '/api/threads', { payload: {} });
        expectDocumented('post', '/api/threads', created);
        const headers = { 'idempotency-key': 'key' };
        const create = (payload: object) => tenant.call('POST', '/api/threads', { payload, headers });
        for (const title of ['Lisbon', 'Lisbon', 'Porto']) {
            expectDocumented('post', '/api/threads', await create({ title }));
        }
        const url = `/api/threads/${created.body.data.thread.id}`;
        expectDocumented('get', '/api/threads', await tenant.call('GET', '/api/threads?q=lisbon'));
        expectDocumented('post', `${THREAD}/fork`, await tenant.call('POST', `${url}/fork`));
        const fork = { payload: { modelId: 'none' } };
        expectDocumented('post', `${THREAD}/fork`, await tenant.call('POST', `${url}/fork`, fork));
        for (const query of ['', '?format=markdown', '?format=none']) {
            expectDocumented('get', `${THREAD}/export`, await tenant.call('GET', `${url}/export${query}`));
        }
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
        const listed = await tenant.call('GET', url);
        expectDocumented('get', MESSAGES, listed);
        const [{ id }] = listed.body.data.messages;
        const one = `${MESSAGES}/{messageId}`;
        expectDocumented('get', one, await tenant.call('GET', `${url}/${id}`));
        expectDocumented('get', one, await tenant.call('GET', `${url}/${id.slice(0, -1)}Z`));
        const resumed = { headers: { 'last-event-id': 'none' } };
        expectDocumented('get', `${one}/stream`, await tenant.call('GET', `${url}/${id}/stream`, resumed));
        expectDocumented('post', `${one}/cancel`, await tenant.call('POST', `${url}/${id}/cancel`));
        const again = await tenant.call('POST', `${url}/${id}/regenerate`, { payload: {} });
        expectDocumented('post', `${one}/regenerate`, again);
        expectDocumented('get', THREAD, await tenant.call('GET', `/api/threads/${thread}`));
        expectDocumented('get', '/api/threads', await tenant.call('GET', '/api/threads'));
    });

    it('about local models are those of the document', async () => {
        const [status, load, unload] = ['status', 'load', 'unload'].map((what) => `/api/models/{modelId}/${what}`);
        const ask = async (method: string, path = '', model = 'gemma-2b-local', query = '') => {
            const url = `${path.replace('{modelId}', model)}${query}`;
            const answer = await tenant.call(method.toUpperCase(), url);
            if (!answer.text.startsWith('id:')) expectDocumented(method, path, answer);
            return answer;
        };
        ollama.onDisk.add('gemma:2b');
        const { body } = await ask('post', load);
        const { text } = await ask('get', `${load}/stream`, 'gemma-2b-local', `?jobId=${body.data.jobId}`);
        expect(text).to.contain('event: complete');
        await ask('get', `${load}/stream`, 'sandbox', `?jobId=${body.data.jobId}`);
        for (const model of ['gemma-2b-local', 'sandbox', 'claude-opus', 'none']) await ask('get', status, model);
        for (const model of ['gemma-2b-local', 'sandbox', 'none']) await ask('post', unload, model);
        ollama.provider.answer({ status: 500 });
        await app.advance(4_000);
        await ask('get', status);
        for (const path of [load, load, unload]) await ask('post', path);
    });

    it('about summaries are those of the document', async () => {
        const contexts = `${THREAD}/models/{modelId}`;
        const path = `${contexts}/summary`;
        const { body } = await tenant.call('POST', '/api/threads', { payload: {} });
        const url = `/api/threads/${body.data.thread.id}/models/sandbox`;
        const summarize = (at = url) => tenant.call('POST', `${at}/summarize`);
        expectDocumented('post', `${contexts}/summarize`, await summarize());
        await tenant.call('POST', `${url}/messages`, { payload: { content: 'Hello' } });
        expectDocumented('get', path, await tenant.call('GET', `${url}/summary`));
        expectDocumented('post', `${contexts}/summarize`, await summarize());
        expectDocumented('post', `${contexts}/summarize`, await summarize(url.replace('sandbox', 'none')));
        expectDocumented('get', path, await tenant.call('GET', `${url}/summary`));
        expectDocumented('get', THREAD, await tenant.call('GET', `/api/threads/${body.data.thread.id}`));
        expectDocumented('get', '/api/threads', await tenant.call('GET', '/api/threads'));
        expectDocumented('delete', path, await tenant.call('DELETE', `${url}/summary`));
        expectDocumented('delete', path, await tenant.call('DELETE', `${url}/summary`));
    });

    it('about API keys are those of the document', async () => {
        const payload = { name: 'Reports', scopes: ['thread:read'] };
        const created = await tenant.call('POST', '/api/keys', { payload });
        const { key, secret } = created.body.data;
        const url = `/api/keys/${key.id}`;
        const one = '/api/keys/{keyId}';
        expectDocumented('post', '/api/keys', created);
        expectDocumented('post', '/api/keys', await app.call('POST', '/api/keys', { payload, token: secret }));
        expectDocumented('get', '/api/keys', await tenant.call('GET', '/api/keys'));
        expectDocumented('get', '/api/threads', await app.call('GET', '/api/threads', { token: secret }));
        expectDocumented('get', '/api/threads', await app.call('GET', '/api/threads', { token: `${secret}x` }));
        expectDocumented('get', one, await tenant.call('GET', url));
        expectDocumented('patch', one, await tenant.call('PATCH', url, { payload: { name: 'Nightly' } }));
        expectDocumented('patch', one, await tenant.call('PATCH', url, { payload: { scopes: ['tenant:suspend'] } }));
        expectDocumented('post', `${one}/rotate`, await tenant.call('POST', `${url}/rotate`, { payload: {} }));
        expectDocumented('delete', one, await tenant.call('DELETE', url));
        expectDocumented('delete', one, await tenant.call('DELETE', url));
    });

    it('about limits are those of the document', async () => {
        for (const path of ['/api/tiers', '/api/profile/usage', '/api/profile/usage/models']) {
            expectDocumented('get', path, await tenant.call('GET', path));
        }
        const path = '/api/admin/rate-limits/violations';
        const token = await platformToken(app);
        expectDocumented('get', path, await app.call('GET', `${path}?tenantId=${tenant.tenantId}`, { token }));
        expectDocumented('get', path, await tenant.call('GET', path));
    });

    it('about credits are those of the document', async () => {
        for await (const [method, path, answer] of billingAnswers(app, tenant)) expectDocumented(method, path, answer);
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
        const bob = await newUser(app, ada.tenantId, 'user');
        const leave = (password: string) => bob.call('DELETE', path, { payload: { password } });
        expectDocumented('delete', path, await leave('not the password'));
        expectDocumented('delete', path, await leave(bob.password));
        expectDocumented('get', path, await bob.call('GET', path));
        const payload = { password: ada.password };
        expectDocumented('delete', path, await ada.call('DELETE', path, { payload }));
    });

    for (const ask of documentedFeatures) {
        it(`to ${ask.name} are those of the document`, () => ask(app, expectDocumented));
    }

    it('in the form of OpenAI are those of the document', async () => {
        const path = '/v1/chat/completions';
        const one = '/v1/models/{id}';
        const complete = (payload: object) => tenant.call('POST', path, { payload });
        const messages = [{ role: 'user', content: 'Hello' }];
        expectDocumented('post', path, await complete({ model: 'sandbox', messages }));
        expectDocumented('post', path, await complete({ model: 'none', messages }));
        expectDocumented('post', path, await complete({ model: 'sandbox', messages: [] }));
        expectDocumented('post', path, await app.call('POST', path, { payload: {} }));
        expectDocumented('get', '/v1/models', await tenant.call('GET', '/v1/models'));
        expectDocumented('get', '/v1/models', await app.call('GET', '/v1/models'));
        expectDocumented('get', one, await tenant.call('GET', '/v1/models/sandbox'));
        expectDocumented('get', one, await tenant.call('GET', '/v1/models/none'));
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

    it('about users are those of the document', async () => {
        const ONE = '/api/users/{userId}';
        const payload = { email: 'bob@b.example', displayName: 'Bob', role: 'user' };
        const created = await tenant.call('POST', '/api/users', { payload });
        expectDocumented('post', '/api/users', created);
        expectDocumented('post', '/api/users', await tenant.call('POST', '/api/users', { payload }));
        const { user, token } = created.body.data;
        const renew = async (id: string) =>
            expectDocumented('post', `${ONE}/invitation`, await tenant.call('POST', `/api/users/${id}/invitation`));
        await renew(tenant.userId);
        await renew('user_01K9ZQ4V7N8M3T5R2W6X1Y0ABC');
        const invited = { ...payload, email: 'eve@b.example' };
        await renew((await tenant.call('POST', '/api/users', { payload: invited })).body.data.user.id);
        const accept = '/api/auth/invitation/accept';
        for (let times = 0; times < 2; times++) {
            const acceptance = { token, password: 'a password of Bob' };
            expectDocumented('post', accept, await app.call('POST', accept, { payload: acceptance }));
        }
        const url = `/api/users/${user.id}`;
        const own = `/api/users/${tenant.userId}`;
        expectDocumented('get', '/api/users', await tenant.call('GET', '/api/users'));
        expectDocumented('get', '/api/users', await tenant.call('GET', '/api/users?q=bob'));
        expectDocumented('get', ONE, await tenant.call('GET', url));
        expectDocumented('patch', ONE, await tenant.call('PATCH', url, { payload: { tier: 'premium' } }));
        expectDocumented('patch', ONE, await tenant.call('PATCH', own, { payload: { role: 'user' } }));
        expectDocumented('post', `${ONE}/restore`, await tenant.call('POST', `${url}/restore`));
        expectDocumented('delete', ONE, await tenant.call('DELETE', url, { headers: { 'if-match': '"99"' } }));
        expectDocumented('delete', ONE, await tenant.call('DELETE', url));
        expectDocumented('delete', ONE, await tenant.call('DELETE', url));
        expectDocumented('post', `${ONE}/restore`, await tenant.call('POST', `${url}/restore`));
    });

    it('about one’s own tenant are those of the document', async () => {
        const own = await newTenant(app);
        const path = '/api/tenant';
        const patch = (payload: object, headers = {}) => own.call('PATCH', path, { payload, headers });
        expectDocumented('get', path, await own.call('GET', path));
        expectDocumented('patch', path, await patch({ settings: { fallbackModels: ['sandbox'] } }));
        expectDocumented('get', path, await own.call('GET', path));
        expectDocumented('patch', path, await patch({ settings: { fallbackModels: ['none'] } }));
        expectDocumented('patch', path, await patch({ name: 'Late' }, { 'if-match': '"1"' }));
        expectDocumented('patch', path, await patch({}));
    });

    it('about tenants are those of the document', async () => {
        const token = await platformToken(app);
        const ROUTE = '/api/admin/tenants';
        const ONE = `${ROUTE}/{tenantId}`;
        const payload = {
            name: 'Made',
            domain: `made.${tenant.domain}`,
            plan: 'free',
            admin: { email: 'a@b.example' },
        };
        const created = await app.call('POST', ROUTE, { token, payload });
        expectDocumented('post', ROUTE, created);
        expectDocumented('post', ROUTE, await app.call('POST', ROUTE, { token, payload }));
        expectDocumented('get', ROUTE, await app.call('GET', ROUTE, { token }));
        const url = `${ROUTE}/${created.body.data.tenant.id}`;
        expectDocumented('get', ONE, await app.call('GET', url, { token }));
        expectDocumented('get', ONE, await tenant.call('GET', url));
        const patch = (change: object, headers = {}) => app.call('PATCH', url, { token, payload: change, headers });
        expectDocumented('patch', ONE, await patch({ plan: 'premium', limits: { projects: 1 } }));
        expectDocumented('patch', ONE, await patch({ name: 'Late' }, { 'if-match': '"1"' }));
        expectDocumented('patch', ONE, await patch({ domain: tenant.domain }));
        expectDocumented('patch', ONE, await patch({}));
        for (let times = 0; times < 2; times++) {
            expectDocumented('delete', ONE, await app.call('DELETE', url, { token }));
        }
        for (let times = 0; times < 2; times++) {
            expectDocumented('post', `${ONE}/restore`, await app.call('POST', `${url}/restore`, { token }));
        }
    });

    it('have all been asked for', () => {
        const unasked = served.operations.map(({ name }) => name).filter((name) => !asked.has(name));
        expect(unasked).to.equal([]);
    });
});

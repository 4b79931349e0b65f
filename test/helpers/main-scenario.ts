import { expect } from '@hapi/code';
import OpenAI from 'openai';

import { newKey } from './api-key.ts';
import { money } from './main-scenario-money.ts';
import { platform } from './main-scenario-platform.ts';
import { work } from './main-scenario-work.ts';
import { PASSWORD, well } from './scene.ts';
import { openStream, resumeStream } from './stream.ts';
import { messagesPath, newThread } from './thread.ts';

import type { Scene } from './scene.ts';

/** What people and the program itself do with every feature, in this order; each says what must come of it. */
export const mainScenario: Record<string, (scene: Scene) => Promise<void>> = {
    'logs in, refreshes and logs out': sessions,
    'keeps users and keys': accounts,
    'keeps threads, and answers whole': threads,
    'streams an answer, and goes on with it on the other replica': streams,
    'serves the official OpenAI client': compatible,
    ...money,
    ...work,
    ...platform,
};

async function sessions({ house: { apis }, tenants, ada }: Scene): Promise<void> {
    for (const { email, password, accessToken, call, other } of tenants) {
        const login = well(await apis[1].call('POST', '/api/login', { payload: { email, password } }));
        const { refreshToken } = login;
        const fresh = well(await apis[0].call('POST', '/api/auth/refresh', { payload: { refreshToken } }));
        expect(well(await other('GET', '/api/auth/sessions')).sessions).to.have.length(2);
        well(await apis[1].call('POST', '/api/logout', { token: fresh.accessToken, payload: {} }));
        const late = await apis[0].call('GET', '/api/auth/me', { token: fresh.accessToken });
        expect([late.status, late.body.error.code]).to.equal([401, 'SESSION_ENDED']);
        expect(well(await call('GET', '/api/auth/sessions')).sessions).to.have.length(1);
        well(await other('GET', '/api/auth/me', { token: accessToken }));
    }
    // Whoever has a domain keeps it.
    const { domain, email } = ada;
    const payload = { tenantName: 'Again', domain, email, password: PASSWORD };
    expect((await apis[0].call('POST', '/api/auth/register', { payload })).status).to.equal(409);
}

async function accounts({ house: { apis }, ada }: Scene): Promise<void> {
    const email = `bob@${ada.domain}`;
    const payload = { email, displayName: 'Bob', role: 'user' };
    const { user, token } = well(await ada.call('POST', '/api/users', { payload }));
    const accept = { payload: { token, password: PASSWORD } };
    well(await apis[1].call('POST', '/api/auth/invitation/accept', accept));
    const login = well(await apis[0].call('POST', '/api/login', { payload: { email, password: PASSWORD } }));
    well(await ada.other('PATCH', `/api/users/${user.id}`, { payload: { displayName: 'Robert' } }));
    const found = well(await ada.call('GET', '/api/users?q=rob')).users;
    expect(found.map(({ id }: { id: string }) => id)).to.equal([user.id]);
    well(await ada.call('PATCH', `/api/users/${user.id}`, { payload: { isActive: false } }));
    expect((await apis[1].call('GET', '/api/auth/me', { token: login.accessToken })).status).to.be.above(400);

    const key = await newKey(ada);
    well(await apis[1].call('GET', '/api/threads', { token: key.secret }));
    const rotated = well(await ada.other('POST', `/api/keys/${key.id}/rotate`, { payload: { graceSeconds: 0 } }));
    expect((await apis[0].call('GET', '/api/threads', { token: key.secret })).status).to.equal(401);
    well(await apis[0].call('GET', '/api/threads', { token: rotated.secret }));
    well(await ada.call('DELETE', `/api/keys/${key.id}`));
    expect((await apis[1].call('GET', '/api/threads', { token: rotated.secret })).status).to.equal(401);
}

async function threads({ tenants }: Scene): Promise<void> {
    for (const tenant of tenants) {
        const id = await newThread(tenant, 'A talk about clusters');
        const path = messagesPath(id);
        const send = { payload: { content: 'Please count to 3' }, headers: { 'idempotency-key': `of-${id}` } };
        const first = well(await tenant.call('POST', path, send));
        expect(first.assistantMessage.content).to.equal('1 2 3');
        const again = await tenant.other('POST', path, send);
        expect(again.headers['idempotent-replayed']).to.equal('true');
        expect(well(again).assistantMessage.id).to.equal(first.assistantMessage.id);
        const of = `${path}/${first.assistantMessage.id}`;
        well(await tenant.other('POST', `${of}/regenerate`, { payload: {} }));
        const fork = { payload: { fromMessageId: first.userMessage.id } };
        well(await tenant.call('POST', `/api/threads/${id}/fork`, fork));
        well(await tenant.other('PATCH', `/api/threads/${id}/title`, { payload: { title: 'A talk about slots' } }));
        const found = well(await tenant.call('GET', '/api/threads?q=slots')).threads;
        expect(found.map((thread: { id: string }) => thread.id)).to.equal([id]);
        well(await tenant.call('POST', `/api/threads/${id}/models/sandbox/summarize`));
        const exported = await tenant.other('GET', `/api/threads/${id}/export`);
        expect([exported.status, exported.text.includes('Please count to 3')]).to.equal([200, true]);
        well(await tenant.call('DELETE', `/api/threads/${id}`));
    }
}

async function streams({ house: { apis }, tenants }: Scene): Promise<void> {
    const [first, second] = apis;
    await Promise.all(
        tenants.map(async (tenant) => {
            const path = messagesPath(await newThread(tenant));
            const token = tenant.accessToken;
            const payload = { content: 'Please count to 40' };
            const stream = await openStream({ url: first.url + path, token, payload });
            const seen = await stream.until(({ data }) => data.token === ' 5');
            stream.leave();
            const at = `${second.url}${path}/${seen[0]?.data.messageId}/stream`;
            const rest = await (await resumeStream(at, token, seen.at(-1)?.id)).rest();
            const text = [...seen, ...rest].map(({ data }) => data.token ?? '').join('');
            expect(text).to.equal(Array.from({ length: 40 }, (_, n) => n + 1).join(' '));
        }),
    );
}

const messages = [{ role: 'user' as const, content: 'Please count to 3' }];

async function compatible({ house: { apis }, tenants }: Scene): Promise<void> {
    for (const [n, tenant] of tenants.entries()) {
        const { secret } = await newKey(tenant, { scopes: ['model:call', 'model:read'] });
        const client = new OpenAI({ baseURL: `${apis[n % 2]?.url}/v1`, apiKey: secret, maxRetries: 0 });
        const whole = await client.chat.completions.create({ model: 'sandbox', messages });
        expect(whole.choices[0]?.message.content).to.equal('1 2 3');
        let text = '';
        for await (const { choices } of await client.chat.completions.create({
            model: 'sandbox',
            messages,
            stream: true,
        })) {
            text += choices[0]?.delta.content ?? '';
        }
        expect(text).to.equal('1 2 3');
    }
}

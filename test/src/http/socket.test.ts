import { request } from 'node:http';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from '../../helpers/app.ts';
import { newTenant } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

describe('the server on a socket', () => {
    let app: TestApp;
    const uri = (path: string) => new URL(path, app.server.info.uri);

    before(async () => {
        app = await startApp({ listen: true });
    });

    after(() => app.stop());

    it('serves a session by cookies, from login to logout', async () => {
        const { email, password, userId } = await newTenant(app);
        const login = await fetch(uri('/api/v1/auth/login'), {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ email, password }),
        });
        expect(login.status).to.equal(200);
        const cookie = login.headers
            .getSetCookie()
            .map((line) => line.split(';')[0])
            .join('; ');
        const me = await fetch(uri('/api/v1/auth/me'), { headers: { cookie } });
        expect(((await me.json()) as { data: { user: { id: string } } }).data.user.id).to.equal(userId);
        const { origin } = uri('/');
        const logout = await fetch(uri('/api/logout'), { method: 'POST', headers: { cookie, origin } });
        expect(logout.status).to.equal(200);
        expect((await fetch(uri('/api/auth/me'), { headers: { cookie } })).status).to.equal(401);
    });

    it('compresses as the client asks', async () => {
        app.server.route({
            method: 'GET',
            path: '/api/test/long',
            options: { auth: false, app: { status: 200 } },
            handler: () => ({ text: 'x'.repeat(2_000) }),
        });
        for (const encoding of ['gzip', 'deflate', 'br', 'identity']) {
            const answer = await fetch(uri('/api/test/long'), { headers: { 'accept-encoding': encoding } });
            expect(answer.headers.get('content-encoding')).to.equal(encoding === 'identity' ? null : encoding);
            const { data } = (await answer.json()) as { data: { text: string } };
            expect(data.text).to.have.length(2_000);
        }
    });

    it('takes no more than 1 MiB of a body whose length nobody told, and goes on', async () => {
        const call = request(uri('/api/login'), {
            method: 'POST',
            headers: { 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
        });
        // The connection ends in the middle of the body: there may be no time for an answer.
        const outcome = new Promise<number | undefined>((resolve) => {
            call.on('response', ({ statusCode }) => resolve(statusCode));
            call.on('error', () => resolve(413));
        });
        call.write(`{"password":"${'x'.repeat(1_100_000)}`);
        expect(await outcome).to.equal(413);
        call.destroy();
        expect((await fetch(uri('/api/auth/me'))).status).to.equal(401);
    });

    it('tells that a body is too large whose length is known', async () => {
        const answer = await fetch(uri('/api/login'), {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: `"${'x'.repeat(1_048_576)}"`,
        });
        expect(answer.status).to.equal(413);
        const body = (await answer.json()) as { error: { code: string } };
        expect(body.error.code).to.equal('PAYLOAD_TOO_LARGE');
    });
});

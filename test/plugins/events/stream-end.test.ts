import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { newKey } from '../../helpers/api-key.ts';
import { startApp, startReplicas, type TestApp } from '../../helpers/app.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { resumeStream, type OpenStream } from '../../helpers/stream.ts';
import { newTenant, platformToken, type TestTenant } from '../../helpers/tenant.ts';
import { newThread } from '../../helpers/thread.ts';
import { newUser } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, beforeEach, afterEach } = lab;

const ROUTE = '/api/events/stream';

describe(`the end of GET ${ROUTE}`, () => {
    let app: TestApp;
    let other: TestApp;
    let ada: TestTenant;

    beforeEach(async () => {
        [app, other] = await startReplicas({ listen: true });
        ada = await newTenant(app);
    });

    afterEach(() => Promise.all([app.stop(), other.stop()]));

    const open = async (token: string, lastEventId?: string, at = app): Promise<OpenStream> => {
        const stream = await resumeStream(`${at.server.info.uri}${ROUTE}`, token, lastEventId);
        await stream.until(() => true);
        return stream;
    };

    it('comes when session, key, role, user or tenant lose standing, and for nobody else', async () => {
        const user = (role: 'user' | 'admin' = 'user') => newUser(app, ada.tenantId, role);
        const [loggedOut, disabled, demoted, kept] = [await user(), await user(), await user('admin'), await user()];
        const suspended = await newTenant(app);
        const keys = await Promise.all(
            ['revoked', 'rotated', 'kept'].map((name) => newKey(ada, { name, scopes: ['event:read'] })),
        );
        const tokens = [loggedOut, disabled, demoted, suspended].map(({ accessToken }) => accessToken);
        const ending = await Promise.all(
            [...tokens, ...keys.slice(0, 2).map(({ secret }) => secret)].map((t) => open(t)),
        );
        const staying = await Promise.all([kept.accessToken, String(keys[2]?.secret)].map((token) => open(token)));

        await app.call('POST', '/api/auth/logout', { token: loggedOut.accessToken, payload: {} });
        await ada.call('PATCH', `/api/users/${disabled.userId}`, { payload: { isActive: false } });
        await ada.call('PATCH', `/api/users/${demoted.userId}`, { payload: { role: 'user' } });
        await ada.call('DELETE', `/api/keys/${keys[0]?.id}`);
        await ada.call('POST', `/api/keys/${keys[1]?.id}/rotate`, { payload: { graceSeconds: 0 } });
        const admin = await platformToken(app);
        const suspension = { token: admin, payload: { reason: 'A test' } };
        await app.call('POST', `/api/admin/tenants/${suspended.tenantId}/suspend`, suspension);

        await Promise.all(ending.map((stream) => stream.rest()));
        await newThread(kept);
        await Promise.all(staying.map((stream) => stream.until(({ event }) => event === 'thread.created')));
        for (const stream of staying) stream.leave();
    });

    it('comes with the drain, and the client goes on at another server where it was', async () => {
        const streams = await Promise.all([open(ada.accessToken), open(ada.accessToken)]);
        app.drain.begin();
        expectError(await ada.call('GET', ROUTE), 'SHUTTING_DOWN');
        await newThread(ada);
        await streams[0]?.until(({ event }) => event === 'thread.created');
        await app.drain.finish(AbortSignal.timeout(10_000));
        const [events = []] = await Promise.all(streams.map((stream) => stream.rest()));
        const last = events.at(-1)?.id;
        await other.call('POST', '/api/threads', { token: ada.accessToken, payload: { title: 'Meanwhile' } });
        const again = await open(ada.accessToken, last, other);
        const rest = await again.until(({ event }) => event === 'thread.created');
        expect(rest.map(({ event }) => event)).to.equal(['ready', 'thread.created']);
        again.leave();
    });

    it('comes when the server stops', async () => {
        const { JWT_KEYS, VAULT_KEYS } = app.config;
        const stopping = await startApp({ listen: true, config: { JWT_KEYS, VAULT_KEYS } });
        const stream = await open(ada.accessToken, undefined, stopping);
        await stopping.stop();
        await stream.rest();
        const places = await other.redis.zcard(`tenant:{${ada.tenantId}}:user:${ada.userId}:event-streams`);
        expect(places).to.equal(0);
    });
});

import { once } from 'node:events';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import { WebSocket } from 'ws';

import { startApp, type TestApp } from '../../../helpers/app.ts';

import type { ClientRequest, IncomingMessage } from 'node:http';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

describe('an upgrade where https is required', () => {
    let app: TestApp;

    before(async () => {
        app = await startApp({ listen: true, config: { REQUIRE_HTTPS: true, TRUSTED_PROXIES: ['127.0.0.1'] } });
    });

    after(() => app.stop());

    const statusOf = async (headers: Record<string, string>): Promise<number | undefined> => {
        const url = app.server.info.uri.replace('http', 'ws');
        const socket = new WebSocket(`${url}/api/tunnels/tun_00000000000000000000000000/connect`, { headers });
        const [request, response] = (await once(socket, 'unexpected-response')) as [ClientRequest, IncomingMessage];
        request.destroy();
        return response.statusCode;
    };

    it('is refused by http, before its token is looked at', async () => {
        expect(await statusOf({})).to.equal(403);
        expect(await statusOf({ 'x-forwarded-proto': 'http', 'x-forwarded-for': '192.0.2.1' })).to.equal(403);
    });

    it('is taken by https, as a trusted proxy tells', async () => {
        expect(await statusOf({ 'x-forwarded-proto': 'https', 'x-forwarded-for': '192.0.2.1' })).to.equal(401);
    });

    it('is refused from when the replica leaves', async () => {
        app.drain.leave();
        expect(await statusOf({ 'x-forwarded-proto': 'https', 'x-forwarded-for': '192.0.2.1' })).to.equal(503);
    });
});

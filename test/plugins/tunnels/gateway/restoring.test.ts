import { once } from 'node:events';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import { WebSocket } from 'ws';

import { tenantKey } from '../../../../src/redis/keys.ts';
import { startApp, type TestApp } from '../../../helpers/app.ts';
import {
    connectAgent,
    newTunnel,
    startService,
    type TestService,
    type TestTunnel,
} from '../../../helpers/live-tunnel.ts';
import { until } from '../../../helpers/tunnel-agent.ts';

import type { ClientRequest, IncomingMessage } from 'node:http';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

describe('a link whose tenant is being restored', () => {
    let app: TestApp;
    let service: TestService;

    before(async () => {
        app = await startApp({ listen: true });
        service = await startService((_request, response) => response.end('well'));
    });
    after(async () => {
        await service.stop();
        await app.stop();
    });

    const statusOf = async ({ tunnelId, token }: TestTunnel) => {
        const url = `${app.server.info.uri.replace('http', 'ws')}/api/tunnels/${tunnelId}/connect`;
        const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
        const [request, response] = (await once(socket, 'unexpected-response')) as [ClientRequest, IncomingMessage];
        request.destroy();
        return response.statusCode;
    };

    it('is closed, and its agent comes again until the tenant is back', async () => {
        const tunnel = await newTunnel(app);
        const agent = await connectAgent(app, tunnel, [service.url]);
        const info = tenantKey(tunnel.tenant.tenantId, 'info');
        const record = tenantKey(tunnel.tenant.tenantId, 'tunnel', tunnel.tunnelId);
        await app.redis.hset(info, 'restoring', 'restore_1');
        expect(await statusOf(tunnel)).to.equal(503);
        await until(async () => (await app.redis.hget(record, 'status')) !== 'connected');
        await app.redis.hdel(info, 'restoring');
        await until(async () => (await app.redis.hget(record, 'status')) === 'connected');
        await agent.stop();
    });
});

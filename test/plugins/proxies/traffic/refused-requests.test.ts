import Lab from '@hapi/lab';

import { dollars } from '../../../../src/money.ts';
import { setCredit } from '../../../helpers/credit.ts';
import { expectError } from '../../../helpers/expect-error.ts';
import { setLimits, setPlan } from '../../../helpers/limits.ts';
import {
    connectAgent,
    newTunnel,
    startListeningReplicas,
    startService,
    type TestService,
    type TestTunnel,
} from '../../../helpers/live-tunnel.ts';
import { setSpendLimit } from '../../../helpers/paid-calls.ts';
import { hold, type Hold } from '../../../helpers/provider.ts';
import { newProxy } from '../../../helpers/proxy.ts';
import { newTunnel as newOffline } from '../../../helpers/tunnel.ts';

import type { ErrorCode } from '../../../../src/http/errors.ts';
import type { TestApp } from '../../../helpers/app.ts';
import type { RunningAgent } from '../../../helpers/tunnel-agent.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after, afterEach } = lab;

describe('a request through a proxy', () => {
    let app: TestApp;
    let leaving: TestApp;
    let service: TestService;
    let tunnel: TestTunnel;
    let agent: RunningAgent;
    let point: Hold;

    before(async () => {
        [app, leaving] = await startListeningReplicas();
        service = await startService(async ({ url, socket }, response) => {
            if (url === '/broken') return socket.destroy();
            if (url === '/held') await point.arrive();
            return response.end('well');
        });
    });

    beforeEach(async () => {
        point = hold();
        tunnel = await newTunnel(app, { maxConnections: 1 });
        await setPlan(app, tunnel.tenant.tenantId, 'enterprise');
        await setCredit(app, tunnel.tenant.tenantId, dollars(1));
        agent = await connectAgent(app, tunnel, [service.url]);
    });

    afterEach(() => agent.stop());

    after(async () => {
        await service.stop();
        await leaving.stop();
        await app.stop();
    });

    /** A proxy that runs, by where its requests go. */
    const start = async (config: object = {}, ...others: string[]): Promise<string> => {
        const { call } = tunnel.tenant;
        const more = { config: { retries: 0, ...config } };
        const { id } = await newProxy(tunnel.tenant, [tunnel.tunnelId, ...others], more);
        await call('POST', `/api/proxies/${id}/start`);
        return `/api/proxies/${id}/http`;
    };
    const get = (path: string, of = app) => of.call('GET', path, { token: tunnel.tenant.accessToken });
    /** All the room that the only tunnel has is taken meanwhile. */
    const whileBusy = async (path: string, act: () => Promise<void>) => {
        const held = get(`${path}/held`);
        await point.reached;
        await act();
        point.release();
        await held;
    };
    const direct = () => `/api/tunnels/${tunnel.tunnelId}/http`;

    it('fails as its tunnel does', async () => {
        const path = await start();
        expectError(await get(`${path}/broken`), 'TUNNEL_ERROR');
        await whileBusy(direct(), async () => void expectError(await get(`${path}/`), 'TUNNEL_BUSY'));
    });

    it('fails as the last of its tunnels does, also when that was deleted', async () => {
        const gone = await newOffline(tunnel.tenant, 'gone');
        const path = await start({ retries: 1 }, gone);
        await tunnel.tenant.call('DELETE', `/api/tunnels/${gone}`);
        await whileBusy(direct(), async () => void expectError(await get(`${path}/`), 'TUNNEL_NOT_FOUND'));
    });

    const REFUSALS: Partial<Record<ErrorCode, (tenantId: string) => Promise<unknown>>> = {
        QUOTA_EXCEEDED: (id) => setLimits(app, id, { relayedBytesPerMonth: 0 }),
        INSUFFICIENT_CREDITS: (id) => setCredit(app, id, 0n),
        SPEND_LIMIT_REACHED: (id) => setSpendLimit(app.redis, id, 'tenant', 0n),
    };
    for (const [code, refuse] of Object.entries(REFUSALS)) {
        it(`is refused with ${code}, as one through its tunnel`, async () => {
            const path = await start();
            await refuse(tunnel.tenant.tenantId);
            await app.advance(1_000);
            for (const url of [path, direct()]) expectError(await get(`${url}/`), code as ErrorCode);
        });
    }

    it('finds no place in line on a replica that stops', async () => {
        const path = await start({ maxConnections: 1 });
        leaving.drain.begin();
        await whileBusy(path, async () => void expectError(await get(`${path}/`, leaving), 'SHUTTING_DOWN'));
    });
});

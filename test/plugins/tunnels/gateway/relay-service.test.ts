import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { Links } from '../../../../plugins/tunnels/gateway/links.ts';
import { RegistryStore } from '../../../../plugins/tunnels/gateway/registry-store.ts';
import { RelayService } from '../../../../plugins/tunnels/gateway/relay-service.ts';
import { Drain } from '../../../../src/drain.ts';
import { Signals } from '../../../../src/redis/signals.ts';
import { noTracing } from '../../../../src/telemetry/tracing.ts';
import { startApp, type TestApp } from '../../../helpers/app.ts';
import { codeOf, silentLogger } from '../../../helpers/store.ts';
import { newTenant, type TestTenant } from '../../../helpers/tenant.ts';
import { until } from '../../../helpers/tunnel-agent.ts';
import { newShare, newTunnel, portOf } from '../../../helpers/tunnel.ts';
import { newUser } from '../../../helpers/user.ts';

import type { TunnelUser } from '../../../../plugins/tunnels/api.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

describe('relay', () => {
    let app: TestApp;
    let ada: TestTenant;
    let tunnelId: string;
    let signals: Signals;

    before(async () => {
        app = await startApp();
        ada = await newTenant(app);
        tunnelId = await newTunnel(ada);
        signals = new Signals(app.redis, silentLogger);
    });

    after(async () => {
        signals.close();
        await app.stop();
    });

    /** What a call is refused with whose share is taken back just when it was found to be good. */
    const refusedLate = async (user: TunnelUser, shareId: string): Promise<string> => {
        let looked = 0;
        const port = portOf(app);
        const tunnels = {
            ...port,
            use: async (...asked: Parameters<typeof port.use>) => {
                const found = await port.use(...asked);
                await ada.call('DELETE', `/api/tunnels/${tunnelId}/shares/${shareId}`);
                await until(() => looked > 0, 5_000);
                return found;
            },
            get: (...asked: Parameters<typeof port.get>) => port.get(...asked).finally(() => looked++),
        };
        const registry = new RegistryStore(app.store, 30_000);
        const parts = { tunnels, registry, signals, logger: silentLogger, tracing: noTracing };
        const links = new Links({ ...parts, drain: new Drain(), address: () => '', heartbeatMs: 10_000 });
        const relays = new RelayService({ ...parts, links, remote: null });
        await relays.start();
        const head = { method: 'GET', path: '/', headers: [] };
        const code = await codeOf(
            relays.relay(user, tunnelId, { head, body: null, gone: new AbortController().signal }),
        );
        relays.stop();
        return code;
    };

    it('refuses a call whose share is taken back after it was looked for, be it a user’s or a token’s', async () => {
        const { tenantId, userId } = ada;
        const token = await newShare(ada, tunnelId);
        expect(await refusedLate({ tenantId, userId, passId: token.id }, token.id)).to.equal('TUNNEL_NOT_FOUND');
        const bob = await newUser(app, tenantId, 'user');
        const { id } = await newShare(ada, tunnelId, { userId: bob.userId });
        expect(await refusedLate({ tenantId, userId: bob.userId }, id)).to.equal('TUNNEL_NOT_FOUND');
    });
});

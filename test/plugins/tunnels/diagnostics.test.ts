import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { expectError } from '../../helpers/expect-error.ts';
import { freePort } from '../../helpers/free-ports.ts';
import {
    connectAgent,
    newTunnel,
    startListeningReplicas,
    startService,
    type TestService,
    type TestTunnel,
} from '../../helpers/live-tunnel.ts';
import { newTenant } from '../../helpers/tenant.ts';
import { until, type RunningAgent } from '../../helpers/tunnel-agent.ts';
import { newEndpoint, newShare } from '../../helpers/tunnel.ts';
import { newUser, setUserField } from '../../helpers/user.ts';

import type { Check } from '../../../plugins/tunnels/diagnostics-service.ts';
import type { TestApp } from '../../helpers/app.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after, afterEach } = lab;

describe('GET /api/tunnels/{tunnelId}/diagnostics', () => {
    let holder: TestApp;
    let other: TestApp;
    let service: TestService;
    let sick: TestService;
    let tunnel: TestTunnel;
    let agent: RunningAgent | undefined;

    before(async () => {
        [holder, other] = await startListeningReplicas();
        service = await startService((_request, response) => response.writeHead(404).end());
        sick = await startService((_request, response) => response.writeHead(500).end());
    });

    beforeEach(async () => {
        tunnel = await newTunnel(holder);
    });

    afterEach(async () => {
        await agent?.stop();
        agent = undefined;
    });

    after(async () => {
        await Promise.all([service.stop(), sick.stop()]);
        await Promise.all([holder.stop(), other.stop()]);
    });

    const connect = async (targets: string[], more: string[] = []) => {
        agent = await connectAgent(holder, tunnel, targets, {}, more);
    };
    const path = (rest = 'diagnostics') => `/api/tunnels/${tunnel.tunnelId}/${rest}`;
    const ask = async (app: TestApp = holder): Promise<Check[]> => {
        const headers = { authorization: `Bearer ${tunnel.tenant.accessToken}` };
        const { body, status } = await app.call('GET', path(), { headers });
        expect(status).to.equal(200);
        return body.data.diagnostics.checks;
    };
    const shortly = (checks: Check[]) => checks.map(({ name, status }) => `${name} ${status}`);
    const messageOf = (checks: Check[], name: Check['name']) => checks.find((check) => check.name === name)?.message;
    const untilGone = () => {
        const key = `tenant:{${tunnel.tenant.tenantId}}:tunnel:${tunnel.tunnelId}`;
        return until(async () => (await holder.redis.hget(key, 'status')) === 'disconnected');
    };

    it('passes everything, whichever replica is asked', async () => {
        const url = service.url.replace('127.0.0.1', 'localhost');
        await connect([url]);
        for (const app of [holder, other]) {
            const checks = await ask(app);
            expect(shortly(checks)).to.equal([
                'agentConnection passed',
                'authentication passed',
                'nameResolution passed',
                'upstream passed',
            ]);
            expect(checks.map(({ endpoint }) => endpoint)).to.equal([null, null, `${url}/`, `${url}/`]);
            for (const { durationMs } of checks) expect(durationMs ?? -1).to.be.at.least(0);
            expect(messageOf(checks, 'upstream')).to.equal('It answered 404');
        }
    });

    it('tells of each endpoint what is wrong with it', async () => {
        const down = `http://127.0.0.1:${await freePort()}`;
        const urls = [service.url, down, sick.url, 'http://nowhere.invalid'];
        const ids: string[] = [];
        for (const url of urls) ids.push(await newEndpoint(tunnel.tenant, tunnel.tunnelId, { url }));
        await connect([], ['--managed']);
        const checks = (await ask(other)).slice(2);
        expect(checks.map(({ endpoint }) => endpoint)).to.equal(ids.flatMap((id) => [id, id]));
        expect(shortly(checks)).to.equal([
            'nameResolution skipped',
            'upstream passed',
            'nameResolution skipped',
            'upstream failed',
            'nameResolution skipped',
            'upstream failed',
            'nameResolution failed',
            'upstream skipped',
        ]);
        expect(checks[3]?.message).to.equal('Nobody listens there');
        expect(checks[5]?.message).to.equal('It answered 500');
    });

    it('tells of an endpoint that the agent does not follow', async () => {
        const id = await newEndpoint(tunnel.tenant, tunnel.tunnelId, { url: sick.url });
        await connect([service.url]);
        const checks = await ask();
        const [name, upstream] = checks.filter(({ endpoint }) => endpoint === id);
        for (const check of [name, upstream]) {
            expect(check).to.include({ status: 'skipped', durationMs: null });
            expect(check?.message).to.equal('Not followed: start the agent with --managed');
        }
        expect(checks.filter(({ name: each }) => each === 'upstream').map(({ status }) => status)).to.equal([
            'passed',
            'skipped',
        ]);
    });

    it('tells that the agent has nowhere to go', async () => {
        await connect([], ['--managed']);
        const checks = await ask();
        expect(shortly(checks).slice(2)).to.equal(['nameResolution skipped', 'upstream failed']);
        expect(messageOf(checks, 'upstream')).to.equal('The agent has nowhere to send requests to');
    });

    it('tells that there is no agent, and why there is none any more', async () => {
        const none = ['agentConnection failed', 'authentication skipped', 'nameResolution skipped', 'upstream skipped'];
        const checks = await ask();
        expect(shortly(checks)).to.equal(none);
        expect(messageOf(checks, 'agentConnection')).to.equal('No agent is connected, and none ever was');
        await connect([service.url]);
        await agent?.stop();
        await untilGone();
        const after = await ask(other);
        expect(shortly(after)).to.equal(none);
        expect(messageOf(after, 'agentConnection')).to.contain('the last connection ended: The agent stops');
    });

    it('tells that the token has changed, the tunnel is stopped, or its owner suspended', async () => {
        await connect([service.url]);
        await tunnel.tenant.call('POST', path('token'));
        await untilGone();
        const [connection, authentication] = await ask();
        expect(connection?.message).to.contain('The token is not that of the tunnel any more');
        expect(authentication).to.include({ status: 'failed', message: connection?.message ?? '' });
        await tunnel.tenant.call('POST', path('stop'));
        expect(messageOf(await ask(), 'authentication')).to.equal('The tunnel is stopped: start it first');
        await tunnel.tenant.call('POST', path('start'));
        const { tenant, tunnelId } = tunnel;
        const guest = await newUser(holder, tenant.tenantId, 'user');
        await newShare(tenant, tunnelId, { userId: guest.userId });
        await setUserField(holder, tenant.tenantId, tenant.userId, 'isActive', '0');
        const { body } = await guest.call('GET', path());
        expect(messageOf(body.data.diagnostics.checks, 'authentication')).to.match(/suspended/);
    });

    it('tells when the replica that holds the connection cannot be asked', async () => {
        await connect([service.url]);
        const key = `tenant:{${tunnel.tenant.tenantId}}:tunnel:${tunnel.tunnelId}:link`;
        const known = await holder.redis.hgetall(key);
        for (const address of ['', '127.0.0.1:1']) {
            let checks: Check[] = [];
            // The holder says now and then where it is.
            for (let times = 0; times < 3 && checks[0]?.status !== 'failed'; times++) {
                await holder.redis.hset(key, { address });
                checks = await ask(other);
            }
            expect(messageOf(checks, 'agentConnection')).to.equal('The connection of the agent could not be asked');
        }
        await holder.redis.hset(key, known);
        expect(shortly(await ask(other))[0]).to.equal('agentConnection passed');
    });

    it('is for who may see the tunnel, ten times a minute', () =>
        holder.inNoTime(async () => {
            const stranger = await newTenant(holder);
            expectError(await stranger.call('GET', path()), 'TUNNEL_NOT_FOUND');
            const colleague = await newUser(holder, tunnel.tenant.tenantId, 'user');
            expectError(await colleague.call('GET', path()), 'TUNNEL_NOT_FOUND');
            await newShare(tunnel.tenant, tunnel.tunnelId, { userId: colleague.userId, access: 'read' });
            expect((await colleague.call('GET', path())).status).to.equal(200);
            const answers = await Promise.all(Array.from({ length: 12 }, () => colleague.call('GET', path())));
            const refused = answers.filter(({ status }) => status === 429);
            expect(refused.length).to.equal(4);
        }));
});

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import { request as send } from 'undici';

import { SIGNATURE, sign } from '../../../../plugins/tunnels/gateway/signature.ts';
import { tenantKey } from '../../../../src/redis/keys.ts';
import {
    connectAgent,
    INTERNAL_KEY,
    newTunnel,
    startListeningReplicas,
    startService,
    through,
    type TestService,
    type TestTunnel,
} from '../../../helpers/live-tunnel.ts';

import type { TestApp } from '../../../helpers/app.ts';
import type { RunningAgent } from '../../../helpers/tunnel-agent.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

describe('the internal listener', () => {
    let holder: TestApp;
    let other: TestApp;
    let service: TestService;
    let tunnel: TestTunnel;
    let agent: RunningAgent;
    let path: string;
    let hits = 0;

    const linkOf = ({ tenant, tunnelId }: TestTunnel) => tenantKey(tenant.tenantId, 'tunnel', tunnelId, 'link');

    before(async () => {
        [holder, other] = await startListeningReplicas();
        service = await startService((request, response) => {
            if (request.url === '/counted') hits++;
            response.end('well');
        });
        tunnel = await newTunnel(holder);
        agent = await connectAgent(holder, tunnel, [service.url]);
        const connectionId = await holder.redis.hget(linkOf(tunnel), 'connectionId');
        path = `/tunnels/${tunnel.tenant.tenantId}/${tunnel.tunnelId}/${connectionId}/counted`;
    });

    after(async () => {
        await agent.stop();
        await service.stop();
        await Promise.all([holder.stop(), other.stop()]);
    });

    const ask = async (app: TestApp, at: string, signature?: string): Promise<[number, string]> => {
        const { statusCode, headers, body } = await send(`http://127.0.0.1:${app.config.INTERNAL_PORT}${at}`, {
            headers: signature === undefined ? {} : { [SIGNATURE]: signature },
        });
        await body.dump();
        return [statusCode, String(headers['x-internal-fault'])];
    };
    const signed = (at: string, { key = INTERNAL_KEY, method = 'GET', time = Date.now() } = {}) =>
        sign(key, { method, path: at }, time);

    it('takes what a replica has signed', async () => {
        const before = hits;
        expect(await ask(holder, path, signed(path))).to.equal([200, '']);
        expect(hits).to.equal(before + 1);
    });

    it('refuses everybody else, before it looks at anything', async () => {
        const before = hits;
        const wrong = [
            undefined,
            '',
            'v1=abc',
            signed(path, { key: 'another key of the same length, or so' }),
            signed(path, { method: 'POST' }),
            signed(`${path}x`),
            signed(path, { time: Date.now() - 40_000 }),
            signed(path, { time: Date.now() + 40_000 }),
            signed(path).replace(/t=\d+/, `t=${Date.now() + 1}`),
        ];
        for (const signature of wrong) expect(await ask(holder, path, signature)).to.equal([401, 'undefined']);
        expect(hits).to.equal(before);
    });

    it('diagnoses a link for who has signed that, and nobody else', async () => {
        const at = path.replace('/tunnels/', '/diagnosis/').replace('/counted', '');
        expect(await ask(holder, at, signed(at))).to.equal([200, '']);
        for (const signature of [undefined, signed(path), signed(at, { method: 'POST' })]) {
            expect(await ask(holder, at, signature)).to.equal([401, 'undefined']);
        }
        expect(await ask(other, at, signed(at))).to.equal([421, 'moved']);
    });

    it('is not the public listener', async () => {
        const { statusCode } = await send(`${holder.server.info.uri}${path}`, {
            headers: { [SIGNATURE]: signed(path) },
        });
        expect(statusCode).to.equal(404);
    });

    it('answers 421 for a link that is not here, and passes nothing on', async () => {
        const before = hits;
        expect(await ask(other, path, signed(path))).to.equal([421, 'moved']);
        const elsewhere = path.replace(/link_\w{26}/, 'link_00000000000000000000000000');
        expect(await ask(holder, elsewhere, signed(elsewhere))).to.equal([421, 'moved']);
        expect(await ask(holder, '/metrics', signed('/metrics'))).to.equal([421, 'moved']);
        expect(hits).to.equal(before);
    });

    it('is looked up once more when the link has moved, and then it is over', async () => {
        const key = linkOf(tunnel);
        const known = await holder.redis.hgetall(key);
        // A replica that is no more, and one that answers 421 for a link that it does not hold.
        for (const address of ['127.0.0.1:1', `127.0.0.1:${other.config.INTERNAL_PORT}`]) {
            await holder.redis.hset(key, { address, connectionId: 'link_00000000000000000000000000' });
            const response = await through(other, tunnel, '/');
            expect(response.status, address).to.equal(503);
            expect(JSON.parse(await response.text()).error.code).to.equal('TUNNEL_OFFLINE');
        }
        await holder.redis.hset(key, known);
        expect((await through(other, tunnel, '/')).status).to.equal(200);
    });

    it('is off without a port: then only the replica with the link reaches it', async () => {
        const [first, second] = await startListeningReplicas({ config: { INTERNAL_PORT: 0 } });
        const lonely = await newTunnel(first);
        const itsAgent = await connectAgent(first, lonely, [service.url]);
        expect((await through(first, lonely, '/')).status).to.equal(200);
        expect((await through(second, lonely, '/')).status).to.equal(503);
        await itsAgent.stop();
        await Promise.all([first.stop(), second.stop()]);
    });
});

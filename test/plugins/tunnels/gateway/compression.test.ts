import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import {
    connectAgent,
    newTunnel,
    startListeningReplicas,
    startService,
    through,
    type TestService,
    type TestTunnel,
} from '../../../helpers/live-tunnel.ts';
import { until, type RunningAgent } from '../../../helpers/tunnel-agent.ts';

import type { ServerResponse } from 'node:http';
import type { TestApp } from '../../../helpers/app.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const LONG = JSON.stringify(Array.from({ length: 5_000 }, (_, id) => ({ id, name: 'the same again' })));
const PIECES = ['data: one\n\n', 'data: two\n\n', 'data: three\n\n'];

describe('compression of a tunnel', () => {
    let holder: TestApp;
    let other: TestApp;
    let service: TestService;
    let tunnel: TestTunnel;
    let agent: RunningAgent;
    let stream: ServerResponse | undefined;

    before(async () => {
        [holder, other] = await startListeningReplicas();
        service = await startService((request, response) => {
            if (request.url === '/stream') {
                stream = response.writeHead(200, { 'content-type': 'text/event-stream' });
                return response.write(PIECES[0]);
            }
            response.setHeader('etag', '"1"');
            return response.setHeader('content-type', 'application/json').end(LONG);
        });
        tunnel = await newTunnel(holder, { compression: true });
        agent = await connectAgent(holder, tunnel, [service.url]);
    });

    after(async () => {
        await agent.stop();
        await service.stop();
        await Promise.all([holder.stop(), other.stop()]);
    });

    /** What was relayed to clients so far, as it is counted. */
    const relayed = async () => {
        await holder.server.plugins.tunnels.flush();
        await other.server.plugins.tunnels.flush();
        const { body } = await tunnel.tenant.call('GET', `/api/tunnels/${tunnel.tunnelId}/metrics`);
        return Number(body.data.metrics.bytesOut);
    };
    const ask = async (app: TestApp, accepted: string) => {
        const before = await relayed();
        const answer = await through(app, tunnel, '/long', { headers: { 'accept-encoding': accepted } });
        const text = await answer.text();
        return { text, headers: answer.headers, bytes: (await relayed()) - before };
    };

    it('sends fewer bytes to a client that takes that, from any replica, and the same answer', async () => {
        for (const app of [holder, other]) {
            const { text, headers, bytes } = await ask(app, 'gzip');
            expect(text).to.equal(LONG);
            expect(headers.get('content-encoding')).to.equal('gzip');
            expect(headers.get('vary')?.toLowerCase()).to.contain('accept-encoding');
            expect(headers.get('content-length')).to.be.null();
            expect(headers.get('etag')).to.equal('W/"1"');
            expect(bytes).to.be.between(0, LONG.length / 4);
        }
    });

    it('sends it as it is to a client that does not', async () => {
        const { text, headers, bytes } = await ask(other, 'identity');
        expect(text).to.equal(LONG);
        expect(headers.get('content-encoding')).to.be.null();
        expect(headers.get('etag')).to.equal('"1"');
        expect(bytes).to.equal(LONG.length);
    });

    it('holds nothing of a stream back', async () => {
        for (const app of [holder, other]) {
            const answer = await through(app, tunnel, '/stream');
            expect(answer.headers.get('content-encoding')).to.equal('gzip');
            const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
            for (const [index, piece] of PIECES.entries()) {
                // The next one is not sent before this one is here.
                expect(await reader.read()).to.equal({ done: false, value: piece });
                stream?.write(PIECES[index + 1] ?? '');
            }
            stream?.end();
            expect((await reader.read()).done).to.be.true();
        }
    });

    it('is switched on and off on an open link', async () => {
        const turn = async (compression: boolean) => {
            const payload = { config: { compression } };
            await tunnel.tenant.call('PATCH', `/api/tunnels/${tunnel.tunnelId}`, { payload });
            const wanted = compression ? 'gzip' : null;
            await until(async () => {
                const answer = await through(holder, tunnel, '/long');
                return (await answer.text()) === LONG && answer.headers.get('content-encoding') === wanted;
            });
        };
        await turn(false);
        await turn(true);
    });
});

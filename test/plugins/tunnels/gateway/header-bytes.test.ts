import { once } from 'node:events';
import { request as send } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { connectAgent, newTunnel, startListeningReplicas, type TestTunnel } from '../../../helpers/live-tunnel.ts';

import type { TestApp } from '../../../helpers/app.ts';
import type { RunningAgent } from '../../../helpers/tunnel-agent.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

/** Text in UTF-8, in Latin-1, and every byte that may stand in a header. */
const VALUES = ['Grüße', 'Gr\u00fc\u00dfe'].map((text, index) => Buffer.from(text, index === 0 ? 'utf8' : 'latin1'));
const ALL = Buffer.from(Array.from({ length: 128 }, (_, index) => index + 128));

describe('a header of an answer through a tunnel', () => {
    let holder: TestApp;
    let other: TestApp;
    let service: Server;
    let tunnel: TestTunnel;
    let agent: RunningAgent;
    let received = '';

    before(async () => {
        [holder, other] = await startListeningReplicas();
        service = createServer((socket) => {
            socket.on('error', () => undefined);
            socket.on('data', (chunk) => {
                received += chunk.toString('latin1');
                const lines = ['HTTP/1.1 200 OK', 'content-length: 0', 'content-disposition: attachment; filename=é'];
                socket.write(Buffer.from(`${lines.join('\r\n')}\r\n`, 'latin1'));
                for (const [index, value] of [...VALUES, ALL].entries()) {
                    socket.write(Buffer.concat([Buffer.from(`x-value-${index}: a`), value, Buffer.from('z\r\n')]));
                }
                socket.write('\r\n');
            });
        });
        await once(service.listen(0, '127.0.0.1'), 'listening');
        tunnel = await newTunnel(holder);
        agent = await connectAgent(holder, tunnel, [`http://127.0.0.1:${(service.address() as AddressInfo).port}`]);
    });

    after(async () => {
        await agent.stop();
        service.close();
        await Promise.all([holder.stop(), other.stop()]);
    });

    it('is the same byte for byte, from any replica, as is one of the request', async () => {
        for (const app of [holder, other]) {
            received = '';
            const asked = send(`${app.server.info.uri}/api/tunnels/${tunnel.tunnelId}/http/`, {
                headers: { authorization: `Bearer ${tunnel.tenant.accessToken}`, 'x-asked': ALL.toString('latin1') },
            }).end();
            const [response] = await once(asked, 'response');
            response.resume();
            expect(response.statusCode).to.equal(200);
            for (const [index, value] of [...VALUES, ALL].entries()) {
                const got = Buffer.from(String(response.headers[`x-value-${index}`]), 'latin1');
                expect(got.subarray(1, -1).toString('hex'), String(index)).to.equal(value.toString('hex'));
            }
            expect(response.headers['content-disposition']).to.equal('attachment; filename=é');
            expect(received).to.contain(ALL.toString('latin1'));
        }
    });
});

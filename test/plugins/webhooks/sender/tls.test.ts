import { createServer, type TLSSocket } from 'node:tls';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import { generate } from 'selfsigned';

import {
    answersInTurn,
    destinationOf,
    listenWith,
    localSender,
    testEvent,
    type TestPort,
} from '../../../helpers/hook-sender.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const NAME = 'hooks.example.com';

describe('WebhookSender.send over TLS', () => {
    let port: TestPort;
    let certificate: string;
    const names: unknown[] = [];
    const resumed: boolean[] = [];

    before(async () => {
        const made = await generate([{ name: 'commonName', value: NAME }], {
            extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: NAME }] }],
        });
        certificate = made.cert;
        const tls = createServer({ cert: made.cert, key: made.private }, (socket: TLSSocket) => {
            names.push(socket.servername);
            resumed.push(socket.isSessionReused());
            socket.on('error', () => undefined);
            socket.once('data', () => socket.end('HTTP/1.1 204 OK\r\n\r\n'));
        });
        tls.on('tlsClientError', () => undefined);
        port = await listenWith((socket) => tls.emit('connection', socket));
    });

    after(() => port.stop());

    const send = (
        host: string,
        { ca = certificate, address = '127.0.0.1' }: { ca?: string | null; address?: string } = {},
    ) => {
        const { resolver } = answersInTurn([address]);
        const sender = localSender({ resolver, ...(ca !== null && { ca }) });
        return sender.send(destinationOf(`https://${host}:${port.port}/`), testEvent());
    };

    it('asks for the name and checks the certificate by it, at the address that was checked', async () => {
        names.length = 0;
        expect(await send('hooks.example.com')).to.include({ outcome: 'delivered', status: 204 });
        expect(names).to.equal(['hooks.example.com']);
    });

    it('resumes no session', async () => {
        resumed.length = 0;
        for (let count = 0; count < 3; count += 1) await send('hooks.example.com');
        expect(resumed).to.equal([false, false, false]);
    });

    it('fails when the certificate is of another name or address', async () => {
        for (const host of ['other.example.com', '127.0.0.1']) {
            expect(await send(host), host).to.include({ outcome: 'failed', status: null, failure: 'tls' });
        }
    });

    it('fails when nobody trusted has signed the certificate, whatever the environment says', async () => {
        const { NODE_TLS_REJECT_UNAUTHORIZED: before } = process.env;
        process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
        try {
            const attempt = await send('hooks.example.com', { ca: null });
            expect(attempt).to.include({ outcome: 'failed', status: null, failure: 'tls' });
        } finally {
            if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
            else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before;
        }
    });

    it('fails where no TLS is spoken, or the handshake does not end', async () => {
        const attemptAt = async (onConnection: Parameters<typeof listenWith>[0], connectMs = 5_000) => {
            const plain = await listenWith(onConnection);
            const sender = localSender({ timeouts: { connectMs } });
            const attempt = await sender.send(destinationOf(`https://127.0.0.1:${plain.port}/`), testEvent());
            while (plain.open() > 0) await new Promise((resolve) => setTimeout(resolve, 2));
            await plain.stop();
            return attempt.failure;
        };
        expect(await attemptAt((socket) => socket.resume().end('HTTP/1.1 400 Bad Request\r\n\r\n'))).to.equal('tls');
        expect(await attemptAt((socket) => socket.destroy())).to.equal('tls');
        expect(await attemptAt((socket) => socket.resume(), 50)).to.equal('timeout');
    });
});

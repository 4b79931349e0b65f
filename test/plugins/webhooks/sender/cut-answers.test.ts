import { getEventListeners, once } from 'node:events';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { destinationOf, listenWith, localSender, testEvent, type TestPort } from '../../../helpers/hook-sender.ts';

import type { Socket } from 'node:net';
import type { WebhookSenderOptions } from '../../../../plugins/webhooks/sender/index.ts';
import type { Attempt, AttemptFailure } from '../../../../plugins/webhooks/sender/types.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const MIB = 1_048_576;

async function closed(port: TestPort): Promise<void> {
    while (port.open() > 0) await new Promise((resolve) => setTimeout(resolve, 2));
}

interface Cut {
    attempt: Attempt;
    /** What the sender took before it closed its connection. */
    taken: number;
}

/** What came of an attempt at something that does so with its connection; it is closed by the sender. */
async function attemptAt(
    onConnection: (socket: Socket) => void,
    timeouts: WebhookSenderOptions['timeouts'] = {},
): Promise<Cut> {
    let taken = 0;
    const port = await listenWith((socket) => {
        socket.on('close', () => (taken += socket.bytesWritten));
        onConnection(socket);
    });
    try {
        const sender = localSender({ timeouts: { headersMs: 5_000, bodyMs: 5_000, ...timeouts } });
        const attempt = await sender.send(destinationOf(`http://127.0.0.1:${port.port}/`), testEvent());
        await closed(port);
        return { attempt, taken };
    } finally {
        await port.stop();
    }
}

/** Answers with this when it has been sent something. */
const saying =
    (text: string, then: (socket: Socket) => void = () => undefined) =>
    (socket: Socket) =>
        socket.once('data', () => {
            socket.write(text);
            then(socket);
        });

/** Writes until the connection is closed. */
const endlessly = (piece: string) => (socket: Socket) => {
    const write = (): void => {
        while (!socket.destroyed && socket.write(piece));
    };
    socket.on('drain', write);
    write();
};

const failed = (failure: AttemptFailure): Partial<Attempt> => ({
    outcome: 'failed',
    status: null,
    failure,
    responseBody: '',
});

describe('WebhookSender.send', () => {
    it('gives up on a receiver that says nothing', async () => {
        const { attempt } = await attemptAt((socket) => socket.resume(), { headersMs: 50 });
        expect(attempt).to.include(failed('timeout'));
    });

    it('gives up on headers that come too slowly, or never end', async () => {
        const drip = (socket: Socket) => {
            socket.resume();
            socket.write('HTTP/1.1 200 OK\r\n');
            const timer = setInterval(() => socket.write('x: y\r\n'), 5);
            socket.on('close', () => clearInterval(timer));
        };
        expect((await attemptAt(drip, { totalMs: 100 })).attempt).to.include(failed('timeout'));
        const endless = saying('HTTP/1.1 200 OK\r\n', endlessly(`x: ${'y'.repeat(1_000)}\r\n`));
        expect((await attemptAt(endless)).attempt).to.include(failed('connection'));
    });

    it('gives up on interim answers without an end', async () => {
        const { attempt } = await attemptAt(saying('', endlessly('HTTP/1.1 100 Continue\r\n\r\n'.repeat(500))), {
            totalMs: 100,
        });
        expect(attempt).to.include({ outcome: 'failed', status: null });
    });

    it('gives up on a receiver that takes all its time and more', async () => {
        const { attempt } = await attemptAt((socket) => socket.resume(), { totalMs: 50 });
        expect(attempt).to.include(failed('timeout'));
    });

    it('gives up on a resolver that does not answer', async () => {
        const signals: AbortSignal[] = [];
        const resolver = (_host: string, signal: AbortSignal) => {
            signals.push(signal);
            return new Promise<string[]>(() => undefined);
        };
        const destination = destinationOf('https://hooks.example.com/');
        for (const timeouts of [{ resolveMs: 20 }, { totalMs: 20 }]) {
            const attempt = await localSender({ resolver, timeouts }).send(destination, testEvent());
            expect(attempt).to.include(failed('timeout'));
        }
        expect(signals.map(({ aborted }) => aborted)).to.equal([true, true]);
    });

    it('cuts an answer that is huge or endless, and goes by its status', async () => {
        const huge = saying(`HTTP/1.1 200 OK\r\ncontent-length: ${1_000 * MIB}\r\n\r\n`, endlessly('a'.repeat(65_536)));
        const endless = saying('HTTP/1.1 500 No\r\n\r\n', endlessly('a'.repeat(65_536)));
        const chunked = saying(
            'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n',
            endlessly(`400\r\n${'a'.repeat(1_024)}\r\n`),
        );
        const cuts = [await attemptAt(huge), await attemptAt(endless), await attemptAt(chunked)];
        expect(cuts.map(({ attempt }) => attempt.status)).to.equal([200, 500, 200]);
        for (const { attempt, taken } of cuts) {
            expect(attempt.responseBody).to.equal('a'.repeat(1_024));
            // What the kernel holds on both sides of the connection counts as taken.
            expect(taken).to.be.below(20 * MIB);
        }
    });

    it('cuts a body that comes slowly, and goes by its status', async () => {
        const stalled = saying('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc');
        const { attempt } = await attemptAt(stalled, { bodyMs: 50 });
        expect(attempt).to.include({ outcome: 'delivered', status: 200, responseBody: 'abc' });
        const drip = saying('HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n', (socket) => {
            const timer = setInterval(() => socket.write('a'), 5);
            socket.on('close', () => clearInterval(timer));
        });
        const dripped = await attemptAt(drip, { totalMs: 800 });
        expect(dripped.attempt).to.include({ outcome: 'delivered', status: 200 });
        expect(dripped.attempt.responseBody).to.match(/^a+$/);
    });

    it('takes what came of a body that breaks off', async () => {
        const broken = saying('HTTP/1.1 202 OK\r\ncontent-length: 10\r\n\r\nabc', (socket) => socket.end());
        const { attempt } = await attemptAt(broken);
        expect(attempt).to.include({ outcome: 'delivered', status: 202, responseBody: 'abc' });
    });

    it('fails when the connection is closed or half-closed before the answer', async () => {
        const closes = [
            (socket: Socket) => socket.destroy(),
            (socket: Socket) => socket.resetAndDestroy(),
            (socket: Socket) => socket.end().resume(),
            saying('', (socket) => socket.end()),
            saying('HTTP/1.1 200 OK\r\ncontent-le', (socket) => socket.end()),
        ];
        for (const close of closes) {
            expect((await attemptAt(close)).attempt, close.toString()).to.include(failed('connection'));
        }
    });

    it('fails when the answer is not HTTP', async () => {
        const garbage = [
            '\u0000\u0001\u0002\u0003',
            'SSH-2.0-OpenSSH_9.6\r\n',
            '-ERR unknown command\r\n',
            'HTTP/9.9 200 OK\r\n\r\n',
            'HTTP/1.1 abc\r\n\r\n',
            'HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n',
            'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n',
        ];
        for (const text of garbage) {
            expect((await attemptAt(saying(text))).attempt, text).to.include(failed('connection'));
        }
    });

    it('fails when the length of the answer is said twice', async () => {
        const twice = 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n';
        const { attempt } = await attemptAt(saying(twice));
        expect(attempt).to.include(failed('connection'));
    });

    it('is stopped by its signal, at any time, and leaves nothing', async () => {
        const reason = new Error('the process ends');
        const port = await listenWith((socket) => socket.resume());
        const stop = async (sender: ReturnType<typeof localSender>, host: string, when: () => Promise<unknown>) => {
            const controller = new AbortController();
            const url = `http://${host}:${port.port}/`;
            const sent = sender.send(destinationOf(url), testEvent(), controller.signal);
            const thrown = expect(sent).to.reject();
            await when();
            controller.abort(reason);
            expect(await thrown).to.shallow.equal(reason);
            expect(getEventListeners(controller.signal, 'abort')).to.equal([]);
        };
        try {
            let asked = (): void => undefined;
            const isAsked = new Promise<void>((resolve) => (asked = resolve));
            const hangs = localSender({ resolver: () => new Promise(() => asked()) });
            await stop(hangs, 'hooks.example.com', () => isAsked);
            const connected = async () => {
                while (port.open() === 0) await new Promise((resolve) => setTimeout(resolve, 2));
            };
            await stop(localSender(), '127.0.0.1', connected);
            await closed(port);
            const before = port.connections();
            const sent = localSender().send(
                destinationOf(`http://127.0.0.1:${port.port}/`),
                testEvent(),
                AbortSignal.abort(reason),
            );
            expect(await expect(sent).to.reject()).to.shallow.equal(reason);
            expect(port.connections()).to.equal(before);
        } finally {
            await port.stop();
        }
    });

    it('is stopped by its signal while the answer is read', async () => {
        const controller = new AbortController();
        let socket: Socket | undefined;
        const port = await listenWith(
            saying('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc', (one) => {
                socket = one;
                setTimeout(() => controller.abort(), 20);
            }),
        );
        try {
            const url = `http://127.0.0.1:${port.port}/`;
            await expect(localSender().send(destinationOf(url), testEvent(), controller.signal)).to.reject();
            if (socket && !socket.destroyed) await once(socket, 'close');
            expect(port.open()).to.equal(0);
        } finally {
            await port.stop();
        }
    });

    it('throws for a mistake of its caller', async () => {
        const destination = destinationOf('http://127.0.0.1:9999/', { secrets: ['whsec_'] });
        await expect(localSender().send(destination, testEvent())).to.reject(/empty/);
        const named = destinationOf('http://127.0.0.1:9999/');
        await expect(localSender().send(named, testEvent({ id: 'a\r\nb' }))).to.reject();
    });
});

import { once } from 'node:events';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { encodeFrame, type Frame } from '../../../../plugins/tunnels/link/frames.ts';
import { LinkClosed, StreamReset, type LinkOptions } from '../../../../plugins/tunnels/link/link.ts';
import { bodyOf, linkPair, linkToRaw, never, readAll, until } from '../../../helpers/link.ts';
import { seeded } from '../../../helpers/seeded.ts';

import type { Headers, LinkRequest } from '../../../../plugins/tunnels/link/types.ts';

export const lab = Lab.script();
const { describe, it, afterEach } = lab;

const HEAD = { method: 'POST', path: '/', headers: [] as Headers };
const OK = { status: 200, headers: [] as Headers };
const WINDOW = 2 ** 20;
const stops: (() => void)[] = [];

async function against(side: 'agent' | 'gateway', options: LinkOptions = {}) {
    const made = await linkToRaw(side, options);
    stops.push(made.stop);
    return made;
}

const open = (stream: number, isEnd = false): Frame => ({ type: 'request', stream, head: HEAD, isEnd });
const data = (stream: number, length: number): Frame => ({ type: 'data', stream, data: Buffer.alloc(length) });
const reset = (stream: number, isAnswer = false): Frame => ({ type: 'reset', stream, code: 'cancelled', isAnswer });
const settings = (text: string): Buffer => Buffer.concat([Buffer.from('0c0000000000', 'hex'), Buffer.from(text)]);
const fill = (stream: number): Frame[] => Array.from({ length: 16 }, () => data(stream, WINDOW / 16));

/** Whether the link still answers. */
async function lives({ raw }: Awaited<ReturnType<typeof against>>): Promise<void> {
    const before = raw.frames.filter(({ type }) => type === 'pong').length;
    raw.send({ type: 'ping' });
    await until(() => raw.frames.filter(({ type }) => type === 'pong').length > before);
}

describe('a link whose other end breaks the protocol', () => {
    let bystander: Awaited<ReturnType<typeof linkPair>> | undefined;

    afterEach(() => {
        for (const stop of stops.splice(0)) stop();
        bystander?.stop();
    });

    const deadly: [what: string, side: 'agent' | 'gateway', messages: (Frame | Buffer | string)[], code: number][] = [
        ['sends text', 'agent', ['hello'], 4400],
        ['sends an unknown type', 'agent', [Buffer.of(99, 0, 0, 0, 0, 0)], 4400],
        ['sends half a header', 'agent', [Buffer.of(1, 2)], 4400],
        ['sends malformed JSON', 'gateway', [Buffer.from('010000000000' + '7b', 'hex')], 4400],
        ['sends broken UTF-8', 'agent', [Buffer.from('020000000001' + 'ff', 'hex')], 4400],
        ['opens stream 0', 'agent', [open(0)], 4400],
        ['opens a stream twice', 'agent', [open(3), open(3)], 4400],
        ['opens a stream below another', 'agent', [open(3), open(2)], 4400],
        ['opens a stream that is over', 'agent', [open(1), reset(1), open(1)], 4400],
        ['sends data on a stream that was not opened', 'agent', [data(1, 5)], 4400],
        ['ends a stream that was not opened', 'gateway', [{ type: 'end', stream: 1 }], 4400],
        ['resets a stream that was not opened', 'gateway', [reset(1)], 4400],
        ['opens a window on a stream that was not opened', 'gateway', [{ type: 'window', stream: 1, bytes: 1 }], 4400],
        ['answers what was not asked', 'gateway', [{ type: 'response', stream: 1, head: OK }], 4400],
        ['sends data on a stream that it reset', 'agent', [open(1), reset(1), data(1, 5)], 4400],
        ['ends a stream that it reset', 'agent', [open(1), reset(1), { type: 'end', stream: 1 }], 4400],
        ['answers a reset that there was not', 'agent', [open(1), reset(1, true)], 4400],
        ['answers a reset that there was not, of an old stream', 'agent', [open(1), reset(1), reset(1, true)], 4400],
        ['requests something of the gateway', 'gateway', [open(1)], 4400],
        [
            'says hello to the agent',
            'agent',
            [{ type: 'hello', hello: { version: 1, agent: 'a', endpoints: [] } }],
            4400,
        ],
        ['tells the agent of its health', 'agent', [{ type: 'health', health: [] }], 4400],
        ['sends the gateway away', 'gateway', [{ type: 'goaway', lastStream: 0, reason: '' }], 4400],
        [
            'tells the gateway of settings',
            'gateway',
            [{ type: 'settings', settings: { compression: true, endpoints: [] } }],
            4400,
        ],
        ['tells malformed settings', 'agent', [settings('{"compression":1,"endpoints":[]}')], 4400],
        ['tells settings that are too large', 'agent', [settings(' '.repeat(65_537))], 4413],
        ['requests after it has sent away', 'agent', [{ type: 'goaway', lastStream: 0, reason: '' }, open(1)], 4400],
        ['sends too much data in a frame', 'agent', [open(1), data(1, 65_537)], 4413],
        [
            'sends a head that is too large',
            'agent',
            [open(1), Buffer.concat([Buffer.from('020000000002', 'hex'), Buffer.alloc(32_769)])],
            4413,
        ],
        ['sends a message that is too large', 'agent', [Buffer.alloc(256 * 1024 + 1)], 4413],
    ];

    for (const [what, side, messages, code] of deadly) {
        it(`is closed with ${code} when that ${what}, and no other is`, async () => {
            const gone: AbortSignal[] = [];
            const { link, raw } = await against(side, { onRequest: (request) => gone.push(request.gone) });
            bystander = await linkPair((request) => void request.respond(OK, request.body));
            const answer = await bystander.gateway.request(HEAD, bodyOf('still here'), never());
            for (const message of messages) {
                if (typeof message === 'string' || Buffer.isBuffer(message)) raw.socket.send(message);
                else raw.send(message);
            }
            const { code: closedWith, reason } = await link.closed;
            expect(closedWith).to.equal(code);
            expect(reason).not.to.be.empty();
            expect(link.isOpen).to.be.false();
            expect(gone.every(({ aborted }) => aborted)).to.be.true();
            // A message over the size of all is refused by the socket itself, which has its own code for it.
            expect((await raw.closed).code).to.equal(what === 'sends a message that is too large' ? 1009 : code);
            expect((await readAll(answer.body)).toString()).to.equal('still here');
        });
    }

    it('is closed when that says hello twice', async () => {
        let hellos = 0;
        const { link, raw } = await against('gateway', { onHello: () => hellos++ });
        const hello: Frame = { type: 'hello', hello: { version: 1, agent: 'a', endpoints: [] } };
        raw.send(hello, hello);
        expect(await link.closed).to.equal({ code: 4400, reason: 'a second hello' });
        expect(hellos).to.equal(1);
    });

    const atAgent: [what: string, frames: Frame[]][] = [
        ['data beyond the window', [open(1), ...fill(1), data(1, 1)]],
        ['data after the end', [open(1), { type: 'end', stream: 1 }, data(1, 1)]],
        ['data of a request without a body', [open(1, true), data(1, 1)]],
        ['a second end', [open(1), { type: 'end', stream: 1 }, { type: 'end', stream: 1 }]],
        ['an answer to its own request', [open(1), { type: 'response', stream: 1, head: OK }]],
        ['a window of more than there can be', [open(1), { type: 'window', stream: 1, bytes: 2 ** 31 - 1 }]],
    ];

    for (const [what, frames] of atAgent) {
        it(`resets the stream, and only that, for ${what} at the agent`, async () => {
            const requests: LinkRequest[] = [];
            const made = await against('agent', { onRequest: (request) => requests.push(request) });
            made.raw.send(...frames, open(2));
            expect(await made.raw.next('reset', 1)).to.include({ code: 'protocol', isAnswer: false });
            await until(() => requests.length === 2);
            expect(requests.map(({ gone }) => gone.aborted)).to.equal([true, false]);
            expect(made.link.streams).to.equal(1);
            made.raw.send(reset(1, true));
            await lives(made);
        });
    }

    const atGateway: [what: string, frames: Frame[]][] = [
        ['data before the answer', [data(1, 1)]],
        ['an end before the answer', [{ type: 'end', stream: 1 }]],
        [
            'a second answer',
            [
                { type: 'response', stream: 1, head: OK },
                { type: 'response', stream: 1, head: OK },
            ],
        ],
        ['data beyond the window', [{ type: 'response', stream: 1, head: OK }, ...fill(1), data(1, 1)]],
    ];

    for (const [what, frames] of atGateway) {
        it(`resets the stream, and only that, for ${what} at the gateway`, async () => {
            const made = await against('gateway');
            const answer = made.link.request(HEAD, null, never()).then(async ({ body }) => {
                await made.raw.next('reset', 1);
                return readAll(body);
            });
            const other = made.link.request(HEAD, null, never());
            await made.raw.next('request', 2);
            made.raw.send(...frames, { type: 'response', stream: 2, head: OK });
            expect(await expect(answer).to.reject(StreamReset)).to.include({ code: 'protocol', isDelivered: true });
            expect((await other).status).to.equal(200);
            await lives(made);
        });
    }

    it('is closed when that answers a request which waits to be sent', async () => {
        const { link, raw, socket } = await against('gateway', { limits: { buffered: 70_000, window: 2 ** 25 } });
        raw.socket.pause();
        link.request(HEAD, bodyOf(Buffer.alloc(2 ** 25)), never()).catch(() => {});
        await until(() => socket.bufferedAmount > 4000);
        const waiting = expect(link.request(HEAD, null, never())).to.reject(LinkClosed);
        raw.send({ type: 'response', stream: 2, head: OK });
        expect(await waiting).to.include({ code: 4400, isDelivered: false });
    });

    it('drops what was not read of an answer that was reset', async () => {
        const made = await against('gateway');
        const answer = made.link.request(HEAD, null, never());
        await made.raw.next('request');
        made.raw.send({ type: 'response', stream: 1, head: OK }, data(1, 5), reset(1));
        await made.raw.next('reset', 1);
        const reader = (await answer).body[Symbol.asyncIterator]();
        expect(await expect(reader.next()).to.reject(StreamReset)).to.include({ code: 'cancelled' });
    });

    it('ignores what is late on a stream that it reset, as much as the window allowed', async () => {
        const abort = new AbortController();
        const made = await against('gateway');
        const answer = made.link.request(HEAD, null, abort.signal);
        await made.raw.next('request');
        abort.abort();
        await expect(answer).to.reject(StreamReset);
        await made.raw.next('reset', 1);
        made.raw.send({ type: 'response', stream: 1, head: OK }, ...fill(1), { type: 'window', stream: 1, bytes: 9 });
        await lives(made);
        made.raw.send(data(1, 1));
        expect(await made.link.closed).to.equal({ code: 4400, reason: 'data beyond the window' });
    });

    it('takes nothing more of a stream when the other end has answered the reset, or reset it too', async () => {
        for (const isAnswer of [true, false]) {
            const abort = new AbortController();
            const made = await against('gateway');
            const answer = made.link.request(HEAD, null, abort.signal);
            await made.raw.next('request');
            abort.abort();
            await expect(answer).to.reject(StreamReset);
            made.raw.send({ type: 'response', stream: 1, head: OK }, reset(1, isAnswer));
            await lives(made);
            made.raw.send(data(1, 1));
            expect(await made.link.closed).to.equal({ code: 4400, reason: 'data on a closed stream' });
            expect(made.raw.frames.filter(({ type }) => type === 'reset')).to.have.length(1);
        }
    });

    it('answers a reset, also of a stream that is over', async () => {
        const made = await against('agent', { onRequest: (request) => void request.respond(OK, bodyOf()) });
        made.raw.send(open(1, true));
        await made.raw.next('end', 1);
        made.raw.send(reset(1), { type: 'window', stream: 1, bytes: 5 });
        expect(await made.raw.next('reset', 1)).to.include({ isAnswer: true });
        await lives(made);
    });

    it('opens no more streams when that does not answer its resets', async () => {
        const made = await against('gateway', { limits: { streams: 2 } });
        const cancelled = async () => {
            const abort = new AbortController();
            const answer = made.link.request(HEAD, null, abort.signal);
            abort.abort();
            return (await expect(answer).to.reject(StreamReset)).code;
        };
        for (let asked = 0; asked < 10; asked++) expect(await cancelled()).to.equal('cancelled');
        expect(await cancelled()).to.equal('refused');
        await made.raw.next('reset', 10);
        made.raw.send(reset(4, true));
        await lives(made);
        expect(await cancelled()).to.equal('cancelled');
    });

    it('is closed when that lets it reset streams and never answers', async () => {
        const { link, raw } = await against('agent', { limits: { streams: 2 }, onRequest: () => {} });
        raw.send(...Array.from({ length: 13 }, (_, index) => open(index + 1)));
        expect(await link.closed).to.equal({ code: 4400, reason: 'resets are not answered' });
    });

    it('is closed when that makes it answer and does not read', async () => {
        const { link, raw, socket } = await against('agent', { limits: { buffered: 2000 } });
        raw.socket.pause();
        const ping = encodeFrame({ type: 'ping' });
        let most = 0;
        while (link.isOpen) {
            for (let sent = 0; sent < 5000; sent++) raw.socket.send(ping);
            await new Promise((resolve) => setImmediate(resolve));
            most = Math.max(most, socket.bufferedAmount);
        }
        expect(await link.closed).to.equal({ code: 4400, reason: 'it sends without reading' });
        expect(most).to.be.below(10_000);
        raw.socket.terminate();
    });

    it('lives through 10,000 frames of nonsense on hundreds of links', async () => {
        const random = seeded(4);
        const good = [open(1), data(1, 10), reset(1), open(2, true), { type: 'ping' } as Frame].map(encodeFrame);
        for (let round = 0; round < 340; round++) {
            const side = round % 2 ? 'agent' : 'gateway';
            const onRequest = (request: LinkRequest) =>
                void request.respond(OK, request.body).catch((error: unknown) => expect(error).to.be.an.error());
            const { link, raw, stop } = await linkToRaw(side, { onRequest });
            const request = side === 'gateway' ? link.request(HEAD, bodyOf('x'), never()) : Promise.resolve();
            const settled = request.catch((error: unknown) => expect(error).to.be.an.error());
            for (let sent = 0; sent < 30; sent++) {
                const message = Buffer.from(good[Math.floor(random() * good.length)]!);
                if (random() < 0.3) message[Math.floor(random() * message.length)] = Math.floor(random() * 256);
                raw.socket.send(message);
            }
            raw.socket.close();
            await link.closed;
            if (raw.socket.readyState !== raw.socket.CLOSED) await once(raw.socket, 'close');
            await settled;
            expect(link.streams).to.equal(0);
            stop();
        }
    });
});

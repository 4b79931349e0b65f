import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { StreamReset } from '../../../../plugins/tunnels/link/link.ts';
import { bodyOf, linkPair, linkToRaw, never, readAll, until, type Pair } from '../../../helpers/link.ts';

import type { Frame } from '../../../../plugins/tunnels/link/frames.ts';
import type { Headers, LinkRequest } from '../../../../plugins/tunnels/link/types.ts';

export const lab = Lab.script();
const { describe, it, afterEach } = lab;

const MIB = 2 ** 20;
const SIZE = 64 * MIB;
/** Of the window, what a sender may have taken from its source beyond what is read: one chunk in its hand. */
const CHUNK = 100_000;

const GET = { method: 'GET', path: '/', headers: [] as Headers };
const OK = { status: 200, headers: [] as Headers };

const stops: (() => void)[] = [];

async function pair(...args: Parameters<typeof linkPair>): Promise<Pair> {
    const made = await linkPair(...args);
    stops.push(made.stop);
    return made;
}

/** 64 MiB whose bytes tell where they stand; `taken` is how much of it has been. */
function countedBody(): { body: AsyncIterable<Uint8Array>; taken: () => number } {
    let taken = 0;
    async function* body() {
        const chunk = Buffer.alloc(CHUNK);
        while (taken < SIZE) {
            const length = Math.min(CHUNK, SIZE - taken);
            chunk.fill((taken / CHUNK) & 0xff);
            taken += length;
            yield chunk.subarray(0, length);
        }
    }
    return { body: body(), taken: () => taken };
}

/** Reads 64 MiB, with pauses in which a second request is answered; `ahead` is the most that was under way. */
async function readWithPauses(
    body: AsyncIterable<Uint8Array>,
    taken: () => number,
    onPause: () => Promise<void>,
): Promise<{ read: number; ahead: number; pauses: number }> {
    let read = 0;
    let ahead = 0;
    let pauses = 0;
    for await (const chunk of body) {
        for (const place of [0, chunk.length - 1]) {
            if (chunk[place] !== (Math.floor((read + place) / CHUNK) & 0xff))
                throw new Error(`wrong at ${read + place}`);
        }
        read += chunk.length;
        ahead = Math.max(ahead, taken() - read);
        if (read > ((pauses + 1) * SIZE) / 6) {
            pauses++;
            await onPause();
            ahead = Math.max(ahead, taken() - read);
        }
    }
    return { read, ahead, pauses };
}

describe('the flow on a link', () => {
    afterEach(() => {
        for (const stop of stops.splice(0)) stop();
    });

    it('sends 64 MiB down at the pace of a reader who pauses, while others are answered', async () => {
        const { body, taken } = countedBody();
        const { gateway, agent, sockets } = await pair((request) => {
            void request.respond(OK, request.path === '/big' ? body : bodyOf('small'));
        });
        const answer = await gateway.request({ ...GET, path: '/big' }, null, never());
        let buffered = 0;
        const { read, ahead, pauses } = await readWithPauses(answer.body, taken, async () => {
            const before = agent.bytes.out;
            for (let other = 0; other < 20; other++) {
                const small = await gateway.request(GET, null, never());
                expect((await readAll(small.body)).toString()).to.equal('small');
                buffered = Math.max(buffered, sockets.agent.bufferedAmount);
            }
            expect(agent.bytes.out - before).to.be.below(MIB + 10_000);
        });
        expect([read, pauses]).to.equal([SIZE, 5]);
        expect(ahead).to.be.within(MIB / 2, MIB + 2 * CHUNK);
        expect(buffered).to.be.below(MIB + 10_000);
    });

    it('sends 64 MiB up at the pace of a reader who pauses, while others are answered', async () => {
        const { body, taken } = countedBody();
        let big: LinkRequest | undefined;
        const { gateway } = await pair((request) => {
            if (request.path === '/big') big = request;
            else void request.respond(OK, bodyOf('small'));
        });
        const answer = gateway.request({ ...GET, path: '/big' }, body, never());
        await until(() => big !== undefined);
        const { read, ahead } = await readWithPauses(big!.body, taken, async () => {
            for (let other = 0; other < 20; other++) {
                const small = await gateway.request(GET, null, never());
                expect((await readAll(small.body)).toString()).to.equal('small');
            }
        });
        expect(read).to.equal(SIZE);
        expect(ahead).to.be.within(MIB / 2, MIB + 2 * CHUNK);
        await big!.respond(OK, bodyOf('thanks'));
        expect((await readAll((await answer).body)).toString()).to.equal('thanks');
    });

    it('stops at the window of a reader who does not read, and goes on when it is opened', async () => {
        const { link, raw, stop } = await linkToRaw('gateway');
        stops.push(stop);
        const { body, taken } = countedBody();
        link.request(GET, body, never()).catch(() => {});
        const sent = () => raw.frames.reduce((sum, frame) => sum + (frame.type === 'data' ? frame.data.length : 0), 0);
        await until(() => sent() >= MIB);
        raw.send({ type: 'ping' });
        await raw.next('pong');
        expect(sent()).to.equal(MIB);
        expect(taken()).to.equal(CHUNK * Math.ceil(MIB / CHUNK));
        raw.send({ type: 'window', stream: 1, bytes: 70_000 });
        await until(() => sent() > MIB + 65_536);
        raw.send({ type: 'ping' });
        await until(() => raw.frames.filter(({ type }) => type === 'pong').length === 2);
        expect(sent()).to.equal(MIB + 70_000);
        const sizes = raw.frames.map((frame) => (frame.type === 'data' ? frame.data.length : 0));
        expect(Math.max(...sizes)).to.equal(65_536);
    });

    it('opens the window of the other end as the body is read, and not before', async () => {
        const { link, raw, stop } = await linkToRaw('gateway');
        stops.push(stop);
        const asked = link.request(GET, null, never());
        await raw.next('request');
        raw.send({ type: 'response', stream: 1, head: OK });
        for (let sent = 0; sent < 16; sent++) raw.send({ type: 'data', stream: 1, data: Buffer.alloc(65_536) });
        raw.send({ type: 'ping' });
        await raw.next('pong');
        const windows = () => raw.frames.filter(({ type }) => type === 'window');
        expect(windows()).to.equal([]);
        const reader = (await asked).body[Symbol.asyncIterator]();
        for (let read = 0; read < 9; read++) await reader.next();
        raw.send({ type: 'ping' });
        await until(() => raw.frames.filter(({ type }) => type === 'pong').length === 2);
        const quarter: Frame = { type: 'window', stream: 1, bytes: MIB / 4 };
        expect(windows()).to.equal([quarter, quarter]);
    });

    it('keeps a body that comes in single bytes in few pieces', async () => {
        const { link, raw, stop } = await linkToRaw('gateway');
        stops.push(stop);
        const asked = link.request(GET, null, never());
        await raw.next('request');
        raw.send({ type: 'response', stream: 1, head: OK });
        for (let sent = 0; sent < 1000; sent++) raw.send({ type: 'data', stream: 1, data: Buffer.of(sent & 0xff) });
        raw.send({ type: 'end', stream: 1 }, { type: 'ping' });
        await raw.next('pong');
        const pieces: Uint8Array[] = [];
        for await (const piece of (await asked).body) pieces.push(piece);
        expect(pieces.length).to.be.below(66);
        expect(Buffer.concat(pieces)).to.equal(Buffer.from(Array.from({ length: 1000 }, (_, index) => index & 0xff)));
    });

    it('lets streams send in turn, with no more in the socket than its cap', async () => {
        const limits = { buffered: 200_000, data: 10_000, window: 2 ** 25 };
        const { link, raw, socket, stop } = await linkToRaw('gateway', { limits });
        stops.push(stop);
        raw.socket.pause();
        let buffered = 0;
        const watch = () => {
            buffered = Math.max(buffered, socket.bufferedAmount);
            return buffered > 180_000;
        };
        const ask = (bytes: number) => void link.request(GET, bodyOf(Buffer.alloc(bytes)), never()).catch(() => {});
        ask(2 ** 25);
        await until(watch);
        for (let stream = 2; stream <= 10; stream++) ask(900_000);
        raw.socket.resume();
        await until(() => watch() && raw.frames.filter(({ type }) => type === 'end').length >= 9);
        expect(buffered).to.be.at.most(200_000 + 100);
        const lastHead = raw.frames.findLastIndex(({ type }) => type === 'request');
        const turns = raw.frames.slice(lastHead).flatMap((frame) => (frame.type === 'data' ? [frame.stream] : []));
        for (let round = 2; round < 80; round++) {
            const turn = turns.slice(round * 10, round * 10 + 10);
            expect(new Set(turn).size, `round ${round}: ${turn.join()}`).to.equal(10);
        }
    });

    it('answers a late request in its turn, in front of what the others still have', async () => {
        const limits = { buffered: 100_000, data: 10_000, window: SIZE };
        const { link, raw, socket, stop } = await linkToRaw('gateway', { limits });
        stops.push(stop);
        raw.socket.pause();
        link.request(GET, countedBody().body, never()).catch(() => {});
        await until(() => socket.bufferedAmount > 80_000);
        const before = link.bytes.out;
        link.request({ ...GET, path: '/late' }, null, never()).catch(() => {});
        expect(link.bytes.out).to.equal(before);
        raw.socket.resume();
        await raw.next('request', 2);
        expect(raw.frames.filter(({ type }) => type === 'data').length * 10_000).to.be.below(SIZE / 2);
    });

    it('takes a request that waits for its turn back without a trace', async () => {
        const limits = { buffered: 100_000, data: 10_000, window: SIZE };
        const { link, raw, socket, stop } = await linkToRaw('gateway', { limits });
        stops.push(stop);
        raw.socket.pause();
        link.request(GET, countedBody().body, never()).catch(() => {});
        await until(() => socket.bufferedAmount > 80_000);
        const abort = new AbortController();
        const waiting = link.request(GET, bodyOf('never sent'), abort.signal);
        abort.abort();
        expect(await expect(waiting).to.reject(StreamReset)).to.include({ code: 'cancelled', isDelivered: false });
        link.request(GET, null, never()).catch(() => {});
        raw.socket.resume();
        await raw.next('request', 3);
        expect(raw.frames.filter((frame) => 'stream' in frame && frame.stream === 2)).to.equal([]);
    });

    it('carries 200 requests at a time, each with its own body, and refuses one more', async () => {
        const requests: LinkRequest[] = [];
        const { gateway, agent } = await pair((request) => requests.push(request));
        const bodies = Array.from({ length: 200 }, (_, index) => Buffer.alloc(20_000 + index, index));
        const answers = bodies.map((body) => gateway.request(GET, bodyOf(body), never()));
        await until(() => requests.length === 200);
        expect([gateway.streams, agent.streams]).to.equal([200, 200]);
        const refused = await expect(gateway.request(GET, null, never())).to.reject(StreamReset);
        expect(refused).to.include({ code: 'refused', isDelivered: false });
        for (const request of requests.toReversed()) void request.respond(OK, request.body);
        const back = await Promise.all(answers.map(async (answer) => readAll((await answer).body)));
        expect(back.every((body, index) => body.equals(bodies[index]!))).to.be.true();
        await until(() => agent.streams === 0);
        const again = gateway.request(GET, null, never());
        await until(() => requests.length === 201);
        void requests[200]!.respond(OK, bodyOf('room again'));
        expect((await readAll((await again).body)).toString()).to.equal('room again');
    });

    it('refuses at the agent what is over the limit, and lets the others be', async () => {
        const requests: LinkRequest[] = [];
        const { link, raw, stop } = await linkToRaw('agent', { onRequest: (request) => requests.push(request) });
        stops.push(stop);
        for (let stream = 1; stream <= 201; stream++) raw.send({ type: 'request', stream, head: GET, isEnd: false });
        expect(await raw.next('reset')).to.equal({ type: 'reset', stream: 201, code: 'refused', isAnswer: false });
        raw.send(
            { type: 'data', stream: 201, data: Buffer.from('late') },
            { type: 'reset', stream: 201, code: 'cancelled', isAnswer: true },
        );
        raw.send({ type: 'ping' });
        await raw.next('pong');
        void requests[0]!.respond(OK, bodyOf('answer'));
        await raw.next('end', 1);
        expect([link.isOpen, link.streams, requests.length]).to.equal([true, 200, 200]);
    });
});

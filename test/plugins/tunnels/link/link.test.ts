import { getEventListeners, once } from 'node:events';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { Link, LinkClosed, StreamReset } from '../../../../plugins/tunnels/link/link.ts';
import { bodyOf, linkPair, never, readAll, socketPair, until, type Pair } from '../../../helpers/link.ts';

import type { Headers, LinkRequest } from '../../../../plugins/tunnels/link/types.ts';

export const lab = Lab.script();
const { describe, it, afterEach } = lab;

const GET = { method: 'GET', path: '/', headers: [] as Headers };
const POST = { method: 'POST', path: '/', headers: [] as Headers };
const OK = { status: 200, headers: [] as Headers };

const echo = (request: LinkRequest): void => void request.respond(OK, request.body);

/** A body that gives one chunk and then nothing until it is told to go on, and says when it was given up. */
function heldBody(): { body: AsyncIterable<Uint8Array>; end(error?: Error): void; isReturned(): boolean } {
    let settle: (error?: Error) => void = () => {};
    let isReturned = false;
    const held = new Promise<void>((resolve, reject) => {
        settle = (error) => (error ? reject(error) : resolve());
    });
    let chunks = 0;
    const iterator: AsyncIterator<Uint8Array> = {
        async next() {
            if (chunks++ === 0) return { done: false, value: Buffer.from('first') };
            await held;
            return { done: true, value: undefined };
        },
        async return() {
            isReturned = true;
            return { done: true, value: undefined };
        },
    };
    return { body: { [Symbol.asyncIterator]: () => iterator }, end: settle, isReturned: () => isReturned };
}

const stops: (() => void)[] = [];

async function pair(...args: Parameters<typeof linkPair>): Promise<Pair> {
    const made = await linkPair(...args);
    stops.push(made.stop);
    return made;
}

/** A request that stays open; gives what the agent has of it. */
async function openRequest(signal = never(), body: AsyncIterable<Uint8Array> | null = null) {
    let seen: (request: LinkRequest) => void = () => {};
    const atAgent = new Promise<LinkRequest>((resolve) => {
        seen = resolve;
    });
    const links = await pair((request) => seen(request));
    const answer = links.gateway.request(POST, body, signal);
    answer.catch(() => {});
    return { ...links, answer, request: await atAgent };
}

describe('Link', () => {
    afterEach(() => {
        for (const stop of stops.splice(0)) stop();
    });

    it('carries a request and its answer', async () => {
        let seen: LinkRequest | undefined;
        const { gateway, agent } = await pair((request) => {
            seen = request;
            void request.respond(
                {
                    status: 201,
                    headers: [
                        ['x-a', '1'],
                        ['x-a', '2'],
                    ],
                },
                request.body,
            );
        });
        const head = { method: 'POST', path: '/a?b=c', headers: [['accept', '*/*']] as Headers, endpoint: 'end_1' };
        const answer = await gateway.request(head, bodyOf('hello ', 'world'), never());
        expect(seen).to.include(head);
        expect(answer.status).to.equal(201);
        expect(answer.headers).to.equal([
            ['x-a', '1'],
            ['x-a', '2'],
        ]);
        expect((await readAll(answer.body)).toString()).to.equal('hello world');
        await until(() => agent.streams === 0);
        expect(gateway.streams).to.equal(0);
        expect(gateway.bytes).to.equal({ in: agent.bytes.out, out: agent.bytes.in });
        expect(agent.bytes.in).to.be.above(50);
    });

    it('carries a request without a body and an answer without one', async () => {
        const { gateway } = await pair(async (request) => {
            const { length } = await readAll(request.body);
            await request.respond({ status: 204, headers: [['x-length', String(length)]] }, bodyOf());
        });
        const answer = await gateway.request(GET, null, never());
        expect(answer).to.include({ status: 204, headers: [['x-length', '0']] });
        expect(await readAll(answer.body)).to.have.length(0);
    });

    it('tells of hello and health', async () => {
        const told: unknown[] = [];
        const { agent } = await pair(() => {}, {
            onHello: (hello) => told.push(hello),
            onHealth: (health) => told.push(health),
        });
        const hello = { version: 1 as const, agent: 'a', endpoints: [{ id: 'e', priority: 1, weight: 2 }] };
        const health = [{ endpoint: 'e', isHealthy: false, latencyMs: null, error: 'refused' }];
        agent.hello(hello);
        agent.health(health);
        agent.health([]);
        await until(() => told.length === 3);
        expect(told).to.equal([hello, health, []]);
        expect(() => agent.health([{ endpoint: 'x'.repeat(40_000), isHealthy: true, latencyMs: 1 }])).to.throw(
            RangeError,
        );
    });

    it('tells the agent of settings', async () => {
        const told: unknown[] = [];
        const { gateway } = await pair(() => {}, { onSettings: (settings) => told.push(settings) });
        const endpoint = { id: 'e', url: `http://a/${'x'.repeat(40_000)}`, priority: 1, weight: 2 };
        const settings = { compression: true, endpoints: [endpoint] };
        gateway.settings(settings);
        await until(() => told.length === 1);
        expect(told).to.equal([settings]);
        const twice = { compression: true, endpoints: [endpoint, endpoint] };
        expect(() => gateway.settings(twice)).to.throw(RangeError);
    });

    it('gives each part of a body as it comes, both ways', async () => {
        const { gateway } = await pair(echo);
        let give: (value: Uint8Array | null) => void = () => {};
        async function* body() {
            for (;;) {
                const value = await new Promise<Uint8Array | null>((resolve) => {
                    give = resolve;
                });
                if (!value) return;
                yield value;
            }
        }
        const { body: answer } = await gateway.request(POST, body(), never());
        const reader = answer[Symbol.asyncIterator]();
        for (const word of ['one', 'two', 'three']) {
            give(Buffer.from(word));
            expect(Buffer.from((await reader.next()).value!).toString()).to.equal(word);
        }
        give(null);
        expect((await reader.next()).done).to.be.true();
    });

    it('aborts the request at the agent when the signal is, before an answer and in the middle of one', async () => {
        for (const isAnswered of [false, true]) {
            const abort = new AbortController();
            const { request, answer, gateway, agent } = await openRequest(abort.signal);
            const held = heldBody();
            const responded = isAnswered ? request.respond(OK, held.body) : null;
            const reader = isAnswered ? (await answer).body[Symbol.asyncIterator]() : null;
            await reader?.next();
            expect(request.gone.aborted).to.be.false();
            abort.abort();
            const error = await expect(reader?.next() ?? answer).to.reject(StreamReset);
            expect(error).to.include({ code: 'cancelled', isDelivered: true });
            if (!request.gone.aborted) await once(request.gone, 'abort');
            if (responded) expect(await expect(responded).to.reject(StreamReset)).to.include({ code: 'cancelled' });
            const { out } = agent.bytes;
            if (!isAnswered) await expect(request.respond(OK, bodyOf('late'))).to.reject(StreamReset);
            expect(agent.bytes.out).to.equal(out);
            expect(held.isReturned()).to.equal(isAnswered);
            expect([gateway.streams, agent.streams]).to.equal([0, 0]);
            expect([gateway.isOpen, agent.isOpen]).to.equal([true, true]);
        }
    });

    it('aborts the request at the agent when the reader of the answer stops', async () => {
        const { request, answer } = await openRequest();
        const held = heldBody();
        const responded = request.respond(OK, held.body);
        for await (const chunk of (await answer).body) {
            expect(Buffer.from(chunk).toString()).to.equal('first');
            break;
        }
        await expect(responded).to.reject(StreamReset);
        expect(request.gone.aborted).to.be.true();
        expect(held.isReturned()).to.be.true();
    });

    it('leaves nothing on the signal of a request that has ended', async () => {
        const { signal } = new AbortController();
        const { request, answer, gateway } = await openRequest(signal);
        expect(getEventListeners(signal, 'abort')).to.have.length(1);
        await request.respond(OK, bodyOf('a'));
        await readAll((await answer).body);
        expect(gateway.streams).to.equal(0);
        expect(getEventListeners(signal, 'abort')).to.have.length(0);
    });

    it('has nothing to do when a request has ended', async () => {
        const { gateway, agent } = await pair(echo);
        const answer = await gateway.request(POST, bodyOf(Buffer.alloc(300_000)), never());
        await readAll(answer.body);
        await until(() => agent.streams === 0);
        expect(process.getActiveResourcesInfo()).not.to.include('Immediate');
    });

    it('sends nothing of a request whose signal is aborted already', async () => {
        const { gateway } = await pair(echo);
        const error = await expect(gateway.request(GET, null, AbortSignal.abort())).to.reject(StreamReset);
        expect(error).to.include({ code: 'cancelled', isDelivered: false });
        expect(gateway.bytes.out).to.equal(0);
    });

    it('tells why the agent ended a request', async () => {
        for (const code of ['unreachable', 'timeout', 'internal', 'too_large'] as const) {
            const { request, answer } = await openRequest();
            request.fail(code);
            request.fail('protocol');
            expect(await expect(answer).to.reject(StreamReset)).to.include({ code, isDelivered: true });
        }
    });

    it('calls a refused request not delivered, unless something of its body is gone', async () => {
        for (const [body, isDelivered] of [
            [null, false],
            [bodyOf('a'), true],
        ] as const) {
            const { request, answer } = await openRequest(never(), body);
            if (body) await request.body[Symbol.asyncIterator]().next();
            request.fail('refused');
            expect(await expect(answer).to.reject(StreamReset)).to.include({ code: 'refused', isDelivered });
        }
    });

    it('fails the answer when its body does in the middle', async () => {
        const { request, answer } = await openRequest();
        const held = heldBody();
        const responded = request.respond(OK, held.body);
        const reader = (await answer).body[Symbol.asyncIterator]();
        await reader.next();
        const cause = new Error('target gone');
        held.end(cause);
        expect(await expect(responded).to.reject(StreamReset)).to.include({ code: 'internal', cause });
        expect(await expect(reader.next()).to.reject(StreamReset)).to.include({ code: 'internal' });
    });

    it('fails the request when its body does, at both sides', async () => {
        const held = heldBody();
        const { request, answer } = await openRequest(never(), held.body);
        const reader = request.body[Symbol.asyncIterator]();
        await reader.next();
        const cause = new Error('client gone');
        held.end(cause);
        expect(await expect(answer).to.reject(StreamReset)).to.include({ code: 'cancelled', cause });
        await expect(reader.next()).to.reject(StreamReset);
        expect(request.gone.aborted).to.be.true();
    });

    it('answers a request once', async () => {
        const { request, answer } = await openRequest();
        await request.respond(OK, bodyOf('once'));
        await expect(request.respond(OK, bodyOf('twice'))).to.reject('A request is answered once');
        expect((await readAll((await answer).body)).toString()).to.equal('once');
    });

    it('gives up the rest of the request when the whole answer is there', async () => {
        const held = heldBody();
        const { request, answer, gateway, agent } = await openRequest(never(), held.body);
        await request.respond({ status: 413, headers: [] }, bodyOf('enough'));
        expect((await readAll((await answer).body)).toString()).to.equal('enough');
        expect(held.isReturned()).to.be.true();
        await until(() => agent.streams === 0);
        expect(gateway.streams).to.equal(0);
        expect(request.gone.aborted).to.be.false();
        expect(agent.isOpen).to.be.true();
    });

    it('lets the agent answer without reading the request', async () => {
        const { gateway, agent } = await pair(async (request) => {
            for await (const _ of request.body) break;
            await request.respond(OK, bodyOf('done'));
        });
        const big = bodyOf(Buffer.alloc(3 * 2 ** 20));
        const { body } = await gateway.request(POST, big, never());
        expect((await readAll(body)).toString()).to.equal('done');
        await until(() => agent.streams === 0);
        expect([gateway.isOpen, agent.isOpen]).to.equal([true, true]);
    });

    it('does not send a head that the other end would refuse', async () => {
        const { gateway } = await pair(echo);
        const large = { ...GET, headers: [['x-large', 'v'.repeat(32_768)]] as Headers };
        const tooLarge = await expect(gateway.request(large, null, never())).to.reject(StreamReset);
        expect(tooLarge).to.include({ code: 'too_large', isDelivered: false });
        const split = { ...GET, headers: [['x-split', 'a\r\nb: c']] as Headers };
        const invalid = await expect(gateway.request(split, null, never())).to.reject(StreamReset);
        expect(invalid).to.include({ code: 'protocol', isDelivered: false });
        expect([gateway.bytes.out, gateway.streams]).to.equal([0, 0]);
    });

    it('resets a request whose answer has a head that is too large', async () => {
        const { request, answer } = await openRequest();
        const headers: Headers = [['x-large', 'v'.repeat(32_768)]];
        await expect(request.respond({ status: 200, headers }, bodyOf('a'))).to.reject(StreamReset);
        expect(await expect(answer).to.reject(StreamReset)).to.include({ code: 'too_large' });
    });

    it('finishes what runs after it has said to go away, takes nothing new, and closes', async () => {
        const reasons: string[] = [];
        let request: LinkRequest | undefined;
        const { gateway, agent } = await pair((seen) => void (request = seen), {
            onGoAway: (why) => reasons.push(why),
        });
        const answer = gateway.request(POST, null, never());
        await until(() => request !== undefined);
        gateway.goAway('restart');
        gateway.goAway('again');
        const refused = await expect(gateway.request(GET, null, never())).to.reject(StreamReset);
        expect(refused).to.include({ code: 'refused', isDelivered: false });
        await until(() => reasons.length > 0);
        expect([gateway.isOpen, gateway.isDraining, agent.isOpen, agent.isDraining]).to.equal([true, true, true, true]);
        await request!.respond(OK, bodyOf('the last one'));
        expect((await readAll((await answer).body)).toString()).to.equal('the last one');
        expect(await agent.closed).to.equal({ code: 1012, reason: 'restart' });
        expect(await gateway.closed).to.equal({ code: 1012, reason: 'restart' });
        expect(reasons).to.equal(['restart']);
    });

    it('takes requests as before when it is to go away soon, and its agent is told of both', async () => {
        const reasons: string[] = [];
        const { gateway, agent } = await pair(echo, { onGoAway: (why) => reasons.push(why) });
        gateway.goAwaySoon('a new version');
        await until(() => reasons.length > 0);
        expect([gateway.isDraining, agent.isDraining]).to.equal([false, false]);
        const { body } = await gateway.request(POST, bodyOf('still here'), never());
        expect((await readAll(body)).toString()).to.equal('still here');
        gateway.goAway('restart');
        gateway.goAwaySoon('too late');
        expect(await agent.closed).to.equal({ code: 1012, reason: 'restart' });
        expect(reasons).to.equal(['a new version', 'restart']);
    });

    it('closes at once when it goes away and nothing runs', async () => {
        const { gateway, agent } = await pair(echo);
        gateway.goAway('ü'.repeat(100));
        expect(gateway.isOpen).to.be.false();
        expect(await agent.closed).to.equal({ code: 1012, reason: 'ü'.repeat(60) });
    });

    it('fails everything on it when it is closed, at both sides', async () => {
        const { request, answer, gateway, agent, sockets } = await openRequest(never(), heldBody().body);
        const responded = request.respond(OK, heldBody().body);
        const reader = (await answer).body[Symbol.asyncIterator]();
        await reader.next();
        gateway.close(4403, 'stopped');
        gateway.close(4401, 'again');
        expect(await gateway.closed).to.equal({ code: 4403, reason: 'stopped' });
        expect(await expect(reader.next()).to.reject(LinkClosed)).to.include({ code: 4403, isDelivered: true });
        expect(await agent.closed).to.equal({ code: 4403, reason: 'stopped' });
        expect(await expect(responded).to.reject(LinkClosed)).to.include({ code: 4403 });
        expect(request.gone.aborted).to.be.true();
        const late = await expect(gateway.request(GET, null, never())).to.reject(LinkClosed);
        expect(late).to.include({ code: 4403, isDelivered: false });
        expect([gateway.isOpen, agent.isOpen, gateway.streams, agent.streams]).to.equal([false, false, 0, 0]);
        const { agent: atAgent, gateway: atGateway } = sockets;
        expect([atAgent.listenerCount('message'), atGateway.listenerCount('message')]).to.equal([0, 0]);
        // The server of the test listens for one.
        expect([atAgent.listenerCount('close'), atGateway.listenerCount('close')]).to.equal([0, 1]);
    });

    it('fails everything on it when the socket breaks', async () => {
        const { answer, gateway, sockets } = await openRequest();
        sockets.agent.terminate();
        expect(await expect(answer).to.reject(LinkClosed)).to.include({ code: 1006, isDelivered: true });
        expect(await gateway.closed).to.include({ code: 1006 });
    });

    it('is closed when the socket was', async () => {
        const { gateway: socket, stop } = await socketPair();
        stop();
        await once(socket, 'close');
        const link = new Link(socket, 'gateway', {});
        expect(link.isOpen).to.be.false();
        expect(await link.closed).to.include({ code: 1006 });
    });
});

import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import { Agent } from 'undici';

import { Exchange } from '../../../../plugins/models/providers/exchange.ts';
import { overHttp } from '../../../../plugins/models/providers/over-http.ts';

import type { AddressInfo } from 'node:net';
import type { TransportAnswer } from '../../../../plugins/models/providers/transport.ts';

export const lab = Lab.script();
const { describe, it, before, afterEach, after } = lab;

const never = new AbortController().signal;

async function textOf({ body }: TransportAnswer): Promise<string> {
    let text = '';
    for await (const piece of body) text += Buffer.from(piece).toString();
    return text;
}

describe('overHttp()', () => {
    const dispatcher = new Agent();
    let server: Server;
    let answer: RequestListener;

    before(async () => {
        server = createServer((request, response) => answer(request, response)).listen(0, '127.0.0.1');
        await once(server, 'listening');
    });

    afterEach(() => server.closeAllConnections());

    after(async () => {
        await dispatcher.destroy();
        server.close();
    });

    const ask = (signal = never) => {
        const { port } = server.address() as AddressInfo;
        const send = overHttp(dispatcher, `http://127.0.0.1:${port}/v1/`);
        return send({ method: 'POST', path: '/x?y=1', headers: { 'x-a': 'b' }, body: 'asked', signal });
    };

    it('sends the request to the path below the address, and gives status, headers and body', async () => {
        answer = (request, response) => {
            const { method, url, headers } = request;
            response.writeHead(418, { 'x-told': `${method} ${url} ${String(headers['x-a'])}` });
            request.pipe(response);
        };
        const answered = await ask();
        expect(answered.status).to.equal(418);
        expect(answered.headers['x-told']).to.equal('POST /v1/x?y=1 b');
        expect(await textOf(answered)).to.equal('asked');
    });

    it('passes over what only tells that an answer is on its way', async () => {
        answer = (_request, response) => {
            response.writeEarlyHints({ link: '</a>; rel=preload' });
            response.end('whole');
        };
        const answered = await ask();
        expect([answered.status, await textOf(answered)]).to.equal([200, 'whole']);
    });

    it('gives all that has come since in one step', async () => {
        answer = (_request, response) => {
            for (const piece of ['a', 'b', 'c']) response.write(piece);
            setTimeout(() => response.end('d'), 50);
        };
        const { body } = await ask();
        await sleep(25);
        const pieces: string[] = [];
        for await (const piece of body) pieces.push(Buffer.from(piece).toString());
        expect(pieces).to.equal(['abc', 'd']);
    });

    it('holds up a sender whose answer nobody reads, and gets all of it later', async () => {
        const whole = 64 * 1_048_576;
        const piece = Buffer.alloc(65_536, 'x');
        let sent = 0;
        answer = (_request, response) => {
            const more = () => {
                while (sent < whole) {
                    sent += piece.length;
                    if (!response.write(piece)) return void response.once('drain', more);
                }
                response.end();
            };
            more();
        };
        const { body } = await ask();
        await sleep(300);
        expect(sent).to.be.below(whole / 2);
        let got = 0;
        for await (const { length } of body) got += length;
        expect(got).to.equal(whole);
    });

    it('fails with what the signal is aborted for, before the answer and in its middle', async () => {
        for (const isBegun of [false, true]) {
            let gone: Promise<unknown> = Promise.resolve();
            const called = new Promise<void>((resolve) => {
                answer = (request, response) => {
                    gone = once(request.socket, 'close');
                    if (isBegun) response.write('half');
                    resolve();
                };
            });
            const stop = new AbortController();
            const asked = ask(stop.signal).then(textOf);
            await called;
            await sleep(20);
            stop.abort(new Error('enough'));
            await expect(asked).to.reject('enough');
            await gone;
        }
    });

    it('does not call anybody for a signal that was aborted before', async () => {
        answer = () => {
            throw new Error('Called');
        };
        await expect(ask(AbortSignal.abort(new Error('before')))).to.reject('before');
    });

    it('fails after what came where the connection breaks', async () => {
        answer = (request, response) => {
            response.write('half');
            setTimeout(() => request.socket.destroy(), 20);
        };
        const steps = (await ask()).body[Symbol.asyncIterator]();
        expect(String((await steps.next()).value)).to.equal('half');
        await expect(steps.next()).to.reject(Error);
    });

    it('closes the connection of an answer that is read no further', async () => {
        let gone: Promise<unknown> = Promise.resolve();
        answer = (request, response) => {
            gone = once(request.socket, 'close');
            response.write('a');
        };
        for await (const _piece of (await ask()).body) break;
        await gone;
    });
});

describe('Exchange', () => {
    const controller = {
        aborted: false,
        paused: false,
        reason: null,
        abort: () => undefined,
        pause: () => undefined,
        resume: () => undefined,
    };
    const piece = (text: string) => Buffer.from(text);
    const begun = (isUnhurried = false) => {
        const exchange = new Exchange(never, isUnhurried);
        exchange.onRequestStart(controller);
        exchange.onResponseStart(controller, 200, {});
        return exchange;
    };
    const textOfStep = async (step: ReturnType<Exchange['next']>) => String((await step).value);

    it('gives the first pieces at once, whatever comes a moment later', async () => {
        const exchange = begun();
        for (let n = 0; n < 8; n++) {
            exchange.onResponseData(controller, piece('a'));
            const step = exchange.next();
            await Promise.resolve().then(() => undefined);
            exchange.onResponseData(controller, piece('b'));
            expect(await textOfStep(step)).to.equal('a');
            expect(await textOfStep(exchange.next())).to.equal('b');
            // Slowly enough.
            await sleep(15);
        }
    });

    it('gives together all but the first piece where nobody is in a hurry', async () => {
        const exchange = begun(true);
        exchange.onResponseData(controller, piece('a'));
        expect(await textOfStep(exchange.next())).to.equal('a');
        exchange.onResponseData(controller, piece('b'));
        const step = exchange.next();
        await Promise.resolve().then(() => undefined);
        exchange.onResponseData(controller, piece('c'));
        expect(await textOfStep(step)).to.equal('bc');
    });

    it('gives together what comes in quick succession after the first pieces, but holds back neither the end nor much', async () => {
        const exchange = begun();
        const add = (text: string) => exchange.onResponseData(controller, piece(text));
        for (let n = 0; n < 20; n++) {
            add('x');
            expect(await textOfStep(exchange.next())).to.equal('x');
        }
        add('a');
        const together = exchange.next();
        await new Promise((resolve) => setImmediate(resolve));
        add('b');
        expect(await textOfStep(together)).to.equal('ab');
        add('y'.repeat(70_000));
        expect(await textOfStep(exchange.next())).to.have.length(70_000);
        add('c');
        const last = exchange.next();
        exchange.onResponseEnd();
        expect(await textOfStep(last)).to.equal('c');
        expect((await exchange.next()).done).to.be.true();
    });
});

import { once } from 'node:events';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { decodeFrame } from '../../../../plugins/tunnels/link/frames.ts';
import { Link } from '../../../../plugins/tunnels/link/link.ts';
import { bodyOf, linkPair, linkToRaw, never, readAll, socketPair, until } from '../../../helpers/link.ts';

import type { LinkRequest } from '../../../../plugins/tunnels/link/types.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const HEAD = { method: 'GET', path: '/', headers: [] };
const answerWith =
    (...chunks: string[]) =>
    (request: LinkRequest) =>
        void request.respond({ status: 200, headers: [] }, bodyOf(...chunks));

describe('frames of one turn', () => {
    it('are read by the other end in one piece, in their order', async () => {
        const { agent, gateway, transports, stop } = await socketPair();
        const link = new Link(agent, 'agent', { transport: transports.agent });
        const pieces: number[] = [];
        const types: string[] = [];
        transports.gateway.on('data', ({ length }: Buffer) => pieces.push(length));
        gateway.on('message', (message: Buffer) => types.push(decodeFrame(message).type));
        link.hello({ version: 1, agent: 'test', endpoints: [] });
        link.health([]);
        await until(() => types.length === 2);
        expect(types).to.equal(['hello', 'health']);
        expect(pieces).to.have.length(1);
        stop();
    });

    it('are not lost when the link is closed in the same turn', async () => {
        const { link, raw, stop } = await linkToRaw('agent');
        link.hello({ version: 1, agent: 'test', endpoints: [] });
        link.close(1000, 'done');
        expect(await raw.closed).to.equal({ code: 1000, reason: 'done' });
        expect(raw.frames.map(({ type }) => type)).to.equal(['hello']);
        stop();
    });
});

describe('takeRest', () => {
    it('gives an answer whole that has come with its head', async () => {
        const { gateway, stop } = await linkPair(answerWith('Lis', 'bon'));
        const { body } = await gateway.request(HEAD, null, never());
        expect(body.waiting).to.equal(6);
        expect(Buffer.from(body.takeRest() ?? []).toString()).to.equal('Lisbon');
        expect(body.waiting).to.equal(0);
        expect(await readAll(body)).to.have.length(0);
        stop();
    });

    it('gives nothing before the end has come, which then is read as ever', async () => {
        let finish = () => {};
        const finished = new Promise<void>((resolve) => (finish = resolve));
        const { gateway, stop } = await linkPair((request) => {
            const body = async function* () {
                yield Buffer.from('Lis');
                await finished;
                yield Buffer.from('bon');
            };
            void request.respond({ status: 200, headers: [] }, body());
        });
        const { body } = await gateway.request(HEAD, null, never());
        expect(body.takeRest()).to.be.null();
        finish();
        expect((await readAll(body)).toString()).to.equal('Lisbon');
        stop();
    });

    it('gives nothing of an answer that failed', async () => {
        const { gateway, sockets, stop } = await linkPair((request) => {
            const body = async function* () {
                yield Buffer.from('Lis');
                await new Promise(() => {});
            };
            request.respond({ status: 200, headers: [] }, body()).catch(() => undefined);
        });
        const { body } = await gateway.request(HEAD, null, never());
        const closed = once(sockets.gateway, 'close');
        sockets.agent.terminate();
        await closed;
        expect(body.takeRest()).to.be.null();
        await expect(readAll(body)).to.reject();
        stop();
    });
});

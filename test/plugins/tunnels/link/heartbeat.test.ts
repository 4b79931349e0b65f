import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { Heartbeat } from '../../../../plugins/tunnels/link/heartbeat.ts';
import { LinkClosed } from '../../../../plugins/tunnels/link/link.ts';
import { bodyOf, linkPair, linkToRaw, never, until } from '../../../helpers/link.ts';

import type { Headers } from '../../../../plugins/tunnels/link/types.ts';

export const lab = Lab.script();
const { describe, it, afterEach } = lab;

const HEAD = { method: 'POST', path: '/', headers: [] as Headers };
const FAST = { everyMs: 20, patienceMs: 60 };
const stops: (() => void)[] = [];

describe('the heartbeat of a link', () => {
    afterEach(() => {
        for (const stop of stops.splice(0)) stop();
    });

    for (const side of ['agent', 'gateway'] as const) {
        it(`notices at the ${side} a peer that is silent without having closed`, async () => {
            const { link, raw, socket, stop } = await linkToRaw(side, { heartbeat: FAST });
            stops.push(stop);
            raw.socket.pause();
            const answer = side === 'gateway' ? link.request(HEAD, bodyOf('a'), never()) : null;
            const failed = answer && expect(answer).to.reject(LinkClosed);
            expect(await link.closed).to.equal({ code: 4408, reason: 'no sign of life' });
            if (failed) expect(await failed).to.include({ code: 4408, isDelivered: true });
            // It does not wait for a goodbye.
            await until(() => socket.readyState === socket.CLOSED);
            expect(raw.socket.readyState).not.to.equal(raw.socket.CLOSED);
        });
    }

    it('keeps two ends that answer each other', async () => {
        const { gateway, agent, stop } = await linkPair(() => {}, { heartbeat: { everyMs: 5, patienceMs: 2000 } });
        stops.push(stop);
        const ping = 6;
        await until(() => gateway.bytes.in > 20 * ping && agent.bytes.in > 20 * ping);
        expect([gateway.isOpen, agent.isOpen]).to.equal([true, true]);
    });

    it('takes any message for a sign of life', async () => {
        const { link, raw, stop } = await linkToRaw('gateway', { heartbeat: { everyMs: 20, patienceMs: 300 } });
        stops.push(stop);
        const talk = setInterval(() => raw.send({ type: 'health', health: [] }), 10);
        await until(() => raw.frames.filter(({ type }) => type === 'ping').length === 4);
        expect(link.isOpen).to.be.true();
        clearInterval(talk);
        expect(await link.closed).to.include({ code: 4408 });
    });

    it('waits while the question is on its way out to a slow peer, and not when nothing moves', async () => {
        const traffic = { sent: 1000, buffered: 1000 };
        let deaths = 0;
        let pings = 0;
        const beat = new Heartbeat(
            { everyMs: 5, patienceMs: 300 },
            traffic,
            () => pings++,
            () => deaths++,
        );
        const drain = setInterval(() => (traffic.buffered = Math.max(10, traffic.buffered - 1)), 5);
        stops.push(
            () => clearInterval(drain),
            () => beat.stop(),
        );
        await until(() => traffic.buffered <= 800);
        expect([pings, deaths]).to.equal([1, 0]);
        clearInterval(drain);
        await until(() => deaths > 0);
    });

    it('does not wait when the question has gone out, whatever follows it', async () => {
        const traffic = { sent: 1000, buffered: 0 };
        let deaths = 0;
        const beat = new Heartbeat(
            { everyMs: 5, patienceMs: 20 },
            traffic,
            () => {},
            () => deaths++,
        );
        const more = setInterval(() => {
            traffic.sent += 20;
            traffic.buffered = 10;
        }, 2);
        stops.push(
            () => clearInterval(more),
            () => beat.stop(),
        );
        await until(() => deaths > 0);
    });

    it('ends with the link, which then waits for the goodbye of the other end', async () => {
        const { link, raw, socket, stop } = await linkToRaw('gateway', { heartbeat: { everyMs: 2, patienceMs: 5 } });
        stops.push(stop);
        raw.socket.pause();
        link.close(1000, 'done');
        await new Promise((resolve) => setTimeout(resolve, 50));
        expect(socket.readyState).to.equal(socket.CLOSING);
        raw.socket.resume();
        expect(await raw.closed).to.equal({ code: 1000, reason: 'done' });
        expect(raw.frames).to.equal([]);
    });
});

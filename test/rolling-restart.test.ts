import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { get } from './helpers/program.ts';
import { chunk } from './helpers/remote-model.ts';
import {
    ask,
    complete,
    completeStreamed,
    counted,
    create,
    follow,
    read,
    relay,
    stream,
    textOf,
    type Member,
} from './helpers/rolling-clients.ts';
import { answeredAfterStop, errorLines, startCluster, type Cluster } from './helpers/rolling-cluster.ts';
import { RollingLoad } from './helpers/rolling-load.ts';
import { openStream, resumeStream } from './helpers/stream.ts';
import { messagesPath, type ReceivedEvent } from './helpers/thread.ts';

import type { TestProcess } from './helpers/process.ts';

export const lab = Lab.script();
const { describe, it, beforeEach, afterEach } = lab;

/** Of a call of the paid model, which says that it was 10 tokens in and 20 out: at 1 and 2 micro-dollars each. */
const COST = 50;
/** Longer than a process that leaves takes requests: some of what begins there runs while it drains. */
const LONG = 40;

describe('a rolling restart of two replicas', { timeout: 300_000 }, () => {
    let cluster: Cluster;
    let load: RollingLoad;
    /** Is to be told of what the others did, to the last. */
    let following: RollingLoad;

    beforeEach(() => {
        load = new RollingLoad();
        following = new RollingLoad();
    });

    afterEach(async () => {
        await Promise.all([load.stop(), following.stop()]);
        await cluster.stop();
    });

    it('fails no request, loses no token and leaves no tunnel without a link', async () => {
        cluster = await startCluster({ SHUTDOWN_DELAY: '2', SHUTDOWN_TIMEOUT: '60' });
        const { provider, answer } = cluster;
        const [ada, bob, eve, joe] = cluster.members;
        const quick = await cluster.openTunnel(joe, 'quick');
        const slow = await cluster.openTunnel(joe, 'slow');
        const created: string[] = [];
        const events: ReceivedEvent[] = [];
        following.start('follow', 100, follow(ada, 'thread.created', events));
        await following.until(() => events.length > 0);
        load.start('read', 500, read(ada));
        load.start('create', 5_000, create(ada, created));
        load.start('stream', 500, stream(bob, LONG));
        load.start('ask', 500, ask(eve, 'remote', answer));
        load.start('complete', 300, complete(eve, 'remote', answer));
        load.start('complete streamed', 300, completeStreamed(eve, 'remote', answer));
        load.start('relay', 300, relay(joe, quick.id, '/', 'well'));
        load.start('relay a stream', 300, relay(joe, slow.id, '/slow', answer));
        await load.until(() => [...load.done].every(([, times]) => times > 0));

        for (const isTakenOutFirst of [true, false]) {
            for (const place of [0, 1]) {
                await cluster.end(place, isTakenOutFirst);
                await cluster.replace(place);
            }
        }
        await load.stop();
        const told = () =>
            events.flatMap(({ event, data }) => (event === 'thread.created' ? [data.data.threadId] : []));
        await following.until(() => told().length === created.length);
        await following.stop();

        expect([...load.failures, ...following.failures]).to.equal([]);
        expect(cluster.pool.refused).to.equal(0);
        expect(cluster.exits).to.equal([0, 0, 0, 0]);
        expect(errorLines(cluster)).to.equal([]);
        const after = cluster.logs.flatMap(answeredAfterStop).join(' ');
        for (const path of ['/messages', '/v1/chat/completions', '/http/slow', '/events/stream']) {
            expect(after).to.include(path);
        }

        const listed = await get(`${ada.url}/api/threads?limit=100`, ada.token);
        const titles = listed.body.data.threads.map(({ id }: { id: string }) => id);
        expect(titles.toSorted()).to.equal([...created, ada.thread].toSorted());
        expect(told()).to.equal(created);
        expect(events.map(({ event }) => event)).to.not.include('events_lost');

        const paid = ['ask', 'complete', 'complete streamed'].reduce(
            (sum, name) => sum + (load.done.get(name) ?? 0),
            0,
        );
        expect(provider.requests).to.have.length(paid);
        const { credits } = (await get(`${eve.url}/api/billing/credits`, eve.token)).body.data;
        expect(credits).to.include({ spentMicros: COST * paid, heldMicros: 0, balanceMicros: 5_000_000 - COST * paid });

        // Of a link that has gone before the next one came it would be told that the tunnel was disconnected.
        for (const tunnel of [quick, slow]) {
            const moves = await tunnel.activity();
            expect(moves).to.not.include('disconnected');
            expect(moves.filter((move) => move === 'link_replaced').length).to.be.above(2);
            expect(tunnel.agentLog()).to.not.include('The connection is lost');
        }
    });

    it('cuts what takes too long, and nothing of it is lost: it is read, paid and gone on with at the other one', async () => {
        cluster = await startCluster({ SHUTDOWN_DELAY: '1', SHUTDOWN_TIMEOUT: '4' });
        const [first, second] = cluster.replicas;
        const pieces = counted(2_000).split(' ');
        cluster.provider.answer({ steps: pieces.flatMap((piece) => [chunk(`${piece} `), 50]) });
        const [ada, bob] = cluster.members;
        const [written, followed] = await Promise.all([
            openAnswer({ writer: first, follower: second }, ada, 'remote', 'Hello'),
            openAnswer({ writer: second, follower: first }, bob, 'sandbox', 'count to 150'),
        ]);
        // They are read to their ends, however that comes.
        const ends = [written, followed].map((answer) => Promise.allSettled([answer.own.rest(), answer.other.rest()]));
        await cluster.end(0, false);
        await Promise.all(ends);
        expect(cluster.exits).to.equal([0]);

        const events = written.own.received();
        expect(events.slice(-2).map(({ event }) => event)).to.equal(['error', 'close']);
        expect(events.at(-2)?.data.error.code).to.equal('SHUTTING_DOWN');
        expect(written.other.received()).to.equal(events);
        const half = Math.floor(events.length / 2);
        const again = await resumeStream(`${second.url}${written.path}/stream`, ada.token, String(half));
        expect(await again.rest()).to.equal(events.slice(half + 1));
        const { message } = (await get(`${second.url}${written.path}`, ada.token)).body.data;
        expect(message).to.include({ status: 'interrupted', content: textOf(events), errorCode: 'SHUTTING_DOWN' });
        expect(`${pieces.join(' ')} `.startsWith(message.content)).to.be.true();
        const cost = message.usage.inputFresh + 2 * message.usage.output;
        const { credits } = (await get(`${second.url}/api/billing/credits`, ada.token)).body.data;
        expect(credits).to.include({ spentMicros: cost, heldMicros: 0, balanceMicros: 5_000_000 - cost });

        const seen = followed.other.received();
        const resumed = await resumeStream(`${second.url}${followed.path}/stream`, bob.token, seen.at(-1)?.id);
        const rest = await resumed.rest();
        expect(rest.length).to.be.above(0);
        expect([...seen, ...rest]).to.equal(followed.own.received());
        expect(textOf([...seen, ...rest])).to.equal(counted(150));
    });
});

/** An answer that one replica writes while a client follows it at the other as well. */
async function openAnswer(
    at: { writer: TestProcess; follower: TestProcess },
    member: Member,
    model: string,
    content: string,
) {
    const path = messagesPath(member.thread, model);
    const own = await openStream({ url: at.writer.url + path, token: member.token, payload: { content } });
    const [start] = await own.until(({ event }) => event === 'token');
    const message = `${path}/${String(start?.data.messageId)}`;
    const other = await resumeStream(`${at.follower.url}${message}/stream`, member.token);
    return { own, other, path: message };
}

import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { eventId } from '../../../plugins/events/event-id.ts';
import { appendOutbox } from '../../../src/redis/append-outbox.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { newKey } from '../../helpers/api-key.ts';
import { startReplicas, type TestApp } from '../../helpers/app.ts';
import { until } from '../../helpers/events.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { resumeStream, type OpenStream } from '../../helpers/stream.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newThread } from '../../helpers/thread.ts';
import { newUser, type TestUser } from '../../helpers/user.ts';

import type { Socket } from 'node:net';

export const lab = Lab.script();
const { describe, it, before, beforeEach, afterEach, after } = lab;

const ROUTE = '/api/events/stream';

describe(`GET ${ROUTE}`, () => {
    let app: TestApp;
    let other: TestApp;
    let ada: TestTenant;
    let opened: OpenStream[];

    before(async () => {
        [app, other] = await startReplicas({ listen: true });
    });

    beforeEach(async () => {
        ada = await newTenant(app);
        opened = [];
    });

    afterEach(() => {
        for (const stream of opened) stream.leave();
    });

    after(() => Promise.all([app.stop(), other.stop()]));

    const open = async (token: string, query = '', at = app, lastEventId?: string): Promise<OpenStream> => {
        const stream = await resumeStream(`${at.server.info.uri}${ROUTE}${query}`, token, lastEventId);
        opened.push(stream);
        if (stream.status === 200) await stream.until(({ event }) => event === 'ready' || event === 'events_lost');
        return stream;
    };
    const typesOf = (stream: OpenStream) =>
        stream
            .received()
            .map(({ event }) => event)
            .filter((event) => event !== 'ready');

    it('gives what happens from then on, on whichever server, as it is told of', async () => {
        const stream = await open(ada.accessToken, '', other);
        expect(stream.status).to.equal(200);
        expect(stream.headers.get('content-type')).to.match(/^text\/event-stream/);
        const threadId = await newThread(ada);
        const [ready, created] = await stream.until(({ event }) => event === 'thread.created');
        expect(ready).to.include({ event: 'ready', data: {} });
        const [[place] = ['']] = await app.redis.xrevrange(tenantKey(ada.tenantId, 'events'), '+', '-', 'COUNT', 1);
        const id = eventId(ada.tenantId, place);
        expect(created?.id).to.equal(id);
        expect(created?.data).to.equal({
            id,
            type: 'thread.created',
            timestamp: created?.data.timestamp,
            data: { threadId, userId: ada.userId },
        });
    });

    it('gives admins all of their tenant, others what is theirs, and nobody what is another tenant’s', async () => {
        const [bob, eve, mallory]: [TestUser, TestUser, TestTenant] = [
            await newUser(app, ada.tenantId, 'user'),
            await newUser(app, ada.tenantId, 'user'),
            await newTenant(app),
        ];
        const streams = await Promise.all([ada, bob, eve, mallory].map(({ accessToken }) => open(accessToken)));
        await newThread(mallory);
        const [of1, of2] = [await newThread(bob), await newThread(ada)];
        const append = appendOutbox(app.store);
        await append(ada.tenantId, { events: [{ type: 'tenant.updated', data: { tenantId: ada.tenantId } }] });
        for (const { userId } of [ada, bob, eve]) {
            await append(ada.tenantId, { events: [{ type: 'profile.updated', data: { userId, changed: [] } }] });
        }
        await append(mallory.tenantId, { events: [{ type: 'profile.updated', data: { userId: mallory.userId } }] });
        await Promise.all(
            streams.map((stream, n) => {
                const userId = [eve, bob, eve, mallory][n]?.userId;
                return stream.until(({ event, data }) => event === 'profile.updated' && data.data.userId === userId);
            }),
        );
        const seen = streams.map((stream) => stream.received().map(({ data }) => data.data?.threadId ?? data.type));
        expect(seen[0]?.slice(1)).to.equal([of1, of2, 'tenant.updated', ...Array(3).fill('profile.updated')]);
        expect(seen[1]?.slice(1)).to.equal([of1, 'profile.updated']);
        expect(seen[2]?.slice(1)).to.equal(['profile.updated']);
        expect(seen[3]).to.have.length(3);
    });

    it('gives the types that are asked for', async () => {
        const stream = await open(ada.accessToken, '?types=thread.*,profile.updated');
        const id = await newThread(ada);
        await ada.call('PATCH', `/api/threads/${id}/title`, { payload: { title: 'Porto' } });
        await newKey(ada);
        await ada.call('PATCH', '/api/profile', { payload: { displayName: 'Ada' } });
        await stream.until(({ event }) => event === 'profile.updated');
        expect(typesOf(stream)).to.equal(['thread.created', 'thread.updated', 'profile.updated']);
    });

    it('refuses patterns that fit no type, and the id of what is no event of the tenant', async () => {
        for (const types of ['', 'thread', 'thread.*,', 'nothing.*', 'thread.exploded', '*.created', 'th*']) {
            expectFaults(await ada.call('GET', `${ROUTE}?types=${types}`), ['types']);
        }
        expectFaults(await ada.call('GET', `${ROUTE}?type=*`), ['type']);
        const foreign = eventId('tenant_other', '5-1');
        for (const id of ['5-1', 'evt_1', foreign, eventId(ada.tenantId, '5-1').toLowerCase()]) {
            expectFaults(await ada.call('GET', ROUTE, { headers: { 'last-event-id': id } }), ['last-event-id']);
        }
    });

    it('refuses who has no credential, or a key that is not for it', async () => {
        expectError(await app.call('GET', ROUTE), 'UNAUTHENTICATED');
        const { secret } = await newKey(ada, { scopes: ['thread:read'] });
        expectError(await app.call('GET', ROUTE, { token: secret }), 'FORBIDDEN');
    });

    it('lets a user follow five at once, on all servers together, and another again when one is closed', async () => {
        const streams = await Promise.all(
            Array.from({ length: 12 }, (_, n) => open(ada.accessToken, '', n % 2 ? other : app)),
        );
        const status = streams.map((stream) => stream.status);
        expect(status.filter((code) => code === 200)).to.have.length(5);
        expect(status.filter((code) => code === 429)).to.have.length(7);
        const refused = await ada.call('GET', ROUTE);
        expectError(refused, 'TOO_MANY_STREAMS');
        expect(refused.body.error.details).to.equal({ limit: 5 });
        const bob = await newUser(app, ada.tenantId, 'user');
        expect((await open(bob.accessToken)).status).to.equal(200);
        streams.find((stream) => stream.status === 200)?.leave();
        await until(async () => (await open(ada.accessToken)).status === 200, 'there is a place again');
        expectError(await ada.call('GET', ROUTE), 'TOO_MANY_STREAMS');
    });

    it('counts no streams of a process that died half a minute ago', async () => {
        const key = tenantKey(ada.tenantId, 'user', ada.userId, 'event-streams');
        const dead = (freeAt: number) => Array.from({ length: 5 }, (_, n) => [freeAt, `lease_${n}`]).flat();
        await app.redis.zadd(key, ...dead(Date.now() + 20_000));
        expectError(await ada.call('GET', ROUTE), 'TOO_MANY_STREAMS');
        await app.redis.zadd(key, ...dead(Date.now() - 1));
        expect((await open(ada.accessToken)).status).to.equal(200);
    });

    it('leaves no place taken by a request that is over at once', async () => {
        for (let n = 0; n < 8; n++) {
            const answer = await fetch(`${app.server.info.uri}${ROUTE}`, {
                method: 'HEAD',
                headers: { authorization: `Bearer ${ada.accessToken}` },
            });
            expect(answer.status).to.equal(200);
        }
        await until(
            async () => (await app.redis.zcard(tenantKey(ada.tenantId, 'user', ada.userId, 'event-streams'))) === 0,
            'all places are free',
        );
    });

    it('goes on for a slow client where it stopped reading, without keeping what comes meanwhile', async () => {
        const sockets: Socket[] = [];
        const note = (socket: Socket) => void sockets.push(socket);
        app.server.listener.on('connection', note);
        const controller = new AbortController();
        const response = await fetch(`${app.server.info.uri}${ROUTE}`, {
            headers: { authorization: `Bearer ${ada.accessToken}` },
            signal: controller.signal,
        });
        const events = Array.from({ length: 100 }, () => ({
            type: 'thread.updated' as const,
            data: { userId: ada.userId, padding: 'x'.repeat(4_000) },
        }));
        const append = appendOutbox(app.store);
        for (let n = 0; n < 150; n++) await append(ada.tenantId, { events });
        await sleep(300);
        app.server.listener.off('connection', note);
        // What fits into the buffers of two sockets, and not the 60 MB that there are.
        expect(Math.max(...sockets.map(({ bytesWritten }) => bytesWritten))).to.be.between(1, 30_000_000);
        const ids: string[] = [];
        let text = '';
        for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
            text += chunk;
            const end = text.lastIndexOf('\n\n');
            ids.push(...[...text.slice(0, end).matchAll(/^id: (\S+)/gm)].map(([, id = '']) => id));
            text = text.slice(end + 2);
            if (ids.length >= 15_001) break;
        }
        controller.abort();
        const entries = await app.redis.xrange(tenantKey(ada.tenantId, 'events'), '-', '+');
        const all = entries.map(([id]) => eventId(ada.tenantId, id)).slice(-15_000);
        expect(ids.slice(1)).to.equal(all);
    });
});

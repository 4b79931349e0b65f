import { once } from 'node:events';
import { connect } from 'node:net';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import { Webhook } from 'standardwebhooks';

import { createWebhookSender, newSecret } from '../../../../plugins/webhooks/sender/index.ts';
import {
    answersInTurn,
    destinationOf,
    listenWith,
    localSender,
    startReceiver,
    testEvent,
    type TestReceiver,
} from '../../../helpers/hook-sender.ts';

import type { RequestListener } from 'node:http';
import type { Attempt } from '../../../../plugins/webhooks/sender/types.ts';

export const lab = Lab.script();
const { describe, it, before, after, afterEach } = lab;

const event = testEvent();

/** What came of one attempt at a receiver that answers so. */
async function attemptAt(answer: RequestListener): Promise<Attempt> {
    const receiver = await startReceiver(answer);
    try {
        return await localSender().send(destinationOf(`http://127.0.0.1:${receiver.port}/`), event);
    } finally {
        await receiver.stop();
    }
}

const answering =
    (status: number, headers: Record<string, string> = {}, body = ''): RequestListener =>
    (_request, response) =>
        response.writeHead(status, headers).end(body);

describe('WebhookSender.send', () => {
    let receiver: TestReceiver;

    before(async () => {
        receiver = await startReceiver(answering(200, {}, 'thanks'));
    });

    afterEach(() => {
        receiver.posts.length = 0;
    });

    after(() => receiver.stop());

    it('posts the body with exactly these headers', async () => {
        const now = Date.now();
        const destination = destinationOf(`http://127.0.0.1:${receiver.port}/hook/a%20b?token=c%2Fd&e=ü`);
        const attempt = await localSender({ clock: () => now }).send(destination, event);
        const [post] = receiver.posts;
        const body = `{"type":"thread.created","timestamp":"2026-11-21T10:30:00.000Z","data":{"threadId":"thread_01K9ZQ4V7N8M3T5R2W6X1Y0ABD","title":"Grüße"},"id":"evt_01K9ZQ4V7N8M3T5R2W6X1Y0ABC"}`;
        expect(receiver.posts).to.have.length(1);
        expect(post).to.include({ method: 'POST', url: '/hook/a%20b?token=c%2Fd&e=%C3%BC', body });
        const { 'webhook-signature': signature, ...headers } = post?.headers ?? {};
        expect(headers).to.equal({
            host: `127.0.0.1:${receiver.port}`,
            connection: 'close',
            'content-type': 'application/json',
            'content-length': String(Buffer.byteLength(body)),
            'user-agent': 'llm-api-layer webhooks',
            'accept-encoding': 'identity',
            'webhook-id': event.id,
            'webhook-timestamp': String(Math.floor(now / 1_000)),
        });
        expect(signature).to.match(/^v1,[A-Za-z0-9+/]{43}=$/);
        expect(attempt).to.include({ outcome: 'delivered', status: 200, failure: null, responseBody: 'thanks' });
        expect(attempt.durationMs).to.be.a.number();
    });

    it('signs what it sends, in each format, so that the public library verifies it', async () => {
        const secrets = [newSecret(), newSecret()];
        for (const format of ['standard', 'slack', 'discord'] as const) {
            const url = `http://127.0.0.1:${receiver.port}/${format}`;
            await localSender().send(destinationOf(url, { format, secrets }), event);
        }
        expect(receiver.posts.map(({ url }) => url)).to.equal(['/standard', '/slack', '/discord']);
        for (const { body, headers } of receiver.posts) {
            for (const secret of secrets) {
                const verified = new Webhook(secret).verify(body, headers as Record<string, string>);
                expect(verified).to.equal(JSON.parse(body));
            }
            expect(() => new Webhook(newSecret()).verify(body, headers as Record<string, string>)).to.throw();
        }
    });

    it('sends the fields of a mapping', async () => {
        const mapping = { 'thread.id': 'data.threadId' };
        await localSender().send(destinationOf(`http://127.0.0.1:${receiver.port}/`, { mapping }), event);
        expect(JSON.parse(receiver.posts[0]?.body ?? '')).to.equal({ thread: { id: event.data['threadId'] } });
    });

    it('takes any 2xx for a delivery and nothing else', async () => {
        for (const status of [200, 201, 202, 204, 299]) {
            expect(await attemptAt(answering(status))).to.include({ outcome: 'delivered', status, failure: null });
        }
        for (const status of [400, 401, 404, 408, 429, 500, 503, 599]) {
            expect(await attemptAt(answering(status))).to.include({ outcome: 'failed', status, failure: 'status' });
        }
        expect(await attemptAt(answering(410))).to.include({ outcome: 'gone', status: 410, failure: 'status' });
    });

    it('follows no redirect, to wherever', async () => {
        for (const location of [
            `http://127.0.0.1:${receiver.port}/`,
            'http://169.254.169.254/',
            '/other',
            '//[::1]/',
        ]) {
            for (const status of [300, 301, 302, 303, 304, 307, 308]) {
                const attempt = await attemptAt(answering(status, { location }));
                expect(attempt).to.include({ outcome: 'failed', status, failure: 'redirect' });
            }
        }
        expect(receiver.posts).to.equal([]);
    });

    it('keeps the first KiB of an answer, as text', async () => {
        const kept = (body: string) => attemptAt(answering(500, {}, body)).then(({ responseBody }) => responseBody);
        expect(await kept('')).to.equal('');
        expect(await kept('a'.repeat(1_024))).to.equal('a'.repeat(1_024));
        expect(await kept(`${'a'.repeat(1_024)}b`)).to.equal('a'.repeat(1_024));
        expect(await kept('ü'.repeat(1_000))).to.equal('ü'.repeat(512));
        expect(await kept(`a${'ü'.repeat(1_000)}`)).to.equal(`a${'ü'.repeat(511)}`);
    });

    it('asks no proxy of the environment', async () => {
        const proxy = await listenWith((socket) => socket.destroy());
        const names = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'NODE_USE_ENV_PROXY'];
        const kept = names.map((name) => [name, process.env[name]] as const);
        for (const name of names) process.env[name] = `http://127.0.0.1:${proxy.port}`;
        try {
            const attempt = await localSender().send(destinationOf(`http://127.0.0.1:${receiver.port}/`), event);
            expect(attempt.outcome).to.equal('delivered');
            expect(proxy.connections()).to.equal(0);
        } finally {
            for (const [name, value] of kept) {
                if (value === undefined) delete process.env[name];
                else process.env[name] = value;
            }
            await proxy.stop();
        }
    });

    describe('to a name', () => {
        it('connects to the address that it checked, and asks for it once', async () => {
            const other = await startReceiver(undefined, '127.0.0.2');
            try {
                const { resolver, asked } = answersInTurn(['127.0.0.2'], ['169.254.169.254']);
                const url = `http://hooks.example.com:${other.port}/`;
                const attempt = await localSender({ resolver }).send(destinationOf(url), event);
                expect(attempt.outcome).to.equal('delivered');
                expect(asked()).to.equal(1);
                expect(other.posts[0]?.headers.host).to.equal(`hooks.example.com:${other.port}`);
            } finally {
                await other.stop();
            }
        });

        it('goes by the resolver also where the system knows the name', async () => {
            const { resolver } = answersInTurn(['127.0.0.3']);
            const url = `http://localhost:${receiver.port}/`;
            const attempt = await localSender({ resolver }).send(destinationOf(url), event);
            expect(attempt).to.include({ outcome: 'failed', failure: 'connection', status: null });
            expect(receiver.posts).to.equal([]);
        });

        it('checks it at each attempt anew, and reuses no connection', async () => {
            const { resolver, asked } = answersInTurn(['127.0.0.1'], ['127.0.0.1'], ['169.254.169.254']);
            const sender = localSender({ resolver });
            const before = receiver.connections();
            const url = `http://hooks.example.com:${receiver.port}/`;
            const failures: unknown[] = [];
            for (let count = 0; count < 3; count += 1) {
                failures.push((await sender.send(destinationOf(url), event)).failure);
            }
            expect(failures).to.equal([null, null, 'address_refused']);
            expect(asked()).to.equal(3);
            expect(receiver.connections() - before).to.equal(2);
        });

        it('takes the next of its addresses when one does not answer', async () => {
            const { resolver } = answersInTurn(['::1', '127.0.0.9', '127.0.0.1']);
            const url = `http://hooks.example.com:${receiver.port}/`;
            const attempt = await localSender({ resolver }).send(destinationOf(url), event);
            expect(attempt.outcome).to.equal('delivered');
        });

        it('fails when it does not resolve', async () => {
            const resolvers = [answersInTurn([]).resolver, () => Promise.reject(new Error('ESERVFAIL'))];
            for (const resolver of resolvers) {
                const attempt = await localSender({ resolver }).send(
                    destinationOf('https://hooks.example.com/'),
                    event,
                );
                expect(attempt).to.include({ outcome: 'failed', failure: 'unresolved', status: null });
            }
        });

        it('finds names of this machine without a resolver of its own', async () => {
            const sender = createWebhookSender({ allowPrivate: true });
            const url = `http://localhost:${receiver.port}/`;
            await sender.check(url);
            expect((await sender.send(destinationOf(url), event)).outcome).to.equal('delivered');
        });
    });

    it('fails where nothing listens', async () => {
        const closed = await startReceiver();
        await closed.stop();
        const attempt = await localSender().send(destinationOf(`http://127.0.0.1:${closed.port}/`), event);
        expect(attempt).to.include({ outcome: 'failed', failure: 'connection', status: null, responseBody: '' });
    });

    it('leaves no socket open after 1,000 attempts', async () => {
        const answers = [answering(204), answering(500, {}, 'a'.repeat(2_000)), answering(302, { location: '/' })];
        let turn = 0;
        const busy = await startReceiver((request, response) => {
            turn += 1;
            if (turn % 4 === 3) return request.socket.destroy();
            return answers[turn % 4]?.(request, response);
        });
        const sockets = () =>
            process.getActiveResourcesInfo().filter((name) => /^(TCPSocketWrap|Timeout)$/.test(name)).length;
        const open = sockets();
        const sender = localSender({ resolver: answersInTurn(['127.0.0.1']).resolver });
        const url = `http://hooks.example.com:${busy.port}/`;
        try {
            const outcomes: string[] = [];
            for (let batch = 0; batch < 20; batch += 1) {
                const attempts = Array.from({ length: 50 }, () => sender.send(destinationOf(url), event));
                for (const { outcome } of await Promise.all(attempts)) outcomes.push(outcome);
            }
            expect(outcomes.filter((outcome) => outcome === 'delivered')).to.have.length(250);
            expect(busy.connections()).to.equal(1_000);
            const last = connect(busy.port, '127.0.0.1');
            await once(last, 'connect');
            last.destroy();
            await once(last, 'close');
            while (busy.open() > 0) await new Promise((resolve) => setTimeout(resolve, 5));
            expect(sockets()).to.be.at.most(open);
        } finally {
            await busy.stop();
        }
    });
});

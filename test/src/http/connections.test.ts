import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from '../../helpers/app.ts';
import { newTenant } from '../../helpers/tenant.ts';
import { newThread, messagesPath } from '../../helpers/thread.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

describe('a connection', () => {
    let app: TestApp;

    before(async () => {
        app = await startApp({ listen: true });
    });

    after(() => app.stop());

    const headersOf = async (path: string, init: RequestInit = {}) => {
        const answer = await fetch(app.server.info.uri + path, init);
        await answer.text();
        return ['connection', 'keep-alive'].map((name) => answer.headers.get(name));
    };

    it('is kept for longer than a load balancer keeps one that is not used', async () => {
        expect(await headersOf('/health/live')).to.equal(['keep-alive', 'timeout=75']);
    });

    it('that a client breaks off is no error', async () => {
        const debug = await startApp({ listen: true, config: { LOG_LEVEL: 'debug' } });
        const socket = connect(Number(debug.server.info.port), '127.0.0.1');
        socket.end('This is not HTTP\r\n\r\n');
        expect(await text(socket)).to.startWith('HTTP/1.1 400');
        const told = debug.logs.filter(({ err }) => err !== undefined);
        expect(told.map(({ level, msg }) => [level, msg])).to.equal([[20, 'A client broke its connection off']]);
        await debug.stop();
    });

    it('ends with the next answer, whatever that is, when the process leaves', async () => {
        const { accessToken, call } = await newTenant(app);
        const thread = await newThread({ call });
        app.drain.leave();
        const headers = { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' };
        const body = JSON.stringify({ content: 'Hello', stream: true });
        for (const answer of [
            await headersOf('/health/live'),
            await headersOf('/nowhere'),
            await headersOf('/health/ready'),
            await headersOf('/api/threads', { headers }),
            await headersOf(messagesPath(thread), { method: 'POST', headers, body }),
        ]) {
            expect(answer).to.equal(['close', null]);
        }
    });
});

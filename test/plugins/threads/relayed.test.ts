import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { expectError } from '../../helpers/expect-error.ts';
import { DONE, RECORDED, said, startHome, type TestHome } from '../../helpers/home-ollama.ts';
import { connectAgent, newTunnel, startService } from '../../helpers/live-tunnel.ts';
import { cut, hold, type Hold } from '../../helpers/provider.ts';
import { openStream, resumeStream } from '../../helpers/stream.ts';
import { messagesPath, newThread, type ReceivedEvent } from '../../helpers/thread.ts';
import { until } from '../../helpers/tunnel-agent.ts';
import { newShare } from '../../helpers/tunnel.ts';
import { newUser } from '../../helpers/user.ts';

import type { Answer, TestApp } from '../../helpers/app.ts';
import type { TestTenant } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

type Member = Pick<TestTenant, 'accessToken' | 'call'>;

const textOf = (events: ReceivedEvent[]): string => events.map(({ data }) => data.token ?? '').join('');
const isToken = ({ event }: ReceivedEvent): boolean => event === 'token';

describe('a thread with a model of the user’s own Ollama, on the replica that does not hold its link', () => {
    let home: TestHome;
    let ada: TestTenant;
    let tunnelId: string;
    let modelId: string;
    let thread: string;
    let recorded: TestHome['ollama']['chat'];

    before(async () => {
        home = await startHome();
        recorded = home.ollama.chat;
    });

    beforeEach(async () => {
        home.ollama.chat = recorded;
        home.ollama.provider.requests.length = 0;
        const { tunnel, modelId: id } = await home.another();
        [ada, tunnelId, modelId] = [tunnel.tenant, tunnel.tunnelId, id];
        thread = await newThread(ada);
    });

    after(() => home.stop());

    const pathOf = (model = modelId, of = thread) => messagesPath(of, encodeURIComponent(model));
    const call = (user: Member, method: string, url: string, payload?: object): Promise<Answer> =>
        home.other.call(method, url, { token: user.accessToken, ...(payload && { payload }) });
    const send = (payload: object = {}, model = modelId) =>
        call(ada, 'POST', pathOf(model), { content: 'Hello', ...payload });
    const open = (user: Member = ada, model = modelId, of = thread, app: TestApp = home.other) =>
        openStream({
            url: `${app.server.info.uri}${pathOf(model, of)}`,
            token: user.accessToken,
            payload: { content: 'Hello' },
        });
    const stored = async (user: Member = ada, model = modelId, of = thread) =>
        (await call(user, 'GET', pathOf(model, of))).body.data.messages;
    /** Ollama says `One`, waits, and then says the rest. */
    const waiting = (): Hold => {
        const point = hold();
        home.ollama.chat = { steps: [said('One'), point, said(' two'), DONE] };
        return point;
    };

    it('streams an answer in its exact form, and stores it with what it used', async () => {
        const events = await (await open()).rest();
        expect(textOf(events)).to.equal(RECORDED);
        expect(events.at(-2)?.data).to.include({ status: 'complete', finishReason: 'stop' });
        const [answer, question] = await stored();
        expect(answer).to.include({ modelId: modelId, content: RECORDED, status: 'complete', answeredBy: null });
        expect(answer.usage).to.include({ inputFresh: 26, isEstimated: false });
        expect(question).to.include({ role: 'user', content: 'Hello' });
        const [request] = home.ollama.asked('/api/chat');
        expect(request?.body).to.include({ model: 'llama3.2:3b', stream: true });
        expect(request?.headers.authorization).to.be.undefined();
    });

    it('streams token by token, to be resumed on either replica', async () => {
        for (const app of [home.holder, home.other]) {
            const point = waiting();
            const first = await open();
            const [start] = await first.until(isToken);
            first.leave();
            const { messageId } = start?.data ?? {};
            const path = `${app.server.info.uri}${pathOf()}/${messageId}/stream`;
            const second = await resumeStream(path, ada.accessToken, start?.id);
            expect(textOf(await second.until(isToken))).to.equal('One');
            point.release();
            expect(textOf(await second.rest())).to.equal('One two');
            expect((await stored())[0]).to.include({ id: messageId, content: 'One two', status: 'complete' });
        }
    });

    it('has its Ollama stopped when the answer is cancelled', async () => {
        waiting();
        const stream = await open();
        const [start] = await stream.until(isToken);
        const { body } = await call(ada, 'POST', `${pathOf()}/${start?.data.messageId}/cancel`);
        expect(body.data.message).to.include({ status: 'cancelled', content: 'One' });
        await home.ollama.asked('/api/chat').at(-1)?.aborted;
        await stream.rest();
    });

    it('is summarised, answered anew and copied as any other', async () => {
        const { body } = await send();
        home.ollama.chat = { steps: [said('Another'), DONE] };
        const anew = await call(ada, 'POST', `${pathOf()}/${body.data.assistantMessage.id}/regenerate`, {});
        expect(anew.body.data.assistantMessage.content, anew.text).to.equal('Another');
        home.ollama.chat = { steps: [said('They said hello.'), DONE] };
        const contextPath = pathOf().replace(/messages$/, '');
        const summary = await call(ada, 'POST', `${contextPath}summarize`, {});
        expect(summary.status, summary.text).to.equal(200);
        expect(summary.text).to.include('They said hello.');
        expect((await call(ada, 'GET', `${contextPath}summary`)).text).to.include('They said hello.');
        const fork = await call(ada, 'POST', `/api/threads/${thread}/fork`, { modelId: modelId });
        expect(fork.body.data.thread).to.include({ messageCount: 2, activeModels: [modelId] });
    });

    it('is summarised by a worker on whichever replica, and again when its tunnel is back', async () => {
        await call(ada, 'PATCH', '/api/profile', { settings: { summarizationInterval: 2 } });
        await send();
        const { tenantId, userId } = ada;
        const data = { tenantId, userId, threadId: thread, modelId, requestId: 'req_of_the_test' };
        const summarize = () => home.other.server.plugins.threads.summarizeInTurn(data);
        await ada.call('POST', `/api/tunnels/${tunnelId}/stop`);
        await expect(summarize()).to.reject('No agent of the tunnel is connected.');
        await ada.call('POST', `/api/tunnels/${tunnelId}/start`);
        home.ollama.chat = { steps: [said('They said hello.'), DONE] };
        await until(() =>
            summarize().then(
                () => true,
                () => false,
            ),
        );
        const summary = await call(ada, 'GET', pathOf().replace(/messages$/, 'summary'));
        expect(summary.text).to.include('They said hello.');
    });

    it('costs nothing, and is counted by its model', async () => {
        await send();
        const { body, text } = await call(ada, 'GET', '/api/profile/usage/models');
        const [used, ...others] = body.data.usage.models;
        expect(others, text).to.be.empty();
        expect(used).to.include({ modelId, calls: 1 });
    });

    describe('whose tunnel is away', () => {
        it('fails as the tunnel does, and at once', async () => {
            const away = await newTunnel(home.holder);
            const of = await newThread(away.tenant);
            const url = pathOf(`${away.tunnelId}/llama3.2:3b`, of);
            const answer = await call(away.tenant, 'POST', url, { content: 'Hello' });
            expectError(answer, 'TUNNEL_OFFLINE');
            expect(Number(answer.headers['retry-after'])).to.equal(2);
            const [failed] = (await call(away.tenant, 'GET', url)).body.data.messages;
            expect(failed).to.include({ status: 'failed', errorCode: 'TUNNEL_OFFLINE', content: '' });
        });

        it('is answered by another model, where one is named or the tenant has one', async () => {
            const away = await newTunnel(home.holder);
            const of = await newThread(away.tenant);
            const url = pathOf(`${away.tunnelId}/llama3.2:3b`, of);
            const ask = (more: object = {}) => call(away.tenant, 'POST', url, { content: 'count to 3', ...more });
            const { body, text } = await ask({ fallbackModels: ['sandbox'] });
            expect(body.data?.assistantMessage, text).to.include({ answeredBy: 'sandbox', content: '1 2 3' });
            const settings = { fallbackModels: [`${away.tunnelId}/other`, 'sandbox'] };
            expect((await call(away.tenant, 'PATCH', '/api/tenant', { settings })).status).to.equal(200);
            expect((await ask()).body.data.assistantMessage).to.include({ answeredBy: 'sandbox', content: '1 2 3' });
        });

        it('answers in place of another, unless it is not there for the user', async () => {
            home.ollama.chat = { status: 500, steps: ['{"error":"out of memory"}'] };
            const away = await newTunnel(home.holder);
            const foreign = `${away.tunnelId}/llama3.2:3b`;
            expectError(await send({ fallbackModels: [foreign] }), 'MODEL_NOT_FOUND');
            expectError(await send({ fallbackModels: [`${tunnelId}/none`] }), 'MODEL_NOT_FOUND');
            expectError(await send(), 'PROVIDER_ERROR');
            const { body } = await send({ content: 'count to 2', fallbackModels: ['sandbox'] });
            expect(body.data.assistantMessage).to.include({ answeredBy: 'sandbox', content: '1 2' });
        });

        it('is passed over where the tenant falls back on what the user may not use', async () => {
            const settings = { fallbackModels: [modelId, 'sandbox'] };
            expect((await call(ada, 'PATCH', '/api/tenant', { settings })).status).to.equal(200);
            const bob = await newUser(home.holder, ada.tenantId, 'user');
            const tunnel = await call(bob, 'POST', '/api/tunnels', { name: 'of-bob' });
            const of = await newThread(bob as unknown as TestTenant);
            const url = pathOf(`${tunnel.body.data.tunnel.id}/llama3.2:3b`, of);
            const { body, text } = await call(bob, 'POST', url, { content: 'count to 2' });
            expect(body.data?.assistantMessage, text).to.include({ answeredBy: 'sandbox', content: '1 2' });
        });
    });

    describe('whose tunnel does not answer', () => {
        /** A tunnel of its own, to the same Ollama unless it says otherwise. */
        const configured = async (config: object, target = home.ollama.provider.url) => {
            const tunnel = await newTunnel(home.holder, config);
            const agent = await connectAgent(home.holder, tunnel, [target]);
            const of = await newThread(tunnel.tenant);
            const url = pathOf(`${tunnel.tunnelId}/llama3.2:3b`, of);
            const ask = (more: object = {}) => call(tunnel.tenant, 'POST', url, { content: 'count to 2', ...more });
            return { ask, stop: () => agent.stop() };
        };

        it('fails with the time of the tunnel, or is answered by another model', async () => {
            const silent = await startService(({ url }, response) => url !== '/api/chat' && response.end('{}'));
            const { ask, stop } = await configured({ timeout: 1_000 }, silent.url);
            expectError(await ask(), 'TUNNEL_TIMEOUT');
            const { body } = await ask({ fallbackModels: ['sandbox'] });
            expect(body.data.assistantMessage).to.include({ answeredBy: 'sandbox', content: '1 2' });
            await stop();
            await silent.stop();
        });

        it('fails while it carries as much as it may', async () => {
            const { ask, stop } = await configured({ maxConnections: 1 });
            const point = waiting();
            const first = ask();
            await point.reached;
            home.ollama.chat = recorded;
            expectError(await ask(), 'TUNNEL_BUSY');
            const { body } = await ask({ fallbackModels: ['sandbox'] });
            expect(body.data.assistantMessage).to.include({ answeredBy: 'sandbox', content: '1 2' });
            point.release();
            expect((await first).body.data.assistantMessage).to.include({ content: 'One two', answeredBy: null });
            await stop();
        });
    });

    describe('an answer that breaks off', () => {
        const expectBroken = async (events: ReceivedEvent[], code: string, user: Member, of: string, model: string) => {
            expect(textOf(events)).to.equal('One');
            const [error] = events.filter(({ event }) => event === 'error');
            expect(error?.data.error).to.include({ code });
            const [answer] = await stored(user, model, of);
            expect(answer).to.include({ status: 'failed', content: 'One', errorCode: code });
        };

        it('ends with what came when the agent is killed', async () => {
            const { tunnel, kill, modelId: id } = await home.killable();
            const of = await newThread(tunnel.tenant);
            const point = hold();
            home.ollama.chat = { steps: [said('One'), point] };
            const stream = await open(tunnel.tenant, id, of);
            await stream.until(isToken);
            await kill();
            await expectBroken(await stream.rest(), 'TUNNEL_ERROR', tunnel.tenant, of, id);
        });

        it('ends with what came when Ollama breaks off', async () => {
            home.ollama.chat = { steps: [said('One'), 20, cut] };
            const events = await (await open()).rest();
            await expectBroken(events, 'TUNNEL_ERROR', ada, thread, modelId);
        });

        it('ends with what came when the share is taken back', async () => {
            const { userId, accessToken, call: ask } = await newUser(home.holder, ada.tenantId, 'user');
            const guest = { accessToken, call: ask };
            const { id } = await newShare(ada, tunnelId, { userId, access: 'read' });
            const of = await newThread(guest as unknown as TestTenant);
            waiting();
            const stream = await open(guest, modelId, of);
            await stream.until(isToken);
            await ada.call('DELETE', `/api/tunnels/${tunnelId}/shares/${id}`);
            await expectBroken(await stream.rest(), 'TUNNEL_ERROR', guest, of, modelId);
            await home.ollama.asked('/api/chat').at(-1)?.aborted;
        });
    });
});

import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import { Ollama } from 'ollama';
import OpenAI from 'openai';

import {
    connectAgent,
    newTunnel,
    startListeningReplicas,
    startService,
    type TestService,
    type TestTunnel,
} from '../../../helpers/live-tunnel.ts';
import { until, type RunningAgent } from '../../../helpers/tunnel-agent.ts';
import { newShare } from '../../../helpers/tunnel.ts';

import type { TestApp } from '../../../helpers/app.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

describe('traffic by the token of a share', () => {
    let holder: TestApp;
    let other: TestApp;
    let service: TestService;
    let tunnel: TestTunnel;
    let agent: RunningAgent;
    let broken = 0;
    const seen: string[] = [];

    before(async () => {
        [holder, other] = await startListeningReplicas();
        service = await startService((request, response) => {
            seen.push(JSON.stringify(request.headers));
            response.once('close', () => !response.writableFinished && broken++);
            if (request.url === '/slow') return response.write('be');
            if (request.url === '/silent') return;
            response.setHeader('content-type', 'application/json');
            if (request.url === '/api/tags') return response.end('{"models":[{"name":"llama3:latest"}]}');
            return response.end('{"object":"list","data":[{"id":"llama3","object":"model"}]}');
        });
        tunnel = await newTunnel(holder);
        agent = await connectAgent(holder, tunnel, [service.url]);
    });

    after(async () => {
        await agent.stop();
        await service.stop();
        await Promise.all([holder.stop(), other.stop()]);
    });

    const baseOf = (app: TestApp) => `${app.server.info.uri}/api/tunnels/${tunnel.tunnelId}/http`;
    const replicas = (): [string, TestApp][] => [
        ['the holder', holder],
        ['the other replica', other],
    ];
    const share = () => newShare(tunnel.tenant, tunnel.tunnelId);
    const take = (shareId: string) => tunnel.tenant.call('DELETE', `/api/tunnels/${tunnel.tunnelId}/shares/${shareId}`);
    const ask = (app: TestApp, token: string, path: string) =>
        fetch(`${baseOf(app)}${path}`, { headers: { authorization: `Bearer ${token}` } });

    it('serves the official clients, which have it as their key, and the service does not see it', async () => {
        const { token } = await share();
        for (const [name, app] of replicas()) {
            const openai = new OpenAI({ baseURL: `${baseOf(app)}/v1`, apiKey: token, maxRetries: 0 });
            expect((await openai.models.list()).data[0]?.id, name).to.equal('llama3');
            const ollama = new Ollama({ host: baseOf(app), headers: { 'x-api-key': token } });
            expect((await ollama.list()).models[0]?.name, name).to.equal('llama3:latest');
        }
        expect(seen.length).to.be.at.least(4);
        expect(seen.join()).to.not.include('share_');
    });

    it('is cut when the share is taken back, on either replica, and that of another share is not', async () => {
        const kept = await share();
        const others = await ask(other, kept.token, '/slow');
        for (const [name, app] of replicas()) {
            const { id, token } = await share();
            const answer = await ask(app, token, '/slow');
            expect(answer.status, name).to.equal(200);
            const before = broken;
            await take(id);
            await expect(answer.text(), name).to.reject();
            await until(() => broken > before);
            expect((await ask(app, token, '/slow')).status, name).to.equal(401);
        }
        const reader = others.body?.getReader();
        expect((await reader?.read())?.value?.length).to.equal(2);
        const next = reader?.read().then(
            () => 'more',
            () => 'cut',
        );
        const still = await Promise.race([next, ask(other, kept.token, '/api/tags').then(({ status }) => status)]);
        expect(still).to.equal(200);
        await reader?.cancel();
    });

    it('is refused when the share is taken back before there is an answer', async () => {
        for (const [name, app] of replicas()) {
            const { id, token } = await share();
            const asked = seen.length;
            const answer = ask(app, token, '/silent');
            await until(() => seen.length > asked);
            await take(id);
            const { status } = await answer;
            expect(status, name).to.equal(404);
        }
    });

    it('lets nothing through that begins while the share is taken back', async () => {
        for (let times = 0; times < 12; times++) {
            const { id, token } = await share();
            const asked = Array.from({ length: 4 }, (_, n) => ask(n % 2 === 0 ? holder : other, token, '/slow'));
            // At another moment of theirs each time.
            await sleep(times % 8);
            await take(id);
            for (const answer of await Promise.all(asked)) {
                // Refused, or cut.
                if (answer.status === 200) await expect(answer.text()).to.reject();
                else expect([401, 404]).to.include(answer.status);
            }
        }
    });
});

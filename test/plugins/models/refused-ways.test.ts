import Lab from '@hapi/lab';

import { dollars } from '../../../src/money.ts';
import { startApp, type Answer, type TestApp } from '../../helpers/app.ts';
import { setCredit } from '../../helpers/credit.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { HomeOllama, DONE, said } from '../../helpers/home-ollama.ts';
import { setLimits, setPlan } from '../../helpers/limits.ts';
import {
    connectAgent,
    INTERNAL_KEY,
    newTunnel,
    startService,
    type TestService,
    type TestTunnel,
} from '../../helpers/live-tunnel.ts';
import { expectOpenAiError } from '../../helpers/openai.ts';
import { cut, hold } from '../../helpers/provider.ts';
import { newProxy } from '../../helpers/proxy.ts';
import { messagesPath, newThread } from '../../helpers/thread.ts';
import { until, type RunningAgent } from '../../helpers/tunnel-agent.ts';

import type { ErrorCode } from '../../../src/http/errors.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

/** A user's Ollama, over a tunnel or over a proxy in front of it. */
interface Way {
    tunnel: TestTunnel;
    agent: RunningAgent;
    /** Of the proxy. */
    url: string;
    modelId: string;
}

interface Case {
    code: ErrorCode;
    over: 'a tunnel' | 'a proxy';
    /** Of the tunnel. */
    config?: object;
    target?: () => string;
    /** After this nothing is answered; what it gives puts an end to it. */
    block: (way: Way) => Promise<(() => Promise<unknown>) | void>;
}

describe('a call whose way to the user’s Ollama fails', () => {
    let app: TestApp;
    let ollama: HomeOllama;
    let recorded: HomeOllama['chat'];
    /** Another Ollama, which does not even begin an answer when it is silent. */
    let mute: TestService;
    let isSilent = false;

    before(async () => {
        ollama = await HomeOllama.start();
        recorded = ollama.chat;
        mute = await startService(({ url }, response) => {
            if (url !== '/api/chat') response.end('{}');
            else if (!isSilent) response.end(said('One') + DONE);
        });
        app = await startApp({ listen: true, config: { INTERNAL_KEY } });
    });

    beforeEach(() => {
        ollama.chat = recorded;
    });

    after(async () => {
        await app.stop();
        await ollama.provider.stop();
        await mute.stop();
    });

    const chat = ({ tunnel, modelId }: Way): Promise<Answer> => {
        const payload = { model: modelId, messages: [{ role: 'user', content: 'Hello' }] };
        return tunnel.tenant.call('POST', '/v1/chat/completions', { payload });
    };

    const newWay = async ({ over, config, target = () => ollama.provider.url }: Case): Promise<Way> => {
        const tunnel = await newTunnel(app, config);
        const { tenant, tunnelId } = tunnel;
        await setPlan(app, tenant.tenantId, 'enterprise');
        await setCredit(app, tenant.tenantId, dollars(1));
        const agent = await connectAgent(app, tunnel, [target()]);
        if (over === 'a tunnel') return { tunnel, agent, url: '', modelId: `${tunnelId}/llama3.2:3b` };
        const { id } = await newProxy(tenant, [tunnelId], { config: { maxConnections: 1, retries: 0 } });
        const url = `/api/proxies/${id}`;
        await tenant.call('POST', `${url}/start`);
        return { tunnel, agent, url, modelId: `${id}/llama3.2:3b` };
    };

    /** Takes all the room there is, until it is released. */
    const fill = async (way: Way) => {
        const point = hold();
        ollama.chat = { steps: [said('One'), point, DONE] };
        const running = chat(way);
        await point.reached;
        ollama.chat = recorded;
        return { running, release: () => (point.release(), running) };
    };
    const unlink = async ({ agent, tunnel }: Way) => {
        await agent.stop();
        await until(async () => (await tunnel.status()) !== 'connected');
    };

    const CASES: Case[] = [
        { code: 'TUNNEL_OFFLINE', over: 'a tunnel', block: unlink },
        {
            code: 'TUNNEL_BUSY',
            over: 'a tunnel',
            config: { maxConnections: 1 },
            block: async (way) => (await fill(way)).release,
        },
        {
            code: 'TUNNEL_TIMEOUT',
            over: 'a tunnel',
            config: { timeout: 1_000 },
            target: () => mute.url,
            block: async () => void (isSilent = true),
        },
        {
            code: 'TUNNEL_ERROR',
            over: 'a tunnel',
            block: async () => void (ollama.chat = { steps: [cut] }),
        },
        {
            code: 'QUOTA_EXCEEDED',
            over: 'a tunnel',
            block: async ({ tunnel }) => {
                await setLimits(app, tunnel.tenant.tenantId, { relayedBytesPerMonth: 0 });
                await app.advance(1_000);
            },
        },
        {
            code: 'PROXY_STOPPED',
            over: 'a proxy',
            block: async ({ tunnel, url }) => void (await tunnel.tenant.call('POST', `${url}/stop`)),
        },
        {
            code: 'PROXY_BUSY',
            over: 'a proxy',
            block: async (way) => {
                const { release } = await fill(way);
                const waiting = chat(way);
                const status = () => way.tunnel.tenant.call('GET', `${way.url}/status`);
                await until(async () => (await status()).text.includes('"waiting":1'));
                return () => Promise.all([release(), waiting]);
            },
        },
        { code: 'PROXY_OFFLINE', over: 'a proxy', block: unlink },
    ];

    for (const one of CASES) {
        it(`is refused with ${one.code} over ${one.over}, in all forms`, async () => {
            const way = await newWay(one);
            const { call } = way.tunnel.tenant;
            const path = async () => messagesPath(await newThread({ call }), encodeURIComponent(way.modelId));
            const paths = [await path(), await path(), await path()] as const;
            const ask = (url: string, payload: object) => call('POST', url, { payload });
            const { body } = await ask(paths[0], { content: 'Hello' });
            await ask(paths[1], { content: 'Hello' });
            const end = await one.block(way);
            const [completion, ...answers] = await Promise.all([
                chat(way),
                ask(`${paths[0]}/${body.data.assistantMessage.id}/regenerate`, {}),
                ask(paths[1].replace(/messages$/, 'summarize'), {}),
                ask(paths[2], { content: 'Hello' }),
            ]);
            expectOpenAiError(completion, one.code);
            for (const answer of answers) expectError(answer, one.code);
            await end?.();
            await way.agent.stop();
        });
    }
});

import { connectAgent, newTunnel, startListeningReplicas, type TestTunnel } from './live-tunnel.ts';
import { fixture, startProvider, type Provider, type ProviderAnswer, type ProviderRequest } from './provider.ts';
import { spawnAgent, until } from './tunnel-agent.ts';

import type { AppOptions, TestApp } from './app.ts';
import type { RunningAgent } from './tunnel-agent.ts';

/** What the answer of the recording says. */
export const RECORDED = 'Grüße aus 東京🌸!\n';

/** A line of an answer of Ollama. */
export const said = (content: string): string =>
    `${JSON.stringify({ model: 'x', message: { role: 'assistant', content }, done: false })}\n`;
export const DONE = `${JSON.stringify({
    model: 'x',
    message: { role: 'assistant', content: '' },
    done: true,
    done_reason: 'stop',
    prompt_eval_count: 11,
    eval_count: 2,
})}\n`;

const json = (value: object, status = 200): ProviderAnswer => ({
    status,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    steps: [JSON.stringify(value)],
});

/** What `POST /api/show` tells. */
const SHOWN = {
    license: 'a license',
    parameters: 'stop                           "<|eot_id|>"\nnum_ctx                        6000',
    details: { format: 'gguf', family: 'llama', parameter_size: '3.2B' },
    model_info: { 'general.architecture': 'llama', 'llama.context_length': 131_072, 'llama.block_count': 28 },
    capabilities: ['completion', 'tools'],
};

/** A stand-in for the Ollama on a user's machine: in its own form, and in that of OpenAI. */
export class HomeOllama {
    readonly provider: Provider;
    readonly models = new Map<string, object>([['llama3.2:3b', SHOWN]]);
    readonly loaded = new Set<string>();
    /** What `POST /api/chat` answers. */
    chat: ProviderAnswer | ((request: ProviderRequest) => ProviderAnswer) = {
        headers: { 'content-type': 'application/x-ndjson' },
        steps: [fixture('ollama-chat.ndjson')],
    };

    private constructor(provider: Provider) {
        this.provider = provider;
        provider.answer((request) => this.#answer(request));
    }

    static async start(): Promise<HomeOllama> {
        return new HomeOllama(await startProvider());
    }

    asked = (path: string): ProviderRequest[] => this.provider.requests.filter((request) => request.path === path);

    #answer(request: ProviderRequest): ProviderAnswer {
        const { path, body } = request;
        const names = [...this.models.keys()];
        if (path === '/api/tags') return json({ models: names.map((name) => ({ name, model: name, size: 2e9 })) });
        if (path === '/api/ps')
            return json({ models: [...this.loaded].map((name) => ({ name, size: 2 * 1024 ** 3 })) });
        if (path === '/v1/models') return json({ object: 'list', data: names.map((id) => ({ id, object: 'model' })) });
        if (path === '/v1/chat/completions') {
            return { headers: { 'content-type': 'text/event-stream' }, steps: [fixture('openai-chat.sse')] };
        }
        if (path !== '/api/show' && path !== '/api/chat') return {};
        const shown = this.models.get(body.model);
        if (!shown) return json({ error: `model '${body.model}' not found` }, 404);
        if (path === '/api/show') return json(shown);
        return typeof this.chat === 'function' ? this.chat(request) : this.chat;
    }
}

const modelOf = ({ tunnelId }: TestTunnel): string => `${tunnelId}/llama3.2:3b`;

/** Two replicas, and a user whose Ollama is linked to the first of them. */
export interface TestHome {
    holder: TestApp;
    /** Does not hold the link. */
    other: TestApp;
    ollama: HomeOllama;
    tunnel: TestTunnel;
    agent: RunningAgent;
    /** Of its model. */
    modelId: string;
    /** Another tunnel of a fresh tenant, to the same Ollama. */
    another: () => Promise<{ tunnel: TestTunnel; agent: RunningAgent; modelId: string }>;
    /** The same, with an agent that is a process of its own. */
    killable: () => Promise<{ tunnel: TestTunnel; kill: () => Promise<unknown>; modelId: string }>;
    stop: () => Promise<void>;
}

export async function startHome(options: AppOptions = {}): Promise<TestHome> {
    const [holder, other] = await startListeningReplicas(options);
    const ollama = await HomeOllama.start();
    const agents: { stop: () => Promise<unknown> }[] = [];
    const another = async () => {
        const tunnel = await newTunnel(holder);
        const agent = await connectAgent(holder, tunnel, [ollama.provider.url]);
        agents.push(agent);
        return { tunnel, agent, modelId: modelOf(tunnel) };
    };
    const killable = async () => {
        const tunnel = await newTunnel(holder);
        const uris = ['--url', holder.server.info.uri, '--target', ollama.provider.url];
        const agent = spawnAgent([...uris, '--token', tunnel.token]);
        const kill = () => agent.stop('SIGKILL');
        agents.push({ stop: kill });
        await until(async () => (await tunnel.status()) === 'connected');
        return { tunnel, kill, modelId: modelOf(tunnel) };
    };
    return {
        ...(await another()),
        holder,
        other,
        ollama,
        another,
        killable,
        stop: async () => {
            await Promise.all(agents.map((agent) => agent.stop()));
            await ollama.provider.stop();
            await holder.stop();
            await other.stop();
        },
    };
}

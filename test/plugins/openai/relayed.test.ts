import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import OpenAI from 'openai';

import { newKey } from '../../helpers/api-key.ts';
import { DONE, RECORDED, said, startHome, type TestHome } from '../../helpers/home-ollama.ts';
import { newTunnel } from '../../helpers/live-tunnel.ts';
import { openAiClient } from '../../helpers/openai.ts';
import { hold } from '../../helpers/provider.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const messages = [{ role: 'user' as const, content: 'Hello' }];

describe('POST /v1/chat/completions with a model of the user’s own Ollama', () => {
    let home: TestHome;
    let client: OpenAI;
    let recorded: TestHome['ollama']['chat'];

    /** The official client, on the replica that does not hold the link. */
    const clientOf = async (tenant: TestTenant) => {
        const { secret } = await newKey(tenant, { scopes: ['model:call', 'model:read'] });
        return openAiClient(home.other, secret);
    };

    before(async () => {
        home = await startHome();
        recorded = home.ollama.chat;
        client = await clientOf(home.tunnel.tenant);
    });

    beforeEach(() => {
        home.ollama.chat = recorded;
    });

    after(() => home.stop());

    const failure = (model: string, of = client) =>
        of.chat.completions.create({ model, messages }).catch((error: unknown) => error);

    it('streams the answer', async () => {
        const stream = await client.chat.completions.create({ model: home.modelId, messages, stream: true });
        let text = '';
        for await (const { choices, model } of stream) {
            expect(model).to.equal(home.modelId);
            text += choices[0]?.delta.content ?? '';
        }
        expect(text).to.equal(RECORDED);
    });

    it('answers as a whole, with tools, and tells what it used', async () => {
        const call = { function: { name: 'get_time', arguments: { zone: 'UTC' } } };
        home.ollama.chat = {
            steps: [`${JSON.stringify({ message: { content: '', tool_calls: [call] }, done: false })}\n`, DONE],
        };
        const tools = [{ type: 'function' as const, function: { name: 'get_time' } }];
        const { choices, usage } = await client.chat.completions.create({ model: home.modelId, messages, tools });
        expect(choices[0]?.finish_reason).to.equal('tool_calls');
        expect(choices[0]?.message.tool_calls?.[0]).to.include({
            function: { name: 'get_time', arguments: '{"zone":"UTC"}' },
        });
        expect(usage).to.include({ prompt_tokens: 11, completion_tokens: 2 });
        expect(home.ollama.asked('/api/chat').at(-1)?.body.tools).to.have.length(1);
    });

    it('takes a name without its tag', async () => {
        home.ollama.models.set('phi4:latest', {});
        const { choices } = await client.chat.completions.create({
            model: `${home.tunnel.tunnelId}/phi4`,
            messages,
        });
        expect(choices[0]?.message.content).to.equal(RECORDED);
        expect(home.ollama.asked('/api/chat').at(-1)?.body).to.include({
            model: 'phi4:latest',
            options: { num_ctx: 8_192 },
        });
        home.ollama.models.delete('phi4:latest');
    });

    it('stops Ollama when its client goes away', async () => {
        home.ollama.chat = { steps: [said('One'), hold()] };
        const stream = await client.chat.completions.create({ model: home.modelId, messages, stream: true });
        for await (const { choices } of stream) if (choices[0]?.delta.content === 'One') break;
        await home.ollama.asked('/api/chat').at(-1)?.aborted;
    });

    it('is told that the tunnel is away, also in the middle', async () => {
        const away = await newTunnel(home.holder);
        const refused = await failure(`${away.tunnelId}/llama3.2:3b`, await clientOf(away.tenant));
        expect(refused).to.be.instanceof(OpenAI.InternalServerError);
        expect(refused).to.include({ status: 503, code: 'tunnel_offline' });
        const { tunnel, kill, modelId } = await home.killable();
        home.ollama.chat = { steps: [said('One'), hold()] };
        const other = await clientOf(tunnel.tenant);
        const stream = await other.chat.completions.create({ model: modelId, messages, stream: true });
        const broken = async () => {
            for await (const { choices } of stream) if (choices[0]?.delta.content === 'One') await kill();
        };
        const error = await broken().catch((failed: unknown) => failed);
        expect(error).to.be.instanceof(OpenAI.APIError);
        expect(error).to.include({ code: 'tunnel_error' });
    });

    it('opens no circuit, however often it fails', async () => {
        const { models } = home.other.server.plugins;
        const before = await models.circuits();
        home.ollama.chat = { status: 500, steps: ['{"error":"out of memory"}'] };
        for (let times = 0; times < 3; times++) {
            expect(await failure(home.modelId)).to.include({ status: 502, code: 'provider_error' });
        }
        home.ollama.chat = recorded;
        const { choices } = await client.chat.completions.create({ model: home.modelId, messages });
        expect(choices[0]?.message.content).to.equal(RECORDED);
        expect(Object.keys(await models.circuits())).to.equal(Object.keys(before));
        for (const [name, { failures }] of Object.entries(await models.circuits())) {
            if (name.startsWith('ollama:')) expect(failures, name).to.equal(before[name]?.failures ?? 0);
        }
    });

    it('does not find what is another’s, or what Ollama does not have', async () => {
        const stranger = await clientOf(await newTenant(home.holder));
        for (const error of [
            await failure(home.modelId, stranger),
            await failure(`${home.tunnel.tunnelId}/none`),
            await failure('tun_01K9ZQ4V7N8M3T5R2W6X1Y0ABC/llama3.2:3b'),
            await failure(`${home.tunnel.tunnelId}/`),
        ]) {
            expect(error).to.be.instanceof(OpenAI.NotFoundError);
            expect(error).to.include({ code: 'model_not_found' });
        }
    });

    it('does not find a model that Ollama has had until now', async () => {
        home.ollama.models.set('gone:1b', {});
        const model = `${home.tunnel.tunnelId}/gone:1b`;
        await client.chat.completions.create({ model, messages });
        home.ollama.models.delete('gone:1b');
        expect(await failure(model)).to.include({ status: 404, code: 'model_not_found' });
        const asked = home.ollama.asked('/api/chat').length;
        expect(await failure(model)).to.include({ status: 404, code: 'model_not_found' });
        expect(home.ollama.asked('/api/chat')).to.have.length(asked);
    });
});

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import { Ollama } from 'ollama';
import OpenAI from 'openai';

import { RECORDED, startHome, type TestHome } from '../../helpers/home-ollama.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const messages = [{ role: 'user' as const, content: 'Say hello' }];

describe('an official client that is pointed at a tunnel, on the replica that does not hold its link', () => {
    let home: TestHome;
    let base: string;

    before(async () => {
        home = await startHome();
        base = `${home.other.server.info.uri}/api/tunnels/${home.tunnel.tunnelId}/http`;
    });

    after(() => home.stop());

    it('lists the models and streams a chat (ollama)', async () => {
        const headers = { authorization: `Bearer ${home.tunnel.tenant.accessToken}` };
        const client = new Ollama({ host: base, headers });
        const { models } = await client.list();
        expect(models.map(({ name }) => name)).to.equal(['llama3.2:3b']);
        let text = '';
        let thoughts = '';
        let last: unknown;
        for await (const line of await client.chat({ model: 'llama3.2:3b', messages, stream: true })) {
            text += line.message.content;
            thoughts += line.message.thinking ?? '';
            last = line;
        }
        expect([text, thoughts]).to.equal([RECORDED, 'The user greets…']);
        expect(last).to.include({ done: true, done_reason: 'stop', prompt_eval_count: 26 });
        expect(home.ollama.asked('/api/chat').at(-1)?.headers.authorization).to.be.undefined();
    });

    it('lists the models and streams a chat (openai)', async () => {
        const client = new OpenAI({
            baseURL: `${base}/v1`,
            apiKey: home.tunnel.tenant.accessToken,
            maxRetries: 0,
        });
        const ids: string[] = [];
        for await (const { id } of client.models.list()) ids.push(id);
        expect(ids).to.equal(['llama3.2:3b']);
        let text = '';
        const stream = await client.chat.completions.create({ model: 'llama3.2:3b', messages, stream: true });
        for await (const { choices } of stream) text += choices[0]?.delta.content ?? '';
        expect(text).to.equal('Grüße aus Tōkyō: 春🌸\n“ok”\u2028 \\n.');
    });

    it('is told by a status that the model is not there', async () => {
        const headers = { authorization: `Bearer ${home.tunnel.tenant.accessToken}` };
        const client = new Ollama({ host: base, headers });
        const failure = await client.chat({ model: 'none', messages }).catch((error: unknown) => error);
        expect(failure).to.include({ status_code: 404, error: "model 'none' not found" });
    });
});

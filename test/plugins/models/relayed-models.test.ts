import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { isRelayed, type RelayedModel } from '../../../plugins/models/relayed-model.ts';
import { RelayedModels } from '../../../plugins/models/relayed-models.ts';
import { apiError } from '../../../src/http/errors.ts';
import { testCall, testModel } from '../../helpers/model.ts';

import type { ModelSource } from '../../../plugins/models/api.ts';
import type { RelayAnswer, RelayRequest } from '../../../src/relay/types.ts';

export const lab = Lab.script();
const { describe, it, beforeEach } = lab;

const HOME = 'tun_01K9ZQ4V7N8M3T5R2W6X1Y0ABC';
const AWAY = 'tun_01K9ZQ4V7N8M3T5R2W6X1Y0AWA';
const USER = { tenantId: 'tenant_a', userId: 'user_a' };

const answer = (value: object, status = 200): Promise<RelayAnswer> =>
    Promise.resolve({ status, headers: [], body: bodyOf(JSON.stringify(value)) });

async function* bodyOf(text: string): AsyncGenerator<Uint8Array> {
    await Promise.resolve();
    yield Buffer.from(text);
}

describe('RelayedModels', () => {
    let now: number;
    let models: RelayedModels;
    let requests: { id: string; request: RelayRequest }[];
    let checks: number;
    let connected: ModelSource['connected'];
    let request: ModelSource['request'];

    beforeEach(() => {
        now = 0;
        requests = [];
        checks = 0;
        connected = () => Promise.resolve([{ id: HOME, name: 'home' }]);
        request = (_user, _id, { head }) =>
            answer(head.path === '/api/tags' ? { models: [{ name: 'a:1' }] } : { capabilities: ['vision'] });
        models = new RelayedModels(() => now);
        models.offer('tun', {
            request: (user, id, asked) => {
                requests.push({ id, request: asked });
                return request(user, id, asked);
            },
            check: () => {
                checks++;
                return Promise.resolve();
            },
            connected: (user, most) => connected(user, most),
        });
    });

    const modelOf = (name = 'a:1', id = HOME): RelayedModel => {
        const model = models.get(`${id}/${name}`);
        if (!model) throw new Error('No model');
        return model;
    };
    const idsOf = async (user = USER) => (await models.list(user)).map(({ id }) => id);

    describe('get()', () => {
        it('knows only what somebody offers', () => {
            expect(models.get(`${HOME}/a`)?.via.prefix).to.equal('tun');
            expect(models.get('proxy_01K9ZQ4V7N8M3T5R2W6X1Y0ABC/a')).to.be.null();
        });
    });

    describe('list()', () => {
        it('asks for 20 servers at most, and each once in 10 s for a user', async () => {
            let asked = 0;
            connected = (_user, most) => {
                asked = most;
                return Promise.resolve([{ id: HOME, name: 'home' }]);
            };
            expect(await Promise.all([idsOf(), idsOf()])).to.equal([[`${HOME}/a:1`], [`${HOME}/a:1`]]);
            now = 10_000;
            await idsOf();
            expect([asked, requests.length]).to.equal([20, 1]);
            await idsOf({ ...USER, userId: 'user_b' });
            expect(requests).to.have.length(2);
            now = 10_001;
            await idsOf();
            expect(requests).to.have.length(3);
        });

        it('leaves out what fails, is no Ollama, or has a name that is none', async () => {
            const ids = ['1', '2', '3', '4', '5'].map((digit) => `${HOME.slice(0, -1)}${digit}`);
            connected = () => Promise.resolve(ids.map((id) => ({ id, name: 'x' })));
            request = (_user, id) => {
                if (id.endsWith('1')) return Promise.reject(apiError('TUNNEL_OFFLINE'));
                if (id.endsWith('2')) return answer({ error: 'no' }, 404);
                if (id.endsWith('3')) return answer([]);
                if (id.endsWith('4')) return answer({ models: [null, { name: 7 }, { name: '../a' }] });
                return answer({ models: [{ name: 'b:1', capabilities: ['tools'] }] });
            };
            const [model, ...others] = await models.list(USER);
            expect(others).to.be.empty();
            expect(model).to.include({ id: `${ids[4]}/b:1`, name: 'b:1 (x)', capabilities: ['text', 'tools'] });
        });

        it('does not wait for a server that says nothing', async () => {
            request = (_user, id, { gone }) =>
                id === HOME
                    ? answer({ models: [{ name: 'a:1' }] })
                    : new Promise((_resolve, reject) =>
                          gone.addEventListener('abort', () => reject(new Error('gone'))),
                      );
            connected = () => Promise.resolve([HOME, AWAY].map((id) => ({ id, name: 'x' })));
            expect(await idsOf()).to.equal([`${HOME}/a:1`]);
        });

        it('does not keep that it failed', async () => {
            const works = connected;
            connected = () => Promise.reject(apiError('STORE_UNAVAILABLE'));
            await expect(idsOf()).to.reject();
            connected = works;
            expect(await idsOf()).to.equal([`${HOME}/a:1`]);
        });

        it('tells what is known of a model from a call', async () => {
            request = (_user, _id, { head }) =>
                answer(
                    head.path === '/api/tags'
                        ? { models: [{ name: 'a:1' }] }
                        : { model_info: { 'x.context_length': 4_096 }, capabilities: ['vision', 'thinking'] },
                );
            await models.find(USER, modelOf());
            const [model] = await models.list(USER);
            expect(model).to.include({ contextLength: 4_096, capabilities: ['text', 'vision', 'reasoning'] });
        });
    });

    describe('find()', () => {
        it('asks the server once in 5 minutes, and each time whether the user may use it', async () => {
            for (now of [0, 300_000]) expect((await models.find(USER, modelOf())).capabilities).to.include('vision');
            expect([requests.length, checks]).to.equal([1, 1]);
            now = 300_001;
            await models.find(USER, modelOf());
            expect(requests).to.have.length(2);
            const [{ request: asked } = { request: null }] = requests;
            expect(asked?.head).to.include({ method: 'POST', path: '/api/show' });
        });

        it('learns nothing from another tenant', async () => {
            await models.find(USER, modelOf());
            await models.find({ ...USER, tenantId: 'tenant_b' }, modelOf());
            expect([requests.length, checks]).to.equal([2, 0]);
        });

        it('takes the model as its id tells while its server is away', async () => {
            for (const code of ['TUNNEL_OFFLINE', 'TUNNEL_TIMEOUT', 'QUOTA_EXCEEDED'] as const) {
                request = () => Promise.reject(apiError(code));
                expect(await models.find(USER, modelOf())).to.equal(modelOf());
            }
            request = () => answer({ error: 'busy' }, 500);
            expect(await models.find(USER, modelOf())).to.equal(modelOf());
        });

        it('finds nothing where the record or the model is not there', async () => {
            request = () => Promise.reject(apiError('TUNNEL_NOT_FOUND'));
            await expect(models.find(USER, modelOf())).to.reject('There is no such model.');
            request = () => answer({ error: "model 'a:1' not found" }, 404);
            await expect(models.find(USER, modelOf())).to.reject('There is no such model.');
        });

        it('takes no more context than the model was trained for, or its author chose', async () => {
            for (const [shown, length] of [
                [{ model_info: { 'llama.context_length': 131_072 } }, 8_192],
                [{ model_info: { 'llama.context_length': 2_048 } }, 2_048],
                [{ model_info: { 'llama.context_length': 131_072 }, parameters: 'stop "x"\nnum_ctx   32768' }, 32_768],
                [{ model_info: { 'llama.context_length': 2_048 }, parameters: 'num_ctx 32768\n' }, 2_048],
                [{ model_info: { 'llama.context_length': '4096' }, parameters: 'num_ctx 1' }, 8_192],
                [{ model_info: null, capabilities: null, parameters: 7 }, 8_192],
            ] as const) {
                request = () => answer(shown);
                now += 300_001;
                expect((await models.find(USER, modelOf())).contextLength, JSON.stringify(shown)).to.equal(length);
            }
        });
    });

    it('has no provider of its own for a model of the catalogue', () => {
        expect(isRelayed(testModel())).to.be.false();
        expect(() => models.stream(testCall(testModel()), new AbortController().signal)).to.throw();
    });
});

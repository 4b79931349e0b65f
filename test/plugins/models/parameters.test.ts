import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { fitParameters } from '../../../plugins/models/parameters.ts';
import { isApiError } from '../../../src/http/errors.ts';
import { testCall, testModel } from '../../helpers/model.ts';
import { IMAGE, TOOLS } from '../../helpers/wires.ts';

import type { CallParameters, ContentPart, Model, ParameterName, ProviderName } from '../../../plugins/models/api.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const ALL: Required<CallParameters> = {
    temperature: 0.5,
    topP: 0.5,
    maxTokens: 99,
    stop: ['END'],
    seed: 7,
    presencePenalty: 0.1,
    frequencyPenalty: 0.2,
    tools: TOOLS,
    toolChoice: 'auto',
    parallelToolCalls: false,
    responseFormat: { type: 'json_object' },
    reasoningEffort: 'low',
};

const capable = (model: Partial<Model>) => testModel({ capabilities: ['tools', 'reasoning', 'vision'], ...model });
const fit = (model: Partial<Model>, parameters: CallParameters = ALL) =>
    fitParameters(testCall(capable(model), 'Hi', { parameters }));

describe('fitParameters()', () => {
    const ignored: [provider: ProviderName, names: ParameterName[]][] = [
        ['openai', []],
        ['anthropic', ['topP', 'seed', 'presencePenalty', 'frequencyPenalty', 'responseFormat', 'reasoningEffort']],
        ['google', ['parallelToolCalls', 'reasoningEffort']],
        ['ollama', ['toolChoice', 'parallelToolCalls', 'reasoningEffort']],
    ];
    for (const [provider, names] of ignored) {
        it(`leaves out what ${provider} has no field for, and names it`, () => {
            const { parameters, ignored: found } = fit({ provider });
            expect(found).to.equal(names);
            const taken = Object.entries(ALL).filter(([name]) => !names.includes(name as ParameterName));
            expect(parameters).to.equal(Object.fromEntries(taken));
        });
    }

    it('leaves one way of sampling to a model of Anthropic, which refuses two', () => {
        expect(fit({ provider: 'anthropic' }, { topP: 0.5 })).to.equal({ parameters: { topP: 0.5 }, ignored: [] });
    });

    it('leaves all that steers the sampling away from models that refuse it', () => {
        const { ignored: found } = fit({ parameters: { temperature: false } });
        expect(found).to.equal(['temperature', 'topP', 'presencePenalty', 'frequencyPenalty']);
    });

    it("leaves out what OpenAI's Responses do not take, for calls that go there", () => {
        const model = { parameters: { ...testModel().parameters, toolsEndpoint: 'responses' as const } };
        const names = ['stop', 'seed', 'presencePenalty', 'frequencyPenalty'];
        expect(fit(model).ignored).to.equal(names as ParameterName[]);
        expect(fit(model, { ...ALL, tools: [] }).ignored).to.be.empty();
    });

    it('asks for no more tokens than the model can say', () => {
        for (const [maxOutput, expected] of [
            [50, 50],
            [200, 99],
            [null, 99],
        ] as const) {
            expect(fit({ maxOutput }).parameters.maxTokens).to.equal(expected);
        }
    });

    const refusals: [what: string, model: Partial<Model>, url: string, reason: string][] = [
        ['any image', { capabilities: ['text'] }, IMAGE, 'this model takes no images'],
        [
            'an image that is elsewhere, of Ollama',
            { provider: 'ollama' },
            'https://example.com/a.png',
            'this model takes images as Base64 in data: URLs only',
        ],
        [
            'an image in a data: URL of another kind, of Ollama',
            { provider: 'ollama' },
            'data:image/svg+xml,<svg/>',
            'this model takes images as Base64 in data: URLs only',
        ],
    ];
    for (const [what, model, url, reason] of refusals) {
        it(`refuses ${what}, where the model cannot take it`, () => {
            const content: ContentPart[] = [{ type: 'image', url }];
            const call = testCall(capable(model), 'Hi', { messages: [{ role: 'user', content }] });
            const error: unknown = expect(() => fitParameters(call)).to.throw();
            expect(isApiError(error, 'VALIDATION_ERROR') && error.data?.details).to.equal({
                fields: { messages: reason },
            });
        });
    }

    it('lets through the images that a model can take', () => {
        for (const [provider, url] of [
            ['ollama', IMAGE],
            ['google', 'https://example.com/a.png'],
        ] as const) {
            const content: ContentPart[] = [{ type: 'image', url }];
            const call = testCall(capable({ provider }), 'Hi', { messages: [{ role: 'user', content }] });
            expect(fitParameters(call).ignored).to.be.empty();
        }
    });
});

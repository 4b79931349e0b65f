import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { completionPayload, type CompletionRequest } from '../../../plugins/openai/request-schema.ts';
import { ignoredFields, toMessages, toParameters } from '../../../plugins/openai/to-call.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const IMAGE = 'data:image/png;base64,iVBORw0KGgo=';
const user = { role: 'user', content: 'Hello' };
/** What the route makes of a body. */
const read = (body: object): CompletionRequest => {
    const { value, error } = completionPayload.validate({ model: 'm', messages: [user], ...body });
    if (error) throw error;
    return value as CompletionRequest;
};
/** Where a body is wrong, and what is. */
const refusal = (body: object): string => {
    const prefs = { errors: { wrap: { label: false } } } as const;
    const { error } = completionPayload.validate({ model: 'm', messages: [user], ...body }, prefs);
    return error?.details.map(({ path, message }) => `${path.join('.')}: ${message}`).join() ?? '';
};
const messagesOf = (...messages: object[]) => toMessages(read({ messages }));
const parametersOf = (body: object) => toParameters(read(body));

const tool = {
    type: 'function',
    function: { name: 'weather', description: 'Of a city', parameters: { type: 'object' } },
};
const toolCall = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Lisbon"}' } };

describe('toMessages', () => {
    it('keeps texts, and takes a developer for the system', () => {
        expect(messagesOf({ role: 'system', content: 'A' }, { role: 'developer', content: 'B' }, user)).to.equal([
            { role: 'system', content: 'A' },
            { role: 'system', content: 'B' },
            { role: 'user', content: 'Hello' },
        ]);
    });

    it('makes one text of parts that are text', () => {
        const content = [
            { type: 'text', text: 'One' },
            { type: 'text', text: 'two' },
        ];
        expect(messagesOf({ role: 'user', content })).to.equal([{ role: 'user', content: 'One\ntwo' }]);
        const refused = [{ type: 'refusal', refusal: 'No' }];
        expect(messagesOf({ role: 'assistant', content: refused })).to.equal([{ role: 'assistant', content: 'No' }]);
    });

    it('passes images on, with the texts beside them', () => {
        const content = [
            { type: 'text', text: 'What is it?' },
            { type: 'image_url', image_url: { url: IMAGE, detail: 'low' } },
            { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
        ];
        expect(messagesOf({ role: 'user', content })[0]?.content).to.equal([
            { type: 'text', text: 'What is it?' },
            { type: 'image', url: IMAGE },
            { type: 'image', url: 'https://example.com/a.png' },
        ]);
    });

    it('passes the calls of an assistant and the results of tools on, as the client got them', () => {
        const answered = { role: 'assistant', content: null, refusal: null, annotations: [], tool_calls: [toolCall] };
        expect(messagesOf(user, answered, { role: 'tool', tool_call_id: 'call_1', content: 'Sun' })).to.equal([
            { role: 'user', content: 'Hello' },
            {
                role: 'assistant',
                content: '',
                toolCalls: [{ id: 'call_1', name: 'weather', arguments: '{"city":"Lisbon"}' }],
            },
            { role: 'tool', content: 'Sun', toolCallId: 'call_1' },
        ]);
    });
});

describe('toParameters', () => {
    it('has nothing of what was left open or is null', () => {
        expect(parametersOf({})).to.equal({});
        const fields = [
            'temperature',
            'top_p',
            'max_tokens',
            'stop',
            'seed',
            'tools',
            'tool_choice',
            'response_format',
        ];
        const nulls = Object.fromEntries(
            [...fields, 'n', 'stream', 'reasoning_effort', 'user'].map((name) => [name, null]),
        );
        expect(parametersOf(nulls)).to.equal({});
    });

    it('has each parameter by our name', () => {
        const given = {
            temperature: 0,
            top_p: 0.5,
            max_completion_tokens: 10,
            stop: ['a', 'b'],
            seed: 0,
            presence_penalty: -1,
            frequency_penalty: 1,
            tools: [tool],
            tool_choice: 'required',
            parallel_tool_calls: false,
            reasoning_effort: 'low',
        };
        expect(parametersOf(given)).to.equal({
            temperature: 0,
            topP: 0.5,
            maxTokens: 10,
            stop: ['a', 'b'],
            seed: 0,
            presencePenalty: -1,
            frequencyPenalty: 1,
            tools: [{ name: 'weather', description: 'Of a city', parameters: { type: 'object' } }],
            toolChoice: 'required',
            parallelToolCalls: false,
            reasoningEffort: 'low',
        });
    });

    it('makes a list of one stop, and takes the newer limit before the older', () => {
        expect(parametersOf({ stop: 'END', max_tokens: 5 })).to.equal({ stop: ['END'], maxTokens: 5 });
        expect(parametersOf({ max_completion_tokens: 4, max_tokens: 5 })).to.equal({ maxTokens: 4 });
    });

    it('has a chosen tool by its name, and no choice without tools', () => {
        const choice = { type: 'function', function: { name: 'weather' } };
        const strict = { ...tool, function: { name: 'weather', strict: true } };
        expect(parametersOf({ tools: [strict], tool_choice: choice })).to.equal({
            tools: [{ name: 'weather', strict: true }],
            toolChoice: { name: 'weather' },
        });
        expect(parametersOf({ tools: [], tool_choice: 'auto', parallel_tool_calls: true })).to.equal({});
    });

    it('has the form of the answer', () => {
        const format = { name: 'city', schema: { type: 'object' }, strict: true };
        expect(parametersOf({ response_format: { type: 'text' } })).to.equal({});
        expect(parametersOf({ response_format: { type: 'json_object' } })).to.equal({
            responseFormat: { type: 'json_object' },
        });
        expect(parametersOf({ response_format: { type: 'json_schema', json_schema: format } })).to.equal({
            responseFormat: { type: 'json_schema', ...format },
        });
    });
});

describe('ignoredFields', () => {
    it('names parameters as the client did', () => {
        const request = read({ max_tokens: 1, top_p: 1 });
        expect(ignoredFields(request, ['maxTokens', 'topP'])).to.equal(['max_tokens', 'top_p']);
        expect(ignoredFields(read({ max_completion_tokens: 1 }), ['maxTokens'])).to.equal(['max_completion_tokens']);
    });

    it('names unknown fields that ask for something, those that a header can hold, and not too many', () => {
        const request = read({ logprobs: true, audio: null, 'a b': 1, user: 'u', metadata: {}, store: true, n: 1 });
        expect(ignoredFields(request, [])).to.equal(['logprobs']);
        const many = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`field_${index}`, 1]));
        expect(ignoredFields(read(many), [])).to.have.length(20);
    });
});

describe('completionPayload', () => {
    it('takes fields that it does not know, at any level', () => {
        const content = [{ type: 'text', text: 'Hi', cache_control: {} }];
        expect(refusal({ unknown: 1, messages: [{ role: 'user', name: 'ada', content }] })).to.equal('');
    });

    const bad: [what: string, body: object, said: string][] = [
        ['no messages', { messages: [] }, 'messages: CompletionMessages must contain at least 1'],
        ['a role that does not exist', { messages: [{ role: 'function', content: 'a' }] }, 'messages.0.role: '],
        [
            'a user’s message without content',
            { messages: [{ role: 'user', content: null }] },
            'messages.0: needs content',
        ],
        ['an assistant’s without content or calls', { messages: [{ role: 'assistant' }] }, 'messages.0: needs content'],
        ['a result of no call', { messages: [{ role: 'tool', content: 'a' }] }, 'messages.0: needs tool_call_id'],
        [
            'an image of the system',
            { messages: [{ role: 'system', content: [{ type: 'image_url', image_url: { url: IMAGE } }] }] },
            'messages.0: may have an image of role user only',
        ],
        ['a part of another kind', { messages: [{ role: 'user', content: [{ type: 'file' }] }] }, 'messages.0.content'],
        [
            'a part without its text',
            { messages: [{ role: 'user', content: [{ type: 'text' }] }] },
            'messages.0.content',
        ],
        [
            'an image at a file',
            {
                messages: [
                    { role: 'user', content: [{ type: 'image_url', image_url: { url: 'file:///etc/passwd' } }] },
                ],
            },
            'messages.0.content',
        ],
        ['a number as text', { temperature: '1' }, 'temperature must be a number'],
        ['a flag as text', { stream: 'true' }, 'stream must be a boolean'],
        ['more than one answer', { n: 2 }, 'n must be one of'],
        ['too many stops', { stop: ['a', 'b', 'c', 'd', 'e'] }, 'stop: '],
        ['a tool of another kind', { tools: [{ type: 'custom', custom: {} }] }, 'tools[0].type must be [function]'],
        [
            'a tool with a name of no function',
            { tools: [{ type: 'function', function: { name: 'a b' } }] },
            'tools[0].function.name',
        ],
        [
            'a schema that is not there',
            { response_format: { type: 'json_schema' } },
            'response_format: needs json_schema',
        ],
        ['an effort nobody knows', { reasoning_effort: 'most' }, 'reasoning_effort must be one of'],
    ];
    for (const [what, body, said] of bad) {
        it(`refuses ${what}`, () => {
            expect(refusal(body)).to.include(said);
        });
    }
});

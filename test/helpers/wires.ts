import { testCall, testModel } from './model.ts';

import type { CallParameters, ChatMessage, Model, ModelCall, ToolDefinition } from '../../plugins/models/api.ts';
import type { Config } from '../../src/config.ts';

export const KEY = 'sk-of-the-test-0123456789';

/** The settings with which every provider is at that address, and has a key. */
export const providersAt = (url: string): Partial<Config> => ({
    ANTHROPIC_BASE_URL: url,
    GOOGLE_BASE_URL: url,
    OLLAMA_URL: url,
    OPENAI_BASE_URL: url,
    PROVIDER_KEYS_SHARED: { anthropic: KEY, google: KEY, openai: KEY },
});

const WEATHER: ToolDefinition = {
    name: 'get_weather',
    description: 'The weather of a city',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};
const TIME: ToolDefinition = { name: 'get_time', strict: true };
export const TOOLS = [WEATHER, TIME];

/** A form that answers come in, and what is needed to ask for one. */
export interface TestWire {
    name: string;
    model: Model;
    parameters: CallParameters;
    /** Answers in an exact form, by the name of the fixture. */
    recordings: string[];
    /** The body of a refusal. */
    refusal: (reason: string) => object;
    /** A piece of an answer that is none. */
    garbage: string;
    /** What goes before the JSON of an event, and after it. */
    frame: [before: string, after: string];
}

const EVENT: TestWire['frame'] = ['data: ', '\n\n'];
const wire = (given: Pick<TestWire, 'name' | 'recordings' | 'refusal'> & Partial<TestWire>): TestWire => ({
    model: testModel(),
    parameters: {},
    garbage: 'data: <html>\n\n',
    frame: EVENT,
    ...given,
});
const ofOpenAi = (message: string) => ({ error: { message, type: 'x', param: null, code: null } });

export const WIRES: TestWire[] = [
    wire({
        name: 'anthropic',
        model: testModel({ provider: 'anthropic' }),
        recordings: ['anthropic-messages.sse', 'anthropic-tools.sse'],
        refusal: (message) => ({ type: 'error', error: { type: 'invalid_request_error', message }, request_id: null }),
    }),
    wire({
        name: 'google',
        model: testModel({ provider: 'google' }),
        recordings: ['google-chat.sse', 'google-tools.sse'],
        refusal: (message) => ({ error: { code: 400, message, status: 'INVALID_ARGUMENT' } }),
    }),
    wire({ name: 'openai', recordings: ['openai-chat.sse', 'openai-tools.sse'], refusal: ofOpenAi }),
    wire({
        name: 'openai (Responses)',
        model: testModel({ capabilities: ['tools'], parameters: { temperature: false, toolsEndpoint: 'responses' } }),
        parameters: { tools: TOOLS },
        recordings: ['openai-responses.sse'],
        refusal: ofOpenAi,
    }),
    wire({
        name: 'ollama',
        model: testModel({ provider: 'ollama' }),
        recordings: ['ollama-chat.ndjson', 'ollama-tools.ndjson'],
        refusal: (error) => ({ error }),
        garbage: '<html>\n',
        frame: ['', '\n'],
    }),
];

export const callOver = ({ model, parameters }: TestWire, call: Partial<ModelCall> = {}): ModelCall =>
    testCall(model, undefined, { parameters, ...call });

export const IMAGE = 'data:image/png;base64,iVBORw0KGgo=';

/** A conversation with all that messages can have. */
export const CONVERSATION: ChatMessage[] = [
    { role: 'system', content: 'Be brief.' },
    {
        role: 'user',
        content: [
            { type: 'text', text: 'What is this?' },
            { type: 'image', url: IMAGE },
        ],
    },
    {
        role: 'assistant',
        content: '',
        toolCalls: [
            { id: 'call_1', name: 'get_weather', arguments: '{"city":"Zürich"}' },
            { id: 'call_2', name: 'get_time', arguments: 'not JSON' },
        ],
    },
    { role: 'tool', toolCallId: 'call_1', content: '{"sky":"blue"}' },
    { role: 'tool', toolCallId: 'call_2', content: 'noon' },
    { role: 'user', content: 'And now?' },
    { role: 'assistant', content: 'Now I know.' },
    { role: 'system', content: 'Be kind.' },
    { role: 'user', content: 'Thanks' },
    { role: 'user', content: 'a lot' },
];

import Joi from 'joi';

const tokens = () => Joi.number().integer();

const usage = Joi.object({
    prompt_tokens: tokens(),
    completion_tokens: tokens(),
    total_tokens: tokens(),
    prompt_tokens_details: Joi.object({ cached_tokens: tokens() }).label('CompletionPromptDetails'),
    completion_tokens_details: Joi.object({ reasoning_tokens: tokens() }).label('CompletionOutputDetails'),
}).label('CompletionUsage');

const choice = Joi.object({
    index: Joi.number().integer().valid(0),
    message: Joi.object({
        role: Joi.string().valid('assistant'),
        content: Joi.string().allow('', null),
        refusal: Joi.string().allow(null).description('always null: a refusal is in the content'),
        reasoning_content: Joi.string().optional().description('what a reasoning model shows of its thoughts'),
        tool_calls: Joi.array()
            .items(
                Joi.object({
                    id: Joi.string(),
                    type: Joi.string().valid('function'),
                    function: Joi.object({ name: Joi.string(), arguments: Joi.string().allow('') }).label(
                        'ChatCompletionFunction',
                    ),
                }).label('ChatCompletionToolCall'),
            )
            .optional()
            .label('ChatCompletionToolCalls'),
    }).label('ChatCompletionMessage'),
    logprobs: Joi.any().valid(null),
    finish_reason: Joi.string().valid('stop', 'length', 'tool_calls', 'content_filter'),
}).label('ChatCompletionChoice');

export const completionAnswer = Joi.object({
    id: Joi.string(),
    object: Joi.string().valid('chat.completion'),
    created: Joi.number().integer().description('epoch seconds'),
    model: Joi.string().description('as it was asked for'),
    choices: Joi.array().items(choice).label('ChatCompletionChoices'),
    usage,
}).label('ChatCompletion');

const headOf = (object: string) => ({
    id: 'chatcmpl_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    object,
    created: 1_763_634_600,
    model: 'sandbox',
});
const usageExample = {
    prompt_tokens: 19,
    completion_tokens: 4,
    total_tokens: 23,
    prompt_tokens_details: { cached_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0 },
};

export const completionExample = {
    ...headOf('chat.completion'),
    choices: [
        {
            index: 0,
            message: { role: 'assistant', content: 'The castle and the river.', refusal: null },
            logprobs: null,
            finish_reason: 'stop',
        },
    ],
    usage: usageExample,
};

const choiceOf = (delta: object, reason: string | null = null) => [
    { index: 0, delta, logprobs: null, finish_reason: reason },
];
const chunks = [
    { choices: choiceOf({ role: 'assistant', content: '', refusal: null }), usage: null },
    { choices: choiceOf({ content: 'The castle and the river.' }), usage: null },
    { choices: choiceOf({}, 'stop'), usage: null },
    { choices: [], usage: usageExample },
];

export const streamExample = [
    ...chunks.map((chunk) => JSON.stringify({ ...headOf('chat.completion.chunk'), ...chunk })),
    '[DONE]',
]
    .map((data) => `data: ${data}\n\n`)
    .join('');

const listedModel = {
    id: Joi.string(),
    object: Joi.string().valid('model'),
    created: Joi.number().integer().description('0: not known'),
    owned_by: Joi.string().description('the provider'),
};

export const listedModelAnswer = Joi.object(listedModel).label('ListedModel');
export const listedModelExample = { id: 'sandbox', object: 'model', created: 0, owned_by: 'sandbox' };

export const modelListAnswer = Joi.object({
    object: Joi.string().valid('list'),
    data: Joi.array().items(listedModelAnswer).label('ListedModels'),
}).label('ModelList');
export const modelListExample = { object: 'list', data: [listedModelExample] };

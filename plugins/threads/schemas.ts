import Joi from 'joi';

import { pageParams, type PageParams } from '../../src/http/pagination.ts';
import { idSchema } from '../../src/ids.ts';

import type { ExportFormat } from './export-service.ts';
import type { ForkOptions } from './fork-service.ts';
import type { AnswerOptions } from './message-service.ts';

export interface ThreadParams {
    threadId: string;
}

export interface ContextParams extends ThreadParams {
    modelId: string;
}

export interface MessageParams extends ContextParams {
    messageId: string;
}

const threadParamKeys = { threadId: idSchema('thread').required() };
export const threadParams = Joi.object<ThreadParams>(threadParamKeys).label('ThreadParams');
const contextParamKeys = { ...threadParamKeys, modelId: Joi.string().max(200).required().example('sandbox') };
export const contextParams = Joi.object<ContextParams>(contextParamKeys).label('ContextParams');
export const messageParams = Joi.object<MessageParams>({
    ...contextParamKeys,
    messageId: idSchema('msg').required(),
}).label('MessageParams');

const title = () => Joi.string().trim().min(1).max(200).example('Trip to Lisbon');

export interface CreateThread {
    title?: string | null;
}

export const createThreadPayload = Joi.object<CreateThread>({ title: title().allow(null) })
    .empty(null)
    .default({})
    .example({ title: 'Trip to Lisbon' })
    .label('CreateThread');

export interface RenameThread {
    title: string;
}

export const renameThreadPayload = Joi.object<RenameThread>({ title: title().required() })
    .example({ title: 'Trip to Lisbon' })
    .label('RenameThread');

/** See `ForkOptions`. */
export type ForkThread = ForkOptions;

export const forkThreadPayload = Joi.object<ForkThread>({
    modelId: Joi.string().max(200).description('copy the context of this model only').example('sandbox'),
    fromMessageId: idSchema('msg').description('the last message that is copied; it is looked for in all contexts'),
    title: title().description('the title of the thread, with ` (fork)`, unless given'),
})
    .empty(null)
    .default({})
    .example({ modelId: 'sandbox', fromMessageId: 'msg_01K9ZQ4V7N8M3T5R2W6X1Y0ABC', title: 'Trip to Porto' })
    .label('ForkThread');

export interface ExportQuery {
    format: ExportFormat;
}

export const exportQuery = Joi.object<ExportQuery>({
    format: Joi.string().valid('json', 'markdown').default('json'),
}).label('ExportQuery');

export interface ThreadQuery extends PageParams {
    q?: string;
    orderBy: 'updated_at' | 'created_at';
}

export const threadQuery = Joi.object<ThreadQuery>({
    ...pageParams({ usual: 20, most: 100 }),
    orderBy: Joi.string().valid('updated_at', 'created_at').default('updated_at'),
    q: Joi.string()
        .trim()
        .min(1)
        .max(100)
        .description('words of the title or a summary, or how they begin: all of them')
        .example('trip lis'),
}).label('ThreadQuery');

export const messageQuery = Joi.object<PageParams>(pageParams({ usual: 50, most: 200 })).label('MessageQuery');

/** How an answer is given; see `AnswerOptions`. */
interface AnswerPayload extends AnswerOptions {
    stream: boolean;
}

const answerKeys = {
    temperature: Joi.number().min(0).max(2).description('within the range of the model'),
    stream: Joi.boolean().default(false),
    fallbackModels: Joi.array()
        .items(Joi.string().max(200))
        .max(3)
        .description(
            'answer in this order when the model fails before its first word; those of the tenant unless given',
        )
        .label('FallbackModels'),
    onDisconnect: Joi.string()
        .valid('finish', 'cancel')
        .description('what happens to the answer when its client goes away; as the tenant says unless given'),
};

export type RegenerateMessage = AnswerPayload;

export const regenerateMessagePayload = Joi.object<RegenerateMessage>(answerKeys)
    .empty(null)
    .default({ stream: false })
    .example({ temperature: 0.9, stream: true })
    .label('RegenerateMessage');

export interface SendMessage extends AnswerPayload {
    content: string;
}

export const sendMessagePayload = Joi.object<SendMessage>({
    content: Joi.string().trim().min(1).required().example('What is there to see in Lisbon?'),
    ...answerKeys,
})
    .example({ content: 'What is there to see in Lisbon?', temperature: 0.7, stream: true })
    .label('SendMessage');

const time = () => Joi.string().isoDate();

export const threadSchema = Joi.object({
    id: Joi.string(),
    title: Joi.string().allow(null),
    messageCount: Joi.number().integer(),
    activeModels: Joi.array().items(Joi.string()).label('ActiveModels'),
    models: Joi.object()
        .pattern(
            Joi.string(),
            Joi.object({ messageCount: Joi.number().integer(), lastMessageAt: time() }).label('ThreadModel'),
        )
        .label('ThreadModels'),
    lastMessage: Joi.object({
        content: Joi.string().allow('').description('its first 200 characters'),
        role: Joi.string().valid('user', 'assistant'),
        model: Joi.string(),
        timestamp: time(),
    })
        .allow(null)
        .label('LastMessage'),
    summary: Joi.string().allow(null).description('of the conversation with the model that was active last'),
    revision: Joi.number().integer(),
    createdAt: time(),
    updatedAt: time(),
}).label('Thread');

export const threadExample = {
    id: 'thread_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    title: 'Trip to Lisbon',
    messageCount: 2,
    activeModels: ['sandbox'],
    models: { sandbox: { messageCount: 2, lastMessageAt: '2026-11-20T10:31:00.000Z' } },
    lastMessage: {
        content: 'The castle, the river and a tram.',
        role: 'assistant',
        model: 'sandbox',
        timestamp: '2026-11-20T10:31:00.000Z',
    },
    summary: null,
    revision: 3,
    createdAt: '2026-11-20T10:30:00.000Z',
    updatedAt: '2026-11-20T10:31:00.000Z',
};

export const threadAnswer = Joi.object({ thread: threadSchema }).label('ThreadData');
export const threadsAnswer = Joi.object({ threads: Joi.array().items(threadSchema).label('Threads') }).label(
    'ThreadsData',
);
export const deletedThreadAnswer = Joi.object({
    deletedThread: Joi.string(),
    deletedMessages: Joi.number().integer(),
}).label('DeletedThreadData');

const usageSchema = Joi.object({
    inputFresh: Joi.number().integer(),
    cacheRead: Joi.number().integer(),
    cacheWrite: Joi.number().integer(),
    output: Joi.number().integer(),
    reasoning: Joi.number().integer().description('a part of output'),
    isEstimated: Joi.boolean().description('the provider told nothing: counted from the text'),
}).label('Usage');

export const messageSchema = Joi.object({
    id: Joi.string(),
    threadId: Joi.string(),
    modelId: Joi.string(),
    role: Joi.string().valid('user', 'assistant'),
    content: Joi.string().allow(''),
    tokens: Joi.number().integer(),
    temperature: Joi.number().allow(null),
    status: Joi.string().valid('pending', 'generating', 'complete', 'failed', 'cancelled', 'interrupted'),
    createdAt: time(),
    replyTo: Joi.string().allow(null),
    finishReason: Joi.string().allow(null),
    usage: usageSchema.allow(null),
    errorCode: Joi.string().allow(null),
    answeredBy: Joi.string().allow(null).description('the model that answered in place of the one that was asked'),
}).label('Message');

const userMessageExample = {
    id: 'msg_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    threadId: 'thread_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    modelId: 'sandbox',
    role: 'user',
    content: 'What is there to see in Lisbon?',
    tokens: 8,
    temperature: null,
    status: 'complete',
    createdAt: '2026-11-20T10:30:00.000Z',
    replyTo: null,
    finishReason: null,
    usage: null,
    errorCode: null,
    answeredBy: null,
};

const answerExample = {
    ...userMessageExample,
    id: 'msg_01K9ZQ4V7N8M3T5R2W6X1Y0ABD',
    role: 'assistant',
    content: 'The castle, the river and a tram.',
    tokens: 9,
    temperature: 0.7,
    replyTo: userMessageExample.id,
    finishReason: 'stop',
    usage: { inputFresh: 12, cacheRead: 0, cacheWrite: 0, output: 9, reasoning: 0, isEstimated: false },
};

export const messagesAnswer = Joi.object({ messages: Joi.array().items(messageSchema).label('Messages') }).label(
    'MessagesData',
);
export const messageAnswer = Joi.object({ message: messageSchema }).label('MessageAnswerData');
export const messageExample = { message: answerExample };
export const cancelledExample = {
    message: { ...answerExample, content: 'The castle, the', status: 'cancelled', finishReason: 'cancelled' },
};
export const messagesExample = { messages: [answerExample, userMessageExample] };

/** An export of a thread with them, by its type. */
export const exportExamples = {
    'application/json': `{"thread":${JSON.stringify(threadExample)},"messages":[
${JSON.stringify(userMessageExample)},
${JSON.stringify(answerExample)}
]}
`,
    'text/markdown': `# ${threadExample.title}

## sandbox

### User (2026-11-20T10:30:00.000Z)

${userMessageExample.content}

### Assistant (2026-11-20T10:30:00.000Z)

${answerExample.content}
`,
};

export const sentAnswer = Joi.object({
    userMessage: messageSchema,
    assistantMessage: messageSchema,
    details: Joi.object({ ignoredParameters: Joi.array().items(Joi.string()).label('IgnoredParameters') })
        .optional()
        .description('what was asked for and the model does not take')
        .label('SentDetails'),
}).label('SentData');
export const sentExample = { userMessage: userMessageExample, assistantMessage: answerExample };

const { id: messageId, replyTo: userMessageId, usage, finishReason } = answerExample;

/** What is sent when the same answer is streamed. */
export const eventsExample = [
    { event: 'message_start', data: { messageId, userMessageId, timestamp: '2026-11-20T10:30:00.000Z' } },
    { event: 'token', data: { messageId, token: 'The castle, the river' } },
    { event: 'token', data: { messageId, token: ' and a tram.' } },
    {
        event: 'message_complete',
        data: {
            messageId,
            status: 'complete',
            totalTokens: 9,
            finishReason,
            usage,
            timestamp: '2026-11-20T10:30:01.000Z',
        },
    },
    { event: 'close', data: {} },
].map((event, id) => ({ id: String(id), ...event }));

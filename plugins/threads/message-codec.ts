import { decodeTime } from 'ulid';

import { flatHash, isoTime } from '../../src/redis/codec.ts';

import type { LastMessage, Message } from './api.ts';
import type { Actor } from '../../src/types/actor.ts';
import type { Usage } from '../models/api.ts';

const PREVIEW_LENGTH = 200;
/** What a cut may leave of a character of two code units; JSON with it would not be read in Lua. */
const HALF_A_CHARACTER = /[\uD800-\uDBFF]$/;

/** A model's context in a thread of a user. */
export interface ContextPlace {
    tenantId: string;
    ownerId: string;
    threadId: string;
    modelId: string;
}

/** When a message was made, in milliseconds since the epoch: its id says so. */
export const madeAt = (messageId: string): number => decodeTime(messageId.slice('msg_'.length));

const timeOf = (messageId: string): string => isoTime(madeAt(messageId));

/** Where a caller's own context is. */
export const placeOf = ({ tenantId, userId }: Actor, threadId: string, modelId: string): ContextPlace => ({
    tenantId,
    ownerId: userId,
    threadId,
    modelId,
});

/** A user's message without its text. */
export const newMessage = ({ threadId, modelId }: ContextPlace, id: string): Message => ({
    id,
    threadId,
    modelId,
    role: 'user',
    content: '',
    tokens: 0,
    temperature: null,
    status: 'complete',
    createdAt: timeOf(id),
    replyTo: null,
    finishReason: null,
    usage: null,
    errorCode: null,
    answeredBy: null,
});

const NO_USAGE: Usage = {
    inputFresh: 0,
    cacheRead: 0,
    cacheWrite: 0,
    output: 0,
    reasoning: 0,
    isEstimated: false,
};

/** Where a message stands is known from its key; what it has not, and what nearly all have, is left out. */
export function encodeMessage({
    threadId: _thread,
    modelId: _model,
    createdAt: _time,
    status,
    usage,
    ...message
}: Message): string[] {
    const kept = {
        ...message,
        status: status === 'complete' ? null : status,
        usage: usage && Object.fromEntries(Object.entries(usage).filter(([, figure]) => Boolean(figure))),
    };
    return Object.entries(kept)
        .filter(([, value]) => value !== null)
        .flatMap(([field, value]) => [field, typeof value === 'object' ? JSON.stringify(value) : String(value)]);
}

export function decodeMessage(
    { threadId, modelId }: Pick<ContextPlace, 'threadId' | 'modelId'>,
    flat: string[],
): Message {
    const {
        id = '',
        role,
        content = '',
        tokens,
        temperature,
        status,
        replyTo,
        finishReason,
        usage,
        errorCode,
        answeredBy,
    } = flatHash(flat);
    return {
        id,
        threadId,
        modelId,
        role,
        content,
        tokens: Number(tokens),
        temperature: temperature === undefined ? null : Number(temperature),
        status: status ?? 'complete',
        createdAt: timeOf(id),
        replyTo: replyTo ?? null,
        finishReason: finishReason ?? null,
        usage: usage === undefined ? null : { ...NO_USAGE, ...(JSON.parse(usage) as Partial<Usage>) },
        errorCode: errorCode ?? null,
        answeredBy: answeredBy ?? null,
    } as Message;
}

/** What a thread shows of its newest message. */
export const preview = ({ content, role, modelId, createdAt }: Message): LastMessage => ({
    content: content.slice(0, PREVIEW_LENGTH).replace(HALF_A_CHARACTER, ''),
    role,
    model: modelId,
    timestamp: createdAt,
});

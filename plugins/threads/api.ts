import type { JobData } from '../../src/jobs/jobs.ts';
import type { AggregateKind } from '../../src/redis/aggregate.ts';
import type { RecordBase } from '../../src/redis/codec.ts';
import type { FinishReason, Usage } from '../models/api.ts';

/** What a thread knows of one of its models; times in milliseconds since the epoch. */
export interface ThreadModel {
    messageCount: number;
    lastMessageAt: number;
}

/** The beginning of the newest message. */
export interface LastMessage {
    content: string;
    role: MessageRole;
    model: string;
    timestamp: string;
}

/** A conversation of a user; each model in it has a context of its own. */
export interface Thread extends RecordBase {
    userId: string;
    title: string | null;
    messageCount: number;
    models: Record<string, ThreadModel>;
    lastMessage: LastMessage | null;
    /** Of the context of the model that was active last. */
    summary: string | null;
}

export type MessageRole = 'user' | 'assistant';

/** `cancelled` and `interrupted` (the server stopped in the middle): what was sent out until then is kept. */
export type MessageStatus = 'pending' | 'generating' | 'complete' | 'failed' | 'cancelled' | 'interrupted';

/** How an answer ends. */
export type EndStatus = Exclude<MessageStatus, 'pending' | 'generating'>;

export interface Message {
    id: string;
    threadId: string;
    modelId: string;
    role: MessageRole;
    content: string;
    tokens: number;
    temperature: number | null;
    status: MessageStatus;
    createdAt: string;
    /** Of an answer: the message it answers. */
    replyTo: string | null;
    finishReason: FinishReason | null;
    usage: Usage | null;
    /** Of an answer that failed: the catalogue code. */
    errorCode: string | null;
    /** Of an answer: the model that gave it in place of the one that was asked. */
    answeredBy: string | null;
}

/** An answer that has ended. */
export interface EndedMessage extends Message {
    status: EndStatus;
}

/** The port of the threads feature. */
export interface ThreadFeature {
    /** Summarises a conversation that is due, as a job says. @throws What another try may help against */
    summarizeInTurn(data: JobData): Promise<void>;
    /** Threads, as backups take them. */
    aggregates: AggregateKind[];
}

declare module '@hapi/hapi' {
    interface PluginProperties {
        threads: ThreadFeature;
    }
}

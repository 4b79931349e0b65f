import { placeOf } from './message-codec.ts';
import { publicThread } from './public-thread.ts';

import type { Message, Thread } from './api.ts';
import type { ThreadStore } from './store.ts';
import type { Actor } from '../../src/types/actor.ts';

export type ExportFormat = 'json' | 'markdown';

/** A model with its messages, some at a time. */
type Context = [modelId: string, pages: AsyncIterable<Message[]>];

/** Whole threads as text. */
export class ExportService {
    readonly #store: ThreadStore;

    constructor(store: ThreadStore) {
        this.#store = store;
    }

    /**
     * The thread with all its messages, model by model, in pieces that are made when they are asked for. They end with
     * THREAD_NOT_FOUND when the thread is deleted meanwhile.
     *
     * @throws THREAD_NOT_FOUND
     */
    async export(actor: Actor, threadId: string, format: ExportFormat): Promise<AsyncIterable<string>> {
        const place = { tenantId: actor.tenantId, ownerId: actor.userId };
        const thread = await this.#store.threads.get(place, threadId);
        const contexts = Object.keys(thread.models)
            .toSorted()
            .map((modelId): Context => {
                return [modelId, this.#store.pages(placeOf(actor, threadId, modelId))];
            });
        return format === 'json' ? asJson(thread, contexts) : asMarkdown(thread, contexts);
    }
}

async function* asJson(thread: Thread, contexts: Context[]): AsyncGenerator<string> {
    yield `{"thread":${JSON.stringify(publicThread(thread))},"messages":[`;
    let separator = '\n';
    for (const [, pages] of contexts) {
        for await (const messages of pages) {
            yield separator + messages.map((message) => JSON.stringify(message)).join(',\n');
            separator = ',\n';
        }
    }
    yield '\n]}\n';
}

async function* asMarkdown(thread: Thread, contexts: Context[]): AsyncGenerator<string> {
    yield `# ${oneLine(thread.title ?? 'A thread without a title')}\n`;
    for (const [modelId, pages] of contexts) {
        yield `\n## ${oneLine(modelId)}\n`;
        for await (const messages of pages) yield messages.map(messageAsMarkdown).join('');
    }
}

function messageAsMarkdown({ role, createdAt, status, answeredBy, content }: Message): string {
    const who = role === 'user' ? 'User' : 'Assistant';
    const notes = [createdAt, ...(answeredBy === null ? [] : [answeredBy]), ...(status === 'complete' ? [] : [status])];
    return `\n### ${who} (${notes.join(', ')})\n\n${content}\n`;
}

const oneLine = (text: string): string => text.replaceAll(/\s+/gu, ' ');

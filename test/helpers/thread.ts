import type { TestTenant } from './tenant.ts';

/** A new thread of the tenant's admin. */
export async function newThread(tenant: Pick<TestTenant, 'call'>, title = 'A thread'): Promise<string> {
    const answer = await tenant.call('POST', '/api/threads', { payload: { title } });
    if (answer.status !== 201) throw new Error(`No thread: ${answer.text}`);
    return String(answer.body.data.thread.id);
}

/** Where the messages of a model in a thread are. */
export const messagesPath = (threadId: string, model = 'sandbox'): string =>
    `/api/threads/${threadId}/models/${model}/messages`;

/** An event of a stream as the client parsed it. */
export interface ReceivedEvent {
    id: string;
    event: string;
    // oxlint-disable-next-line typescript/no-explicit-any -- a test says what it expects of an event
    data: any;
}

/** The events of a whole event stream. */
export function parseEvents(text: string): ReceivedEvent[] {
    return text
        .split('\n\n')
        .filter((block) => block.startsWith('id: '))
        .map((block) => {
            const [id = '', event = '', data = ''] = block.split('\n');
            return { id: id.slice(4), event: event.slice(7), data: JSON.parse(data.slice(6)) };
        });
}

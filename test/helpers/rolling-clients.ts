import OpenAI from 'openai';

import { messagesPath, parseEvents, type ReceivedEvent } from './thread.ts';

import type { ClientOptions } from 'openai';
import type { Client } from './program.ts';
import type { Walker } from './rolling-load.ts';

/** Someone who uses the program. */
export interface Member extends Client {
    url: string;
}

const post = (payload: object, token: string, more: Record<string, string> = {}) => ({
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...more },
    body: JSON.stringify(payload),
});

/** The body of an answer that must be good. */
async function good(answer: Response | Awaited<ReturnType<Walker['fetch']>>): Promise<string> {
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${answer.status} ${text}`);
    return text;
}

function same(what: string, said: unknown, expected: unknown): void {
    if (said !== expected) throw new Error(`${what}: ${JSON.stringify(said)} in place of ${JSON.stringify(expected)}`);
}

/** Counting, as the sandbox does it. */
export const counted = (to: number): string => Array.from({ length: to }, (_, at) => String(at + 1)).join(' ');

/** Reads something else each time. */
export const read =
    ({ url, token, thread }: Member) =>
    async ({ fetch }: Walker, time: number): Promise<void> => {
        const paths = [`/api/threads`, `/api/threads/${thread}`, messagesPath(thread), '/api/auth/me', '/v1/models'];
        const path = paths[time % paths.length];
        await good(await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } }));
    };

/** Creates a thread, and notes it. */
export const create =
    ({ url, token }: Member, created: string[]) =>
    async ({ fetch }: Walker, time: number): Promise<void> => {
        const request = post({ title: `Thread ${time}` }, token, { 'idempotency-key': `thread-${time}` });
        created.push(JSON.parse(await good(await fetch(`${url}/api/threads`, request))).data.thread.id);
    };

/** Asks a model and waits for the whole answer. */
export const ask =
    ({ url, token, thread }: Member, model: string, expected: string) =>
    async ({ fetch }: Walker, time: number): Promise<void> => {
        const path = messagesPath(thread, model);
        const request = post({ content: 'Hello' }, token, { 'idempotency-key': `message-${time}` });
        const { data } = JSON.parse(await good(await fetch(url + path, request)));
        same('The answer', data.assistantMessage.content, expected);
        same('Its status', data.assistantMessage.status, 'complete');
    };

/** Follows the answer of a model as it comes. */
export const stream =
    ({ url, token, thread }: Member, to: number) =>
    async ({ fetch }: Walker): Promise<void> => {
        const request = post({ content: `count to ${to}`, stream: true }, token);
        const events = parseEvents(await good(await fetch(url + messagesPath(thread), request)));
        same('The tokens', textOf(events), counted(to));
        same('The ids', events.map(({ id }) => id).join(), events.map((_, at) => at).join());
        same(
            'The end',
            events
                .map(({ event }) => event)
                .slice(-2)
                .join(),
            'message_complete,close',
        );
    };

export const textOf = (events: ReceivedEvent[]): string => events.map(({ data }) => data.token ?? '').join('');

const openAi = ({ url, token }: Member, { fetch }: Walker): OpenAI =>
    new OpenAI({
        baseURL: `${url}/v1`,
        apiKey: token,
        maxRetries: 0,
        fetch: fetch as unknown as NonNullable<ClientOptions['fetch']>,
    });

/** Asks a model by OpenAI's client. */
export const complete =
    (member: Member, model: string, expected: string) =>
    async (walker: Walker): Promise<void> => {
        const messages = [{ role: 'user' as const, content: 'Hello' }];
        const { choices } = await openAi(member, walker).chat.completions.create({ model, messages });
        same('The completion', choices[0]?.message.content, expected);
    };

/** The same, as a stream. */
export const completeStreamed =
    (member: Member, model: string, expected: string) =>
    async (walker: Walker): Promise<void> => {
        const messages = [{ role: 'user' as const, content: 'Hello' }];
        const chunks = await openAi(member, walker).chat.completions.create({ model, messages, stream: true });
        let text = '';
        let reason: string | null = null;
        for await (const { choices } of chunks) {
            text += choices[0]?.delta.content ?? '';
            reason = choices[0]?.finish_reason ?? reason;
        }
        same('The streamed completion', text, expected);
        same('Its end', reason, 'stop');
    };

/** Sends a request through a tunnel. */
export const relay =
    ({ url, token }: Member, tunnelId: string, path: string, expected: string) =>
    async ({ fetch }: Walker): Promise<void> => {
        const answer = await fetch(`${url}/api/tunnels/${tunnelId}/http${path}`, {
            headers: { authorization: `Bearer ${token}` },
        });
        same('What the service said', await good(answer), expected);
    };

/** Follows a tenant's events as browsers do: comes again with the last id that it has, and gives up if refused. */
export const follow =
    ({ url, token }: Member, types: string, received: ReceivedEvent[]) =>
    async ({ fetch, isOver }: Walker): Promise<void> => {
        const last = received.at(-1)?.id;
        const gone = new AbortController();
        const answer = await fetch(`${url}/api/events/stream?types=${types}`, {
            headers: { authorization: `Bearer ${token}`, ...(last !== undefined && { 'last-event-id': last }) },
            signal: gone.signal,
        });
        if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`);
        const leave = setInterval(() => isOver() && gone.abort(), 50);
        let text = '';
        try {
            for await (const chunk of answer.body ?? []) {
                text += Buffer.from(chunk as Uint8Array).toString();
                const end = text.lastIndexOf('\n\n') + 2;
                received.push(...parseEvents(text.slice(0, end)));
                text = text.slice(end);
            }
        } catch (error) {
            if (!gone.signal.aborted) throw error;
        } finally {
            clearInterval(leave);
        }
    };

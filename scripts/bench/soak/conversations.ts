import { SAY, WORDS } from './model.ts';
import { MODELS } from '../scene.ts';

import type { OpenStream } from './client.ts';
import type { Place, Session } from './place.ts';

interface Message {
    id: string;
    content: string;
    status: string;
}

const WHOLE = Array.from({ length: WORDS }, (_, n) => `w${n} `).join('');

const mustBe = <Value>(is: Value, wanted: Value, what: string): void => {
    if (is !== wanted) throw new Error(`${what} is ${JSON.stringify(is)}, not ${JSON.stringify(wanted)}`);
};

const pathOf = (threadId: string, modelId: string): string => `/api/threads/${threadId}/models/${modelId}/messages`;

/** The text of the tokens in the events of a thread's answer. */
const textOf = (events: string): string =>
    [...events.matchAll(/^event: token\ndata: (.+)$/gm)]
        .map(([, data = '']) => (JSON.parse(data) as { token: string }).token)
        .join('');

/** The id of the answer that a stream is of. */
const messageIn = ({ text }: OpenStream): string => /"messageId":"(msg_\w+)"/.exec(text())?.[1] ?? '';

async function newThread({ client }: Place, { token }: Session): Promise<string> {
    const { thread } = await client.call<{ thread: { id: string } }>('POST', '/api/threads', {
        token,
        payload: { title: 'Some otters by the lake' },
    });
    return thread.id;
}

async function send(place: Place, { token }: Session, path: string, content: string, more = {}): Promise<OpenStream> {
    return place.client.open('POST', path, { token, payload: { content, stream: true, ...more } });
}

/** A thread with messages of all kinds, until it is deleted. */
export async function talk(place: Place, session: Session): Promise<void> {
    const { client } = place;
    const { token } = session;
    const threadId = await newThread(place, session);
    const path = pathOf(threadId, MODELS.free);
    const said = await client.call<{ assistantMessage: Message }>('POST', path, {
        token,
        payload: { content: SAY.quick },
        headers: { 'idempotency-key': threadId },
    });
    mustBe(said.assistantMessage.content, WHOLE, 'the answer');
    const streamed = await send(place, session, path, SAY.quick);
    mustBe(textOf(await streamed.rest()), WHOLE, 'the streamed answer');
    await resume(place, session, threadId);
    await browse(place, session, threadId);
    await client.call('DELETE', `/api/threads/${threadId}`, { token });
    await client.call('GET', `/api/threads/${threadId}`, { token, expects: 404 });
}

/** A client goes away in the middle of an answer that is paid, and comes back for the rest. */
async function resume(place: Place, session: Session, threadId: string): Promise<void> {
    const { client } = place;
    const { token } = session;
    const path = pathOf(threadId, MODELS.paid);
    const first = await send(place, session, path, SAY.slow);
    await first.until('w3 ');
    const lastId = first.lastId();
    first.leave();
    const id = messageIn(first);
    const headers = { 'last-event-id': lastId };
    const again = await client.open('GET', `${path}/${id}/stream`, { token, headers });
    await again.rest();
    const { message } = await client.call<{ message: Message }>('GET', `${path}/${id}`, { token });
    mustBe([message.status, message.content].join(), ['complete', WHOLE].join(), 'the resumed answer');
}

/** Everything else that is done with a thread. */
async function browse(place: Place, session: Session, threadId: string): Promise<void> {
    const { client } = place;
    const { token } = session;
    await client.call('PATCH', `/api/threads/${threadId}/title`, { token, payload: { title: 'Other otters' } });
    const found = await client.call<{ threads: { id: string }[] }>('GET', '/api/threads?q=otters', { token });
    mustBe(
        found.threads.some(({ id }) => id === threadId),
        true,
        'whether the thread is found',
    );
    await client.call('GET', `${pathOf(threadId, MODELS.free)}?limit=2`, { token });
    await client.text('GET', `/api/threads/${threadId}/export?format=markdown`, { token });
    const { thread } = await client.call<{ thread: { id: string } }>('POST', `/api/threads/${threadId}/fork`, {
        token,
        payload: {},
    });
    await client.call('DELETE', `/api/threads/${thread.id}`, { token });
}

/** Answers that never end by themselves, and some that go wrong: they are left, cancelled, given anew, or lost. */
export async function interrupt(place: Place, session: Session): Promise<void> {
    const { client } = place;
    const { token } = session;
    const threadId = await newThread(place, session);
    const path = pathOf(threadId, MODELS.paid);
    const held = await send(place, session, path, SAY.hold);
    await held.until('w0 ');
    const id = messageIn(held);
    held.leave();
    const { message } = await client.call<{ message: Message }>('POST', `${path}/${id}/cancel`, { token, payload: {} });
    mustBe(message.status, 'cancelled', 'the state of the cancelled answer');
    const watched = await send(place, session, path, SAY.hold, { onDisconnect: 'cancel' });
    await watched.until('w0 ');
    watched.leave();
    const broken = await send(place, session, path, SAY.break);
    await broken.until('event: error');
    await broken.rest();
    await client.call('POST', path, { token, payload: { content: SAY.refuse }, expects: 422 });
    // The thread goes with what may still be on its way.
    const last = await send(place, session, pathOf(threadId, MODELS.free), SAY.slow);
    await last.until('w0 ');
    await client.call('DELETE', `/api/threads/${threadId}`, { token });
    await last.rest();
}

/** Calls in OpenAI's form, with an API key that is made for them. */
export async function complete(place: Place, { token }: Session): Promise<void> {
    const { client } = place;
    const scopes = ['model:read', 'model:call'];
    const made = await client.call<{ key: { id: string }; secret: string }>('POST', '/api/keys', {
        token,
        payload: { name: 'Soak', scopes },
    });
    const { id } = made.key;
    await client.call('GET', '/v1/models', { token: made.secret });
    await completeBy(place, made.secret, MODELS.free);
    const rotated = await client.call<{ secret: string }>('POST', `/api/keys/${id}/rotate`, { token, payload: {} });
    await client.call('GET', '/v1/models', { token: made.secret, expects: 401 });
    await completeBy(place, rotated.secret, MODELS.paid);
    await client.call('DELETE', `/api/keys/${id}`, { token });
    await client.call('GET', '/v1/models', { token: rotated.secret, expects: 401 });
}

async function completeBy({ client }: Place, token: string, model: string): Promise<void> {
    const ask = (content: string, stream: boolean) => ({
        token,
        payload: { model, stream, messages: [{ role: 'user', content }] },
    });
    const whole = await client.text('POST', '/v1/chat/completions', ask(SAY.quick, false));
    if (!whole.includes(JSON.stringify(WHOLE).slice(1, -1))) throw new Error(`Not a completion: ${whole}`);
    const stream = await client.open('POST', '/v1/chat/completions', ask(SAY.quick, true));
    if (!(await stream.rest()).endsWith('data: [DONE]\n\n')) throw new Error('A stream has no end');
    const left = await client.open('POST', '/v1/chat/completions', ask(SAY.slow, true));
    await left.until('w2 ');
    left.leave();
}

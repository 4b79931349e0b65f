import { parseEvents, type ReceivedEvent } from './thread.ts';

/** An event stream that is read piece by piece over a real socket. */
export interface OpenStream {
    status: number;
    headers: Headers;
    /** Reads until an event fulfils the wish; gives all events so far. */
    until: (wish: (event: ReceivedEvent) => boolean) => Promise<ReceivedEvent[]>;
    /** What was read so far. */
    received: () => ReceivedEvent[];
    /** Reads to the end. */
    rest: () => Promise<ReceivedEvent[]>;
    /** Goes away in the middle. */
    leave: () => void;
}

export interface StreamRequest {
    url: string;
    token: string;
    payload: object;
    headers?: Record<string, string>;
}

/** Posts a message and opens the stream of its answer. */
export const openStream = ({ url, token, payload, headers }: StreamRequest): Promise<OpenStream> =>
    readStream(url, token, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ stream: true, ...payload }),
    });

/** Opens the stream of an answer once more, after an event where one is given. */
export const resumeStream = (url: string, token: string, lastEventId?: string): Promise<OpenStream> =>
    readStream(url, token, { headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId } });

async function readStream(
    url: string,
    token: string,
    request: { method?: string; headers: Record<string, string>; body?: string },
): Promise<OpenStream> {
    const controller = new AbortController();
    const response = await fetch(url, {
        ...request,
        headers: { ...request.headers, authorization: `Bearer ${token}` },
        signal: controller.signal,
    });
    const chunks = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    const more = async (): Promise<boolean> => {
        const { done, value } = (await chunks?.read()) ?? { done: true, value: undefined };
        text += value ?? '';
        return !done;
    };
    const whole = () => parseEvents(text.slice(0, text.lastIndexOf('\n\n') + 2));
    return {
        status: response.status,
        headers: response.headers,
        until: async (wish) => {
            while (!whole().some(wish)) if (!(await more())) throw new Error(`The stream ended: ${text}`);
            return whole();
        },
        received: whole,
        rest: async () => {
            while (await more());
            return whole();
        },
        leave: () => controller.abort(),
    };
}

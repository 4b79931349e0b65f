import { randomInt } from 'node:crypto';

import { Agent, type Dispatcher } from 'undici';

/** What is asked for beside the path, and the statuses that are right: those below 300 unless given. */
export interface Ask {
    token?: string;
    payload?: object;
    headers?: Record<string, string>;
    expects?: number;
}

/** An event stream on its way. */
export interface OpenStream {
    /** Reads until that text has come. @throws {Error} When it ends before */
    until: (text: string) => Promise<void>;
    /** Reads to the end; gives all there was. */
    rest: () => Promise<string>;
    /** What has come so far. */
    text: () => string;
    /** The id of the last whole event so far. */
    lastId: () => string;
    /** Goes away in the middle. */
    leave: () => void;
}

/** Requests to the API, of which each answer is looked at. */
export interface SoakClient {
    url: string;
    /**
     * Gives the data of an answer, or all of it where it has no envelope. @throws {Error} When it is not the one that
     * is right
     */
    call: <Data = unknown>(method: Dispatcher.HttpMethod, path: string, ask?: Ask) => Promise<Data>;
    text: (method: Dispatcher.HttpMethod, path: string, ask?: Ask) => Promise<string>;
    open: (method: Dispatcher.HttpMethod, path: string, ask?: Ask) => Promise<OpenStream>;
    /** How many were answered so far. */
    answered: () => number;
    close: () => Promise<void>;
}

/** A stream of which nothing comes for so long has lost something. */
const PATIENCE_MS = 30_000;

/** Each request comes from another address: limits of addresses are for those who guess. */
const anyAddress = (): string => `10.${randomInt(256)}.${randomInt(256)}.${randomInt(1, 255)}`;

export function clientOf(url: string): SoakClient {
    const dispatcher = new Agent({ bodyTimeout: PATIENCE_MS, headersTimeout: PATIENCE_MS });
    let answered = 0;
    const send = async (method: Dispatcher.HttpMethod, path: string, { token, payload, headers, expects }: Ask) => {
        const answer = await dispatcher.request({
            origin: url,
            path,
            method,
            headers: {
                ...(payload !== undefined && { 'content-type': 'application/json' }),
                ...(token !== undefined && { authorization: `Bearer ${token}` }),
                'x-forwarded-for': anyAddress(),
                ...headers,
            },
            ...(payload !== undefined && { body: JSON.stringify(payload) }),
        });
        answered++;
        const { statusCode, body } = answer;
        if (expects === undefined ? statusCode < 300 : statusCode === expects) return body;
        throw new Error(`${method} ${path} was answered ${statusCode} ${await body.text()}`);
    };
    const text: SoakClient['text'] = async (method, path, ask = {}) => (await send(method, path, ask)).text();
    return {
        url,
        text,
        call: async <Data>(method: Dispatcher.HttpMethod, path: string, ask: Ask = {}) => {
            const answer = JSON.parse(await text(method, path, ask)) as { data?: Data };
            return answer.data ?? (answer as Data);
        },
        open: async (method, path, ask = {}) => streamOf(await send(method, path, ask), `${method} ${path}`),
        answered: () => answered,
        close: () => dispatcher.destroy(),
    };
}

function streamOf(body: Dispatcher.ResponseData['body'], name: string): OpenStream {
    // Who goes away does not want to hear of it.
    body.on('error', () => undefined);
    const chunks = body.setEncoding('utf8')[Symbol.asyncIterator]() as AsyncIterator<string>;
    let text = '';
    const more = async (): Promise<boolean> => {
        const { done, value } = await chunks.next();
        if (done !== true) text += value;
        return done !== true;
    };
    return {
        async until(wanted) {
            while (!text.includes(wanted))
                if (!(await more())) throw new Error(`${name} ended without ${wanted}: ${text}`);
        },
        async rest() {
            while (await more());
            return text;
        },
        text: () => text,
        lastId: () => [...text.slice(0, text.lastIndexOf('\n\n')).matchAll(/^id: (.+)$/gm)].at(-1)?.[1] ?? '',
        leave: () => void body.destroy(),
    };
}

import type { Dispatcher } from 'undici';

/** A request to a provider. */
export interface TransportRequest {
    method: 'GET' | 'POST';
    /** After the provider's base URL, with its query. */
    path: string;
    headers?: Record<string, string>;
    body?: string;
    signal: AbortSignal;
}

export interface TransportAnswer {
    status: number;
    headers: Record<string, string | string[] | undefined>;
    /** As it comes in; it has to be read or returned. */
    body: AsyncIterable<Uint8Array>;
}

/** How requests get to a provider. */
export type Transport = (request: TransportRequest) => Promise<TransportAnswer>;

export const withoutSlash = (baseUrl: string): string => baseUrl.replace(/\/$/, '');

/** To a provider at an address; ending the iteration of a body early closes the connection. */
export function overHttp(dispatcher: Dispatcher, baseUrl: string): Transport {
    const base = withoutSlash(baseUrl);
    return async ({ path, ...request }) => {
        const { origin, pathname, search } = new URL(base + path);
        const answer = await dispatcher.request({ ...request, origin, path: pathname + search });
        const { statusCode: status, headers, body } = answer;
        // The client may go away while nobody reads: the failure is then known from the signal already.
        body.on('error', () => undefined);
        return { status, headers, body };
    };
}

/** The text of a body, up to about that many characters: what it has beyond them is not read. */
export async function readText(body: AsyncIterable<Uint8Array>, most: number): Promise<string> {
    const decoder = new TextDecoder();
    let text = '';
    for await (const chunk of body) {
        text += decoder.decode(chunk, { stream: true });
        if (text.length > most) break;
    }
    return text;
}

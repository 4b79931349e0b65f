import { Client, type Dispatcher } from 'undici';

export interface LoadRequest {
    method: 'GET' | 'POST';
    path: string;
    headers: Record<string, string>;
    body?: string;
}

/** How hard it is, and what each answer must have in it besides a status below 300. */
export interface LoadOptions {
    connections: number;
    milliseconds: number;
    expects?: string;
}

/** Requests that were answered, in all and in a second, and the first answer that was not what it should be. */
export interface LoadResult {
    answered: number;
    perSecond: number;
    wrong: string | null;
}

/**
 * Keeps `connections` requests in flight for `milliseconds`; every answer is read whole and looked at. By the barest
 * that undici has, as it takes a processor from Redis.
 */
export async function load(
    url: string,
    next: () => LoadRequest,
    { connections, milliseconds, expects = '' }: LoadOptions,
): Promise<LoadResult> {
    const began = performance.now();
    let answered = 0;
    let wrong: string | null = null;
    const connection = async (): Promise<void> => {
        const client = new Client(url, { bodyTimeout: 0 });
        while (wrong === null && performance.now() - began < milliseconds) {
            const { status, body } = await ask(client, next());
            answered++;
            if (status >= 300 || !body.includes(expects)) wrong ??= `${status} ${body.toString()}`;
        }
        await client.close();
    };
    await Promise.all(Array.from({ length: connections }, connection));
    return { answered, perSecond: (answered / (performance.now() - began)) * 1000, wrong };
}

function ask(client: Client, request: LoadRequest): Promise<{ status: number; body: Buffer }> {
    return new Promise((resolve, reject) => {
        let status = 0;
        const pieces: Buffer[] = [];
        const handler: Dispatcher.DispatchHandler = {
            // It tells undici which form the handler has.
            onRequestStart: () => undefined,
            onResponseStart: (_controller, statusCode) => {
                status = statusCode;
            },
            onResponseData: (_controller, piece) => {
                pieces.push(piece);
            },
            onResponseEnd: () =>
                resolve({ status, body: pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces) }),
            onResponseError: (_controller, error) => reject(error),
        };
        client.dispatch(request, handler);
    });
}

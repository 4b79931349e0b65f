import { Pool } from 'undici';

export interface LoadRequest {
    method: 'GET' | 'POST';
    path: string;
    headers: Record<string, string>;
    body?: string;
}

/** Requests that were answered, in all and in a second, and the first answer that was not what it should be. */
export interface LoadResult {
    answered: number;
    perSecond: number;
    wrong: string | null;
}

/** Keeps `connections` requests in flight for `milliseconds`; every answer is read whole and its status checked. */
export async function load(
    url: string,
    next: () => LoadRequest,
    { connections, milliseconds }: { connections: number; milliseconds: number },
): Promise<LoadResult> {
    const pool = new Pool(url, { connections });
    const began = performance.now();
    let answered = 0;
    let wrong: string | null = null;
    const client = async (): Promise<void> => {
        while (performance.now() - began < milliseconds) {
            const { statusCode, body } = await pool.request(next());
            const text = await body.text();
            answered++;
            if (statusCode >= 300) wrong ??= `${statusCode} ${text}`;
        }
    };
    await Promise.all(Array.from({ length: connections }, client));
    await pool.close();
    return { answered, perSecond: (answered / (performance.now() - began)) * 1000, wrong };
}

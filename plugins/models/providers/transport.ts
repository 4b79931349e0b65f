/** A request to a provider. */
export interface TransportRequest {
    method: 'GET' | 'POST';
    /** After the provider's base URL, with its query. */
    path: string;
    headers?: Record<string, string>;
    body?: string;
    signal: AbortSignal;
    /** What comes of the answer may be kept for a moment, to be given together with what comes next. */
    isUnhurried?: boolean | undefined;
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

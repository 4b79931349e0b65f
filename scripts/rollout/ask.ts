import { CheckError, messageOf } from './errors.ts';

export interface Asked {
    status: number;
    text: string;
    /** Of the envelope, where the answer is JSON. */
    // oxlint-disable-next-line typescript/no-explicit-any -- who asks looks at what came
    body: any;
}

const ANSWERED_WITHIN_MS = 15_000;

/** @throws CheckError when nothing answers */
export async function ask(url: string, options: { token?: string | undefined; payload?: object } = {}): Promise<Asked> {
    const { token, payload } = options;
    const { pathname } = new URL(url);
    try {
        const response = await fetch(url, {
            method: payload ? 'POST' : 'GET',
            headers: {
                // The cluster's gateway would say so; it is believed where this way is a trusted one.
                'x-forwarded-proto': 'https',
                ...(token !== undefined && { authorization: `Bearer ${token}` }),
                ...(payload && { 'content-type': 'application/json' }),
            },
            ...(payload && { body: JSON.stringify(payload) }),
            signal: AbortSignal.timeout(ANSWERED_WITHIN_MS),
        });
        const text = await response.text();
        const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
        return { status: response.status, text, body: isJson ? JSON.parse(text) : null };
    } catch (error) {
        throw new CheckError(`${pathname} was not answered: ${messageOf(error)}`);
    }
}

/** @throws CheckError when the answer is not 200 */
export async function get(url: string, token?: string): Promise<Asked> {
    return expectOk(await ask(url, { token }), new URL(url).pathname);
}

/** @throws CheckError when the answer is not 200 */
export function expectOk(asked: Asked, what: string): Asked {
    if (asked.status === 200) return asked;
    const code = asked.body?.error?.code ?? '';
    throw new CheckError(`${what} was answered with ${asked.status} ${code}`.trim());
}

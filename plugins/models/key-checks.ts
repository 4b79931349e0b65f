import type { Dispatcher } from 'undici';
import type { KeyName, KeyVerdict } from './api.ts';
import type { Config } from '../../src/config.ts';

const TIMEOUT_MS = 5_000;
const MAX_BODY = 16_384;

/** Asks a provider whether it knows a key. */
export type KeyCheck = (apiKey: string) => Promise<KeyVerdict>;

interface Question {
    url: string;
    headers: (apiKey: string) => Record<string, string>;
    /** What statuses say that are neither a success nor a 401. */
    verdict: (status: number, body: string) => KeyVerdict;
}

type BaseUrls = Pick<Config, 'ANTHROPIC_BASE_URL' | 'OPENAI_BASE_URL' | 'GOOGLE_BASE_URL'>;

const trimmed = (baseUrl: string): string => baseUrl.replace(/\/$/, '');

/** The list of models is what every provider shows to whoever has a key, at no cost. */
const questions = ({ ANTHROPIC_BASE_URL, OPENAI_BASE_URL, GOOGLE_BASE_URL }: BaseUrls): Record<KeyName, Question> => ({
    claude: {
        url: `${trimmed(ANTHROPIC_BASE_URL)}/v1/models?limit=1`,
        headers: (apiKey) => ({ 'x-api-key': apiKey, 'anthropic-version': '2023-06-01' }),
        verdict: () => 'unknown',
    },
    openai: {
        url: `${trimmed(OPENAI_BASE_URL)}/models`,
        headers: (apiKey) => ({ authorization: `Bearer ${apiKey}` }),
        // A key may be restricted to other things than this list.
        verdict: (status) => (status === 403 ? true : 'unknown'),
    },
    google: {
        url: `${trimmed(GOOGLE_BASE_URL)}/v1beta/models?pageSize=1`,
        headers: (apiKey) => ({ 'x-goog-api-key': apiKey }),
        // A bad key is a 400 with that reason, not a 401.
        verdict: (status, body) => (status === 400 && body.includes('API_KEY_INVALID') ? false : 'unknown'),
    },
});

/** A check for each provider; a provider that cannot be asked, or has trouble of its own, says nothing of the key. */
export function createKeyChecks(dispatcher: Dispatcher, baseUrls: BaseUrls): Record<KeyName, KeyCheck> {
    const checkWith =
        ({ url, headers, verdict }: Question): KeyCheck =>
        async (apiKey) => {
            try {
                const { status, body } = await get(dispatcher, url, headers(apiKey));
                if (status === 200 || status === 401) return status === 200;
                return verdict(status, body);
            } catch {
                // Not reachable, not in time, not readable: nobody knows, and the error may repeat the key.
                return 'unknown';
            }
        };
    const { claude, openai, google } = questions(baseUrls);
    return { claude: checkWith(claude), openai: checkWith(openai), google: checkWith(google) };
}

async function get(dispatcher: Dispatcher, address: string, headers: Record<string, string>) {
    const { origin, pathname, search } = new URL(address);
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const { statusCode, body } = await dispatcher.request({
        origin,
        path: pathname + search,
        method: 'GET',
        headers,
        signal,
    });
    let text = '';
    for await (const chunk of body as AsyncIterable<Buffer>) {
        text += chunk.toString('latin1');
        if (text.length > MAX_BODY) break;
    }
    return { status: statusCode, body: text };
}

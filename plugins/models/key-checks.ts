import { anthropicModels } from './providers/anthropic.ts';
import { googleModels } from './providers/google.ts';
import { openAiModels } from './providers/openai-chat.ts';
import { withoutSlash } from './providers/transport.ts';

import type { Dispatcher } from 'undici';
import type { KeyName, KeyVerdict } from './api.ts';
import type { ModelList } from './providers/wire-provider.ts';
import type { Config } from '../../src/config.ts';

const TIMEOUT_MS = 5_000;
const MAX_BODY = 16_384;

/** Asks a provider whether it knows a key. */
export type KeyCheck = (apiKey: string) => Promise<KeyVerdict>;

interface Question {
    baseUrl: string;
    list: ModelList;
    /** What statuses say that are neither a success nor a 401. */
    verdict: (status: number, body: string) => KeyVerdict;
}

type BaseUrls = Pick<Config, 'ANTHROPIC_BASE_URL' | 'OPENAI_BASE_URL' | 'GOOGLE_BASE_URL'>;

const questions = ({ ANTHROPIC_BASE_URL, OPENAI_BASE_URL, GOOGLE_BASE_URL }: BaseUrls): Record<KeyName, Question> => ({
    claude: { baseUrl: ANTHROPIC_BASE_URL, list: anthropicModels, verdict: () => 'unknown' },
    openai: {
        baseUrl: OPENAI_BASE_URL,
        list: openAiModels,
        // A key may be restricted to other things than this list.
        verdict: (status) => (status === 403 ? true : 'unknown'),
    },
    google: {
        baseUrl: GOOGLE_BASE_URL,
        list: googleModels,
        // A bad key is a 400 with that reason, not a 401.
        verdict: (status, body) => (status === 400 && body.includes('API_KEY_INVALID') ? false : 'unknown'),
    },
});

/** A check for each provider; a provider that cannot be asked, or has trouble of its own, says nothing of the key. */
export function createKeyChecks(dispatcher: Dispatcher, baseUrls: BaseUrls): Record<KeyName, KeyCheck> {
    const checkWith =
        ({ baseUrl, list, verdict }: Question): KeyCheck =>
        async (apiKey) => {
            try {
                const { status, body } = await get(
                    dispatcher,
                    `${withoutSlash(baseUrl)}${list.path}`,
                    list.headers(apiKey),
                );
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

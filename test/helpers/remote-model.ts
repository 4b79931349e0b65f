import { writeCatalogue } from './catalogue.ts';

import type { Provider } from './provider.ts';
import type { Config } from '../../src/config.ts';

/** A piece of an answer as OpenAI streams it. */
export const chunk = (content: string): string =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`;

export const END = `data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })}\n\ndata: [DONE]\n\n`;

/**
 * Settings with models of a stand-in: `remote` and `second` speak OpenAI's API, `local` Ollama's; and the sandbox. They
 * cost nothing.
 *
 * @param remote What is different of `remote`, and of `second`: their prices, say
 */
export const remoteModels = ({ url }: Provider, remote: object = {}, second: object = {}): Partial<Config> => ({
    CATALOGUE_FILE: writeCatalogue([
        { id: 'remote', provider: 'openai', ...remote },
        { id: 'second', provider: 'openai', ...second },
        { id: 'local', provider: 'ollama' },
        { id: 'sandbox' },
    ]),
    OPENAI_BASE_URL: `${url}/v1`,
    OLLAMA_URL: url,
    PROVIDER_KEYS_SHARED: { openai: 'a key of the test' },
});

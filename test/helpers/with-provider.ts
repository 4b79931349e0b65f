import { startApp, type TestApp } from './app.ts';
import { startProvider, type Provider } from './provider.ts';

import type { Config } from '../../src/config.ts';

/** The program with one stand-in for all its providers; the platform has a key for OpenAI. */
export async function startWithProvider(
    config: Partial<Config> = {},
): Promise<{ app: TestApp; provider: Provider; stop: () => Promise<void> }> {
    const provider = await startProvider();
    const app = await startApp({
        config: {
            OLLAMA_URL: provider.url,
            OPENAI_BASE_URL: `${provider.url}/v1`,
            ANTHROPIC_BASE_URL: `${provider.url}/of-anthropic`,
            GOOGLE_BASE_URL: `${provider.url}/of-google/`,
            PROVIDER_KEYS_SHARED: { openai: 'sk-of-the-test' },
            ...config,
        },
    });
    return {
        app,
        provider,
        stop: async () => {
            await app.stop();
            await provider.stop();
        },
    };
}

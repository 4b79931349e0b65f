import { startApp, type AppOptions, type TestApp } from './app.ts';
import { writeCatalogue } from './catalogue.ts';
import { startProvider, type Provider, type ProviderRequest } from './provider.ts';

export const END = `data: ${JSON.stringify({
    choices: [{ index: 0, delta: { content: 'Fine' }, finish_reason: 'stop' }],
})}\n\ndata: [DONE]\n\n`;

/** The key that a request to a provider brings. */
export const keyOf = ({ headers }: ProviderRequest): string =>
    String(headers['x-api-key'] ?? headers['x-goog-api-key'] ?? headers.authorization?.replace('Bearer ', ''));

/** The program with one stand-in for all providers: it takes every key that does not begin with `bad`. */
export async function startWithProvider({ config, ...options }: AppOptions = {}): Promise<{
    app: TestApp;
    provider: Provider;
}> {
    const provider = await startProvider();
    answerByKey(provider);
    const app = await startApp({
        ...options,
        config: {
            LOG_LEVEL: 'trace',
            ANTHROPIC_BASE_URL: provider.url,
            OPENAI_BASE_URL: `${provider.url}/v1`,
            GOOGLE_BASE_URL: provider.url,
            CATALOGUE_FILE: writeCatalogue([{ id: 'remote', provider: 'openai' }, { id: 'sandbox' }]),
            ...config,
        },
    });
    return { app, provider };
}

export function answerByKey(provider: Provider): void {
    provider.answer((request) => {
        if (request.method === 'POST') return { steps: [END] };
        if (!keyOf(request).startsWith('bad')) return { steps: ['{"data":[]}'] };
        // Google says so in its own way.
        const isGoogle = request.headers['x-goog-api-key'] !== undefined;
        const google = '{"error":{"code":400,"details":[{"reason":"API_KEY_INVALID"}]}}';
        return isGoogle ? { status: 400, steps: [google] } : { status: 401, steps: [keyOf(request)] };
    });
}

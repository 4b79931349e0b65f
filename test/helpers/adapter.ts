import { Agent } from 'undici';

import { anthropic } from '../../plugins/models/providers/anthropic.ts';
import { google } from '../../plugins/models/providers/google.ts';
import { ollama } from '../../plugins/models/providers/ollama.ts';
import { openAi } from '../../plugins/models/providers/openai.ts';
import { overHttp } from '../../plugins/models/providers/over-http.ts';
import { supervised } from '../../plugins/models/supervise.ts';

import type { ModelCall, ModelProvider, StreamPart } from '../../plugins/models/api.ts';
import type { Config } from '../../src/config.ts';

const dispatcher = new Agent();

const adapters: Record<string, (config: Config) => ModelProvider> = {
    anthropic: ({ ANTHROPIC_BASE_URL: baseUrl, PROVIDER_KEYS_SHARED: shared }) =>
        anthropic({ send: overHttp(dispatcher, baseUrl), apiKey: shared.anthropic }),
    google: ({ GOOGLE_BASE_URL: baseUrl, PROVIDER_KEYS_SHARED: shared }) =>
        google({ send: overHttp(dispatcher, baseUrl), apiKey: shared.google }),
    ollama: ({ OLLAMA_URL: baseUrl }) => ollama({ send: overHttp(dispatcher, baseUrl) }),
    openai: ({ OPENAI_BASE_URL: baseUrl, PROVIDER_KEYS_SHARED: shared }) =>
        openAi({ send: overHttp(dispatcher, baseUrl), apiKey: shared.openai }),
};

/** The adapter of a provider that the configuration tells of. */
export function adapterOf(config: Config, name: string): ModelProvider {
    const adapter = adapters[name]?.(config);
    if (!adapter) throw new Error(`There is no adapter for ${name}`);
    return adapter;
}

/** One try of a call, without retries and circuits: what an adapter makes of its wire. */
export const adapterStream = (config: Config, call: ModelCall): AsyncIterable<StreamPart[]> =>
    supervised(adapterOf(config, call.model.provider), call, new AbortController().signal, {
        first: 30_000,
        total: 300_000,
    });

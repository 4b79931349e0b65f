import { chat, openAiModels } from './openai-chat.ts';
import { responses } from './openai-responses.ts';
import { statusOver, streamOver, type ProviderOptions } from './wire-provider.ts';
import { usesResponses } from '../parameters.ts';

import type { ModelProvider } from '../api.ts';

/** OpenAI, and every server that speaks its Chat Completions; the base URL ends in `/v1`, as in OpenAI's own clients. */
export const openAi = (options: ProviderOptions): ModelProvider => ({
    stream: streamOver(options, (call) => (usesResponses(call) ? responses : chat)),
    status: statusOver(options, openAiModels),
});

import { chunk, END } from './remote-model.ts';

import type { Answer } from './app.ts';
import type { Provider, ProviderRequest } from './provider.ts';
import type { TestTenant } from './tenant.ts';

/** Where the summary of a model in a thread is. */
export const summaryPath = (threadId: string, model = 'sandbox'): string =>
    `/api/threads/${threadId}/models/${model}/summary`;

/** Where it is asked for. */
export const summarizePath = (threadId: string, model = 'sandbox'): string =>
    `/api/threads/${threadId}/models/${model}/summarize`;

/** Whether a provider is asked for a summary. */
export const asksForSummary = ({ body }: ProviderRequest): boolean =>
    String(body?.messages[0]?.content).startsWith('You summarise a conversation');

/** Answers questions with `Fine` and calls for a summary with `Summary 1`, `Summary 2` and so on. */
export function answerWithSummaries(provider: Provider): void {
    let summaries = 0;
    provider.answer((request) => ({
        steps: [chunk(asksForSummary(request) ? `Summary ${++summaries}` : 'Fine'), END],
    }));
}

/** What the provider was asked for summaries. */
export const summaryRequests = ({ requests }: Provider): ProviderRequest[] => requests.filter(asksForSummary);

/** Sends messages to a model, one after the other, and gives the last answer. */
export async function converse(tenant: Pick<TestTenant, 'call'>, url: string, contents: string[]): Promise<Answer> {
    const [content, ...later] = contents;
    const answer = await tenant.call('POST', url, { payload: { content } });
    if (answer.status !== 200) throw new Error(`No answer: ${answer.text}`);
    return later.length > 0 ? converse(tenant, url, later) : answer;
}

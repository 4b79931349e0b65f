import { readText, type Transport } from './transport.ts';
import { isCount, isText, listOf, parseObject } from './wire.ts';
import { apiError } from '../../../src/http/errors.ts';

const MAX_BODY = 1_048_576;
/** More than anybody chooses from. */
const MOST_MODELS = 100;
const LEAST_CONTEXT = 256;

/** What Ollama calls capabilities, and we do. */
const CAPABILITIES: Record<string, string> = { tools: 'tools', vision: 'vision', thinking: 'reasoning' };

interface Tags {
    models?: ({ name?: unknown; capabilities?: unknown[] | null } | null)[] | null;
}

interface Shown {
    capabilities?: unknown[] | null;
    model_info?: Record<string, unknown> | null;
    parameters?: unknown;
}

/** What an Ollama tells of a model; tokens are null where it tells none. */
export interface OfferedModel {
    capabilities: string[];
    /** What the model was trained for. */
    contextLength: number | null;
    /** `PARAMETER num_ctx` of its Modelfile. */
    chosenContext: number | null;
}

/** The models that an Ollama has, by name. @throws PROVIDER_ERROR, and whatever the transport does */
export async function listOffered(send: Transport, signal: AbortSignal) {
    const { models } = (await ask(send, { path: '/api/tags', method: 'GET', signal })) as Tags;
    return listOf(models)
        .slice(0, MOST_MODELS)
        .flatMap((model) =>
            isText(model?.name) ? [{ name: model.name, capabilities: capabilitiesOf(model.capabilities) }] : [],
        );
}

/** What an Ollama tells of a model. @throws PROVIDER_ERROR, and whatever the transport does */
export async function showOffered(send: Transport, name: string, signal: AbortSignal): Promise<OfferedModel> {
    const body = JSON.stringify({ model: name });
    const headers = { 'content-type': 'application/json' };
    const shown = (await ask(send, { path: '/api/show', method: 'POST', headers, body, signal })) as Shown;
    const [, length] = Object.entries(shown.model_info ?? {}).find(([key]) => key.endsWith('.context_length')) ?? [];
    const [, chosen] = /^num_ctx\s+(\d+)\s*$/m.exec(isText(shown.parameters) ? shown.parameters : '') ?? [];
    return {
        capabilities: capabilitiesOf(shown.capabilities),
        contextLength: contextOf(length),
        chosenContext: contextOf(Number(chosen)),
    };
}

async function ask(send: Transport, request: Parameters<Transport>[0]): Promise<object> {
    const { status, body } = await send({ ...request, headers: { 'accept-encoding': 'identity', ...request.headers } });
    const text = await readText(body, MAX_BODY);
    if (status !== 200) throw apiError('PROVIDER_ERROR', { details: { providerStatus: status } });
    return parseObject(text);
}

const contextOf = (told: unknown): number | null => (isCount(told) && told >= LEAST_CONTEXT ? told : null);

const capabilitiesOf = (told: unknown[] | null | undefined): string[] => [
    'text',
    ...listOf(told).flatMap((name) => (isText(name) ? (CAPABILITIES[name] ?? []) : [])),
];

import { inlineImage, toolsOf } from './providers/messages.ts';
import { apiError } from '../../src/http/errors.ts';

import type { CallParameters, Model, ModelCall, ParameterName, ProviderName } from './api.ts';

const COMMON = ['temperature', 'topP', 'maxTokens', 'stop', 'tools'] as const;

/** What each provider has a field for. */
const TAKES: Record<ProviderName, readonly ParameterName[]> = {
    anthropic: [...COMMON, 'toolChoice', 'parallelToolCalls'],
    openai: [
        ...COMMON,
        'toolChoice',
        'seed',
        'presencePenalty',
        'frequencyPenalty',
        'parallelToolCalls',
        'responseFormat',
        'reasoningEffort',
    ],
    google: [...COMMON, 'toolChoice', 'seed', 'presencePenalty', 'frequencyPenalty', 'responseFormat'],
    ollama: [...COMMON, 'seed', 'presencePenalty', 'frequencyPenalty', 'responseFormat'],
    sandbox: ['temperature', 'maxTokens'],
};

/** A model that draws its tokens in its own way refuses all of these. */
const SAMPLING: ParameterName[] = ['temperature', 'topP', 'presencePenalty', 'frequencyPenalty'];
/** OpenAI's Responses have no field for these. */
const CHAT_ONLY: ParameterName[] = ['stop', 'seed', 'presencePenalty', 'frequencyPenalty'];
const TOOLS: ParameterName[] = ['tools', 'toolChoice', 'parallelToolCalls'];

/**
 * What of a call its model takes, and the names of what it does not.
 *
 * @throws VALIDATION_ERROR For a temperature or an image that the model cannot take
 */
export function fitParameters({ model, messages, parameters }: ModelCall) {
    checkImages(model, messages);
    const given = Object.keys(parameters).filter((name) => parameters[name as ParameterName] !== undefined);
    const ignored = (given as ParameterName[]).filter(
        (name) => !takes(model, name) || clashes(model, parameters, name),
    );
    const fitting = Object.fromEntries(
        Object.entries(parameters).filter(([name]) => !ignored.includes(name as ParameterName)),
    ) as CallParameters;
    checkTemperature(model, fitting.temperature);
    if (fitting.maxTokens !== undefined && model.maxOutput !== null) {
        fitting.maxTokens = Math.min(fitting.maxTokens, model.maxOutput);
    }
    return { parameters: fitting, ignored };
}

/** Whether a call goes to OpenAI's Responses, the only place where some of its models take tools. */
export const usesResponses = ({ model, parameters }: Pick<ModelCall, 'model' | 'parameters'>): boolean =>
    model.parameters.toolsEndpoint === 'responses' && toolsOf(parameters) !== null;

function checkImages({ provider, capabilities }: Model, messages: ModelCall['messages']): void {
    const parts = messages.flatMap(({ content }) => (typeof content === 'string' ? [] : content));
    const urls = parts.flatMap((part) => (part.type === 'image' ? part.url : []));
    if (urls.length > 0 && !capabilities.includes('vision')) refuse('messages', 'this model takes no images');
    if (provider === 'ollama' && urls.some((url) => inlineImage(url) === null)) {
        refuse('messages', 'this model takes images as Base64 in data: URLs only');
    }
}

/** What a model takes, but not beside what else the call has. */
function clashes(model: Model, parameters: CallParameters, name: ParameterName): boolean {
    // Anthropic refuses a call that steers its sampling in both ways.
    if (model.provider === 'anthropic' && name === 'topP') return parameters.temperature !== undefined;
    return CHAT_ONLY.includes(name) && usesResponses({ model, parameters });
}

function takes({ provider, capabilities, parameters }: Model, name: ParameterName): boolean {
    if (!TAKES[provider].includes(name)) return false;
    if (name === 'topP' && parameters.topP === false) return false;
    if (SAMPLING.includes(name)) return parameters.temperature !== false;
    if (TOOLS.includes(name)) return capabilities.includes('tools');
    if (name === 'reasoningEffort') return capabilities.includes('reasoning');
    return true;
}

function checkTemperature({ parameters: { temperature: range } }: Model, temperature: number | undefined): void {
    if (temperature === undefined || range === false) return;
    if (temperature >= range.min && temperature <= range.max) return;
    refuse('temperature', `must be between ${range.min} and ${range.max} for this model`);
}

function refuse(field: string, reason: string): never {
    throw apiError('VALIDATION_ERROR', { details: { fields: { [field]: reason } } });
}

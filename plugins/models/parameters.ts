import { apiError } from '../../src/http/errors.ts';

import type { CallParameters, Model, ModelCall, ParameterName, ProviderName } from './api.ts';

const COMMON = ['temperature', 'topP', 'maxTokens', 'stop', 'tools', 'toolChoice'] as const;

/** What each provider has a field for. */
const TAKES: Record<ProviderName, readonly ParameterName[]> = {
    anthropic: [...COMMON, 'parallelToolCalls'],
    openai: [
        ...COMMON,
        'seed',
        'presencePenalty',
        'frequencyPenalty',
        'parallelToolCalls',
        'responseFormat',
        'reasoningEffort',
    ],
    google: [...COMMON, 'seed', 'presencePenalty', 'frequencyPenalty', 'responseFormat'],
    ollama: [...COMMON, 'seed', 'presencePenalty', 'frequencyPenalty', 'responseFormat'],
    sandbox: ['temperature', 'maxTokens'],
};

/** A model that draws its tokens in its own way refuses all of these. */
const SAMPLING: ParameterName[] = ['temperature', 'topP', 'presencePenalty', 'frequencyPenalty'];
const TOOLS: ParameterName[] = ['tools', 'toolChoice', 'parallelToolCalls'];

/**
 * What of a call its model takes, and the names of what it does not.
 *
 * @throws VALIDATION_ERROR For a temperature or an image that the model cannot take
 */
export function fitParameters({ model, messages, parameters }: ModelCall) {
    const hasImage = messages.some(({ content }) => typeof content !== 'string' && content.some(isImage));
    if (hasImage && !model.capabilities.includes('vision')) refuse('messages', 'this model takes no images');
    const given = Object.keys(parameters).filter((name) => parameters[name as ParameterName] !== undefined);
    const ignored = (given as ParameterName[]).filter((name) => !takes(model, name));
    const fitting = Object.fromEntries(
        Object.entries(parameters).filter(([name]) => !ignored.includes(name as ParameterName)),
    ) as CallParameters;
    checkTemperature(model, fitting.temperature);
    if (fitting.maxTokens !== undefined && model.maxOutput !== null) {
        fitting.maxTokens = Math.min(fitting.maxTokens, model.maxOutput);
    }
    return { parameters: fitting, ignored };
}

const isImage = ({ type }: { type: string }): boolean => type === 'image';

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

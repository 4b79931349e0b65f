import { pricesAt } from './prices.ts';

import type { KeyName, Model, ProviderName } from './api.ts';
import type { ErrorCode } from '../../src/http/errors.ts';

/** A model as the API shows it. */
export interface PublicModel {
    id: string;
    name: string;
    provider: ProviderName;
    aliases: string[];
    /** Whose API key a call needs. */
    apiKeyRequired: string | null;
    requiresLoading: boolean;
    capabilities: string[];
    contextLength: number;
    maxOutput: number | null;
    /** Micro-dollars per million tokens today. */
    pricing: { input: number | null; output: number | null; unit: 'microsPerMillionTokens' } | null;
    temperatureRange: { min: number; max: number; step: number; default: number } | null;
    usable: boolean;
    /** The catalogue code of what a call would be refused with. */
    reason: Extract<ErrorCode, 'PROVIDER_KEY_MISSING' | 'PRICE_UNKNOWN'> | null;
}

/** Whose API key a call to a provider needs. */
export const KEY_OF: Record<ProviderName, KeyName | null> = {
    anthropic: 'claude',
    openai: 'openai',
    google: 'google',
    ollama: null,
    sandbox: null,
};
const TEMPERATURE_STEP = 0.1;

/** @param reason The catalogue code of what a call would be refused with */
export function publicModel(model: Model, reason: PublicModel['reason'], at: number): PublicModel {
    const { id, name, provider, aliases, requiresLoading, capabilities, contextLength, maxOutput } = model;
    const { temperature } = model.parameters;
    return {
        id,
        name,
        provider,
        aliases,
        apiKeyRequired: KEY_OF[provider],
        requiresLoading,
        capabilities,
        contextLength,
        maxOutput,
        pricing: pricing(model, at),
        temperatureRange: temperature === false ? null : { ...temperature, step: TEMPERATURE_STEP },
        usable: reason === null,
        reason,
    };
}

/** The prices in force. */
function pricing(model: Model, at: number): PublicModel['pricing'] {
    const inForce = pricesAt(model, at);
    if (!inForce) return null;
    const { input, output } = inForce.microsPerMillion;
    return { input, output, unit: 'microsPerMillionTokens' };
}

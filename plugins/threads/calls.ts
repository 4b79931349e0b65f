import { assembleContext } from './context.ts';

import type { CallContext } from './store.ts';
import type { Actor } from '../../src/types/actor.ts';
import type { KeyName, KeyOwner, Model, ModelCall, ModelService } from '../models/api.ts';
import type { ProfileService } from '../profile/api.ts';

/** What a user asks of a model. */
export interface Question {
    content: string;
    temperature?: number;
}

export interface PreparedCalls {
    calls: [ModelCall, ...ModelCall[]];
    /** What the first of them does not take. */
    ignoredParameters: string[];
    /** The user's own keys that they may use. */
    ownKeys: KeyName[];
}

export interface CallParts {
    models: ModelService;
    profile: Pick<ProfileService, 'callDefaults'>;
}

/** The keys that calls to these models need. */
export const keyNamesOf = (models: ModelService, asked: Model[]): KeyName[] => [
    ...new Set(asked.map((model) => models.keyName(model)).filter((name) => name !== null)),
];

/** The user's own key for a call to the model; null when there is none that opens. */
export function apiKeyFor(
    models: ModelService,
    owner: KeyOwner,
    model: Model,
    sealedKeys: CallContext['sealedKeys'],
): string | null {
    const name = models.keyName(model);
    const sealed = name === null ? undefined : sealedKeys[name];
    return sealed === undefined || name === null ? null : models.keys.open(owner, name, sealed);
}

/**
 * The calls to a model and to those that answer in its place, with what the user's profile adds: system prompt,
 * temperature, API keys. A model in its place that cannot be called is left out.
 *
 * @throws MESSAGE_TOO_LONG, PROVIDER_KEY_MISSING, VALIDATION_ERROR
 */
export function prepareCalls(
    { models, profile }: CallParts,
    actor: Actor,
    [asked, ...others]: [Model, ...Model[]],
    question: Question,
    context: CallContext,
): PreparedCalls {
    const { systemPrompt, defaultTemperature } = profile.callDefaults(context.profile);
    const { messages, summary, uncovered } = context;
    const covering = summary && { text: summary.text, uncovered };
    const prepare = (model: Model) => {
        const apiKey = apiKeyFor(models, actor, model, context.sealedKeys);
        const temperature = question.temperature ?? temperatureFor(model, defaultTemperature);
        return models.prepare({
            model,
            user: { tenantId: actor.tenantId, userId: actor.userId },
            messages: assembleContext(model, messages, question.content, { systemPrompt, covering }),
            requestId: actor.requestId,
            parameters: { ...(temperature !== undefined && { temperature }) },
            ...(apiKey !== null && { apiKey }),
        });
    };
    const { call, ignoredParameters } = prepare(asked);
    const inPlace = others.flatMap((model) => {
        try {
            return [prepare(model).call];
        } catch {
            return [];
        }
    });
    const calls: PreparedCalls['calls'] = [call, ...inPlace];
    const used = calls.filter(({ apiKey }) => apiKey !== undefined).map(({ model }) => model);
    return { calls, ignoredParameters, ownKeys: keyNamesOf(models, used) };
}

/** A default suits many models: it is brought into the range of this one, and left out where the model takes none. */
function temperatureFor({ parameters }: Model, usual: number | null): number | undefined {
    const range = parameters.temperature;
    if (usual === null || range === false) return undefined;
    return Math.min(Math.max(usual, range.min), range.max);
}

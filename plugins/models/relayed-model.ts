import { fullName } from './providers/ollama-models.ts';

import type { Model } from './api.ts';

/**
 * Tokens that calls have room for unless the model's author says otherwise (`PARAMETER num_ctx`). What the model itself
 * could take may be more than the memory of its machine.
 */
export const USUAL_CONTEXT = 8_192;

const ID = /^((tun|proxy)_[0-9A-HJKMNP-TV-Z]{26})\/([A-Za-z0-9][\w.:/@-]{0,150})$/;
const USUAL_TAG = ':latest';

/** A model of a user's own Ollama. */
export type RelayedModel = Model & Required<Pick<Model, 'via' | 'upstreamId'>>;

export const isRelayed = (model: Model): model is RelayedModel => model.via !== undefined;

/** The model that an id of the form `<tunnelId>/<model>` or `<proxyId>/<model>` stands for, as far as the id tells. */
export function relayedModel(text: string): RelayedModel | null {
    const [, id, prefix, given] = ID.exec(text) ?? [];
    if (id === undefined || given === undefined) return null;
    const name = fullName(given);
    const modelId = `${id}/${name}`;
    return {
        id: modelId,
        name,
        provider: 'ollama',
        upstreamId: name,
        via: { prefix: prefix === 'proxy' ? 'proxy' : 'tun', id },
        aliases: name.endsWith(USUAL_TAG) ? [modelId.slice(0, -USUAL_TAG.length)] : [],
        capabilities: ['text'],
        contextLength: USUAL_CONTEXT,
        maxOutput: null,
        // It does so by itself when it is called.
        requiresLoading: false,
        parameters: { temperature: { min: 0, max: 2, default: 0.8 } },
        prices: [],
    };
}

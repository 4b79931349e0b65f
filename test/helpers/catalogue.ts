import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { temporaryFolder } from './folder.ts';

/** A price of so much per million tokens, always in force. */
export const priceOf = (microsPerMillion: object, more: object = {}) => [
    { validFrom: null, validUntil: null, microsPerMillion, ...more },
];

/** Writes a catalogue of the given models, each a sandbox model of that id that costs nothing unless it says otherwise. */
export function writeCatalogue(models: ({ id: string } & Record<string, unknown>)[]): string {
    const file = join(temporaryFolder(), 'models.json');
    const whole = models.map((model) => ({
        name: model.id,
        provider: 'sandbox',
        capabilities: ['text'],
        contextLength: 32_768,
        ...(model.provider !== undefined && { prices: priceOf({ input: 0, output: 0 }) }),
        parameters: { temperature: { min: 0, max: 1, default: 0.7 } },
        ...model,
    }));
    writeFileSync(file, JSON.stringify({ version: 'test', models: whole }));
    return file;
}
